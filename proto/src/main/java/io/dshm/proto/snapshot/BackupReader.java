package io.dshm.proto.snapshot;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import io.airlift.compress.MalformedInputException;
import io.airlift.compress.zstd.ZstdDecompressor;
import io.dshm.proto.StrictParser;
import io.dshm.proto.wire.BackupFoot;
import io.dshm.proto.wire.BackupHead;
import io.dshm.proto.wire.SnapshotHeader;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Objects;
import java.util.zip.CRC32C;

/**
 * Reads a backup. Each block is verified before anything of it is given out. Any damage is a {@link SnapshotException}
 * that names the file and the offset of the first block that is not as it was written. For one thread.
 */
public final class BackupReader implements AutoCloseable {

    /** Damage in the file's own blocks. */
    private static final class BlockException extends SnapshotException {

        private static final long serialVersionUID = 1;

        BlockException(String message, boolean newer) {
            super(message, newer);
        }

        BlockException(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** The snapshot's files, one after the other. */
    private final class Content extends InputStream {

        @Override
        public int read() throws IOException {
            return fill() ? content[position++] & 0xFF : -1;
        }

        @Override
        public int read(byte[] to, int from, int most) throws IOException {
            Objects.checkFromIndexSize(from, most, to.length);
            if (most == 0) {
                return 0;
            }
            if (!fill()) {
                return -1;
            }
            int some = Math.min(most, limit - position);
            System.arraycopy(content, position, to, from, some);
            position += some;
            return some;
        }
    }

    private final String name;
    private final DataInputStream in;
    private final CRC32C crc = new CRC32C();
    private final ZstdDecompressor decompressor = new ZstdDecompressor();
    private final byte[] block = new byte[BackupFormat.BLOCK_BYTES_MAX];
    private final byte[] content = new byte[BackupWriter.DATA_BYTES_MAX];
    private final BackupHead head;
    private int position;
    private int limit;
    private int length;
    private boolean ended;
    private long contentBytes;

    /** Bytes of the file before the block that is being read. */
    private long offset;

    /**
     * Begins to read.
     *
     * @param in a buffered stream, which is closed with this one
     * @param name of the file, for messages
     * @throws SnapshotException if it is not the head of a backup that this version reads
     */
    public BackupReader(InputStream in, String name) throws IOException {
        this.name = name;
        this.in = new DataInputStream(in);
        byte[] magic = in.readNBytes(BackupFormat.MAGIC.length + Integer.BYTES);
        if (!Arrays.equals(Arrays.copyOf(magic, BackupFormat.MAGIC.length), BackupFormat.MAGIC)) {
            throw damaged("is no backup of DSHM");
        }
        if (magic.length < BackupFormat.MAGIC.length + Integer.BYTES) {
            throw damaged("is cut off");
        }
        crc.update(magic);
        int format = ByteBuffer.wrap(magic).getInt(BackupFormat.MAGIC.length);
        if (format != BackupFormat.FORMAT) {
            throw new BlockException(
                    name + ", offset " + BackupFormat.MAGIC.length + ": is a backup of format "
                            + Integer.toUnsignedString(format) + "; this version reads format " + BackupFormat.FORMAT
                            + ": use the version that wrote it",
                    true);
        }
        offset = magic.length;
        if (nextBlock() != BackupFormat.HEAD) {
            throw damaged("does not begin with a head");
        }
        head = parse(new StrictParser<>(BackupHead.parser()));
        offset += length + BackupFormat.BLOCK_FRAME_BYTES;
    }

    /** What the file says of itself. */
    public BackupHead head() {
        return head;
    }

    /** A checksum of all that was read so far: of the whole file, when {@link #read} has returned. */
    public int checksum() {
        return (int) crc.getValue();
    }

    /** Bytes of the snapshot that were read so far, of those that the head names. */
    public long contentBytes() {
        return contentBytes;
    }

    /** Bytes of the file that were verified so far. */
    public long offset() {
        return offset;
    }

    /**
     * Reads everything, to the end of the file. When this returns, the backup is whole and as it was written. To be
     * called once.
     *
     * @return the snapshot's header
     * @throws SnapshotException if it is not; the visitor may have got what is before the damage
     */
    public SnapshotHeader read(SnapshotPart.Visitor visitor) throws IOException {
        InputStream in = new Content();
        SnapshotHeader first = null;
        try {
            for (int number = 0; ; number++) {
                SnapshotPart part = new SnapshotPart(in, number, visitor);
                boolean last = part.read().getLastPart();
                if (first == null) {
                    first = part.header();
                }
                // The log may have entries of Raft's own behind the last one that changed the state.
                if (part.header().getIndex() != first.getIndex() || first.getIndex() > head.getIndex()) {
                    throw damaged("is of index " + part.header().getIndex() + ", not " + head.getIndex());
                }
                if (last) {
                    if (fill()) {
                        throw damaged("goes on after the snapshot's end");
                    }
                    return first;
                }
            }
        } catch (BlockException e) {
            throw e;
        } catch (SnapshotException e) {
            String message = at() + e.getMessage();
            throw e.isNewer() ? new SnapshotException(message, true) : new SnapshotException(message, e);
        }
    }

    /** Whether there is more. */
    private boolean fill() throws IOException {
        while (position == limit && !ended) {
            switch (nextBlock()) {
                case BackupFormat.DATA -> decompress();
                case BackupFormat.FOOT -> finish();
                default -> throw damaged("has a block of an unknown kind");
            }
            offset += length + BackupFormat.BLOCK_FRAME_BYTES;
        }
        return position < limit;
    }

    /** Reads a block and verifies it; its kind. */
    private int nextBlock() throws IOException {
        try {
            byte[] begin = new byte[1 + Integer.BYTES];
            in.readFully(begin);
            length = ByteBuffer.wrap(begin).getInt(1);
            if (length < 0 || length > block.length) {
                throw damaged("has a block of " + length + " bytes");
            }
            in.readFully(block, 0, length);
            byte[] expected = new byte[Integer.BYTES];
            in.readFully(expected);
            crc.update(begin);
            crc.update(block, 0, length);
            if ((int) crc.getValue() != ByteBuffer.wrap(expected).getInt()) {
                throw damaged("has a wrong checksum");
            }
            crc.update(expected);
            return begin[0];
        } catch (EOFException e) {
            throw new BlockException(at() + "is cut off", e);
        }
    }

    private void decompress() throws SnapshotException {
        try {
            position = 0;
            limit = decompressor.decompress(block, 0, length, content, 0, content.length);
            contentBytes += limit;
        } catch (MalformedInputException | IllegalArgumentException e) {
            limit = 0;
            throw new BlockException(at() + "has a block that cannot be decompressed", e);
        }
    }

    private void finish() throws IOException {
        BackupFoot foot = parse(new StrictParser<>(BackupFoot.parser()));
        if (foot.getContentBytes() != contentBytes || head.getContentBytes() != contentBytes) {
            throw damaged("holds " + contentBytes + " bytes, not the " + head.getContentBytes() + " of its head");
        }
        if (in.read() >= 0) {
            offset += length + BackupFormat.BLOCK_FRAME_BYTES;
            throw damaged("goes on after its end");
        }
        ended = true;
    }

    private <M extends Message> M parse(StrictParser<M> parser) throws SnapshotException {
        try {
            return parser.parse(ByteBuffer.wrap(block.clone(), 0, length));
        } catch (StrictParser.UnknownFieldException e) {
            throw new BlockException(at() + "was written by a newer version: " + e.getMessage(), true);
        } catch (InvalidProtocolBufferException e) {
            throw new BlockException(at() + "has a block that cannot be decoded", e);
        }
    }

    private String at() {
        return name + ", offset " + offset + ": ";
    }

    private BlockException damaged(String how) {
        return new BlockException(at() + how, false);
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
