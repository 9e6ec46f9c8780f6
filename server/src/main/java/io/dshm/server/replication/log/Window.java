package io.dshm.server.replication.log;

import java.io.IOException;
import java.nio.ByteBuffer;

/** A piece of a file in memory, moved along as the file is read. */
final class Window {

    private final LogFolder.LogFile file;
    private final long limit;
    private final int bytes;
    private ByteBuffer buffer;
    private long start;

    /**
     * Nothing is read yet.
     *
     * @param limit the offset at which what is to be seen of the file ends
     * @param bytes how many are read at once, unless more are wanted
     */
    Window(LogFolder.LogFile file, long limit, int bytes) {
        this.file = file;
        this.limit = limit;
        this.bytes = bytes;
        this.buffer = ByteBuffer.allocate(bytes).limit(0);
    }

    /**
     * Moves there, if need be.
     *
     * @param length how many bytes are wanted; there are fewer only where the file, or what is to be seen of it, ends
     * @return the place of that offset in {@link #bytes}
     */
    int at(long offset, long length) throws IOException {
        if (offset < start || offset + length > start + buffer.limit()) {
            long available = Math.max(0, limit - offset);
            int wanted = (int) Math.min(Math.max(length, bytes), available);
            if (wanted > buffer.capacity()) {
                buffer = ByteBuffer.allocate(wanted);
            }
            buffer.clear().limit(wanted);
            int read = file.read(buffer, offset);
            buffer.position(0).limit(read);
            start = offset;
        }
        return (int) (offset - start);
    }

    ByteBuffer bytes() {
        return buffer;
    }
}
