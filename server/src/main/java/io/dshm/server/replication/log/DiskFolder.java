package io.dshm.server.replication.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A folder of the file system. */
public final class DiskFolder implements LogFolder {

    private final Path path;

    /** That folder, which exists. */
    public DiskFolder(Path path) {
        this.path = path;
    }

    @Override
    public List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(path)) {
            return files.map(file -> file.getFileName().toString()).toList();
        }
    }

    @Override
    public LogFile open(String name, boolean writes) throws IOException {
        return new DiskFile(path.resolve(name), writes);
    }

    @Override
    public void rename(String from, String to) throws IOException {
        Files.move(path.resolve(from), path.resolve(to), StandardCopyOption.ATOMIC_MOVE);
    }

    @Override
    public void delete(String name) throws IOException {
        Files.delete(path.resolve(name));
    }

    @Override
    public void sync() throws IOException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    @Override
    public String pathOf(String name) {
        return path.resolve(name).toString();
    }

    /**
     * Java closes a channel when a thread that reads it is interrupted. So there is one to write, which only the
     * writing thread uses, and another one to read, which is opened when it is needed, and again when it was closed.
     */
    private static final class DiskFile implements LogFile {

        private final Path file;
        private final @Nullable FileChannel writer;
        private @Nullable FileChannel reader;
        private boolean closed;

        DiskFile(Path file, boolean writes) throws IOException {
            this.file = file;
            this.writer = writes ? FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE) : null;
        }

        private FileChannel writer() throws IOException {
            if (writer == null) {
                throw new IOException(file + " is open for reading only");
            }
            return writer;
        }

        @Override
        public long size() throws IOException {
            return writer == null ? Files.size(file) : writer.size();
        }

        @Override
        public void write(ByteBuffer bytes, long offset) throws IOException {
            long at = offset;
            while (bytes.hasRemaining()) {
                at += writer().write(bytes, at);
            }
        }

        @Override
        public int read(ByteBuffer into, long offset) throws IOException {
            int start = into.position();
            boolean interrupted = false;
            try {
                while (into.hasRemaining()) {
                    FileChannel channel = reader();
                    try {
                        if (channel.read(into, offset + into.position() - start) < 0) {
                            break;
                        }
                    } catch (ClosedChannelException e) {
                        // By an interrupt of this thread or another one that was reading.
                        interrupted |= Thread.interrupted();
                        forget(channel);
                    }
                }
            } finally {
                if (interrupted) {
                    Thread.currentThread().interrupt();
                }
            }
            return into.position() - start;
        }

        private synchronized FileChannel reader() throws IOException {
            if (closed) {
                throw new IOException(file + " is closed");
            }
            FileChannel channel = reader;
            if (channel == null) {
                channel = FileChannel.open(file, StandardOpenOption.READ);
                reader = channel;
            }
            return channel;
        }

        private synchronized void forget(FileChannel channel) {
            if (reader == channel) {
                reader = null;
            }
        }

        @Override
        public void sync() throws IOException {
            writer().force(false);
        }

        @Override
        public synchronized void close() throws IOException {
            closed = true;
            if (reader != null) {
                reader.close();
            }
            if (writer != null) {
                writer.close();
            }
        }
    }
}
