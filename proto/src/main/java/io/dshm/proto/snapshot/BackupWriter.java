package io.dshm.proto.snapshot;

import io.airlift.compress.zstd.ZstdCompressor;
import io.dshm.proto.wire.BackupFoot;
import io.dshm.proto.wire.BackupHead;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/** Writes a backup, see {@code server/README.md} for its format. For one thread. */
public final class BackupWriter {

    /** Bytes of the snapshot in one block, at most. */
    public static final int DATA_BYTES_MAX = 1024 * 1024;

    private final OutputStream out;
    private final CRC32C crc = new CRC32C();
    private final ZstdCompressor compressor = new ZstdCompressor();
    private final byte[] block = new byte[BackupFormat.BLOCK_BYTES_MAX + BackupFormat.BLOCK_FRAME_BYTES];
    private final BackupHead head;
    private long contentBytes;

    /**
     * Begins a backup.
     *
     * @param out gets each block by one call; neither flushed nor closed here
     */
    public BackupWriter(OutputStream out, BackupHead head) throws IOException {
        this.out = out;
        this.head = head;
        byte[] magic = ByteBuffer.allocate(BackupFormat.MAGIC.length + Integer.BYTES)
                .put(BackupFormat.MAGIC)
                .putInt(BackupFormat.FORMAT)
                .array();
        crc.update(magic);
        out.write(magic);
        writeBlock(BackupFormat.HEAD, head.toByteArray());
    }

    /**
     * Appends bytes of the snapshot as one block.
     *
     * @param length 1 to {@link #DATA_BYTES_MAX}
     */
    public void write(byte[] content, int length) throws IOException {
        if (length > DATA_BYTES_MAX) {
            throw new IllegalArgumentException(length + " bytes are too many for a block");
        }
        int room = block.length - BackupFormat.BLOCK_FRAME_BYTES;
        int compressed = compressor.compress(content, 0, length, block, 1 + Integer.BYTES, room);
        writeBlock(BackupFormat.DATA, compressed);
        contentBytes += length;
    }

    /**
     * Ends the backup.
     *
     * @throws IOException also if the snapshot was not as long as the head says
     */
    public void finish() throws IOException {
        if (contentBytes != head.getContentBytes()) {
            throw new IOException("the snapshot has " + contentBytes + " bytes instead of " + head.getContentBytes());
        }
        writeBlock(
                BackupFormat.FOOT,
                BackupFoot.newBuilder().setContentBytes(contentBytes).build().toByteArray());
    }

    private void writeBlock(int kind, byte[] bytes) throws IOException {
        System.arraycopy(bytes, 0, block, 1 + Integer.BYTES, bytes.length);
        writeBlock(kind, bytes.length);
    }

    /** What it holds is in the block already. */
    private void writeBlock(int kind, int length) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(block);
        bytes.put((byte) kind).putInt(length).position(1 + Integer.BYTES + length);
        crc.update(block, 0, bytes.position());
        int covered = bytes.position();
        bytes.putInt((int) crc.getValue());
        crc.update(block, covered, Integer.BYTES);
        out.write(block, 0, bytes.position());
    }
}
