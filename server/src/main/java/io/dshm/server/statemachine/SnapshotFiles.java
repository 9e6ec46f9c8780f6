package io.dshm.server.statemachine;

import io.dshm.proto.snapshot.BackupWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.List;

/**
 * A snapshot whose files are open: it can be read to its end, for as long as that takes, also when a newer one has
 * taken its place in the folder meanwhile. It holds nothing of the state, but the room of its files on the disk. For
 * one thread.
 */
public final class SnapshotFiles implements AutoCloseable {

    private final long index;
    private final long term;
    private final long entryCount;
    private final List<FileChannel> files;

    /**
     * A snapshot as of this index and term.
     *
     * @param files in their order; closed with this
     */
    public SnapshotFiles(long index, long term, long entryCount, List<FileChannel> files) {
        this.index = index;
        this.term = term;
        this.entryCount = entryCount;
        this.files = files;
    }

    /** The log index after which the state is that. */
    public long index() {
        return index;
    }

    /** The term of that log entry. */
    public long term() {
        return term;
    }

    /** How many entries it holds. */
    public long entryCount() {
        return entryCount;
    }

    /** How long the files are. */
    public long bytes() throws IOException {
        long bytes = 0;
        for (FileChannel file : files) {
            bytes += file.size();
        }
        return bytes;
    }

    /** Copies all files, one after the other. To be called once. */
    public void copyTo(BackupWriter out) throws IOException {
        byte[] block = new byte[BackupWriter.DATA_BYTES_MAX];
        ByteBuffer buffer = ByteBuffer.wrap(block);
        for (FileChannel file : files) {
            while (file.read(buffer) >= 0) {
                if (!buffer.hasRemaining()) {
                    out.write(block, block.length);
                    buffer.clear();
                }
            }
        }
        if (buffer.position() > 0) {
            out.write(block, buffer.position());
        }
    }

    @Override
    public void close() throws IOException {
        for (FileChannel file : files) {
            file.close();
        }
    }
}
