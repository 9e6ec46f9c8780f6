package io.dshm.proto.snapshot;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Brings to the disk what the file system still holds in memory. */
public final class FileSync {

    private FileSync() {}

    /** Brings a file, or the list of a folder, to the disk. Any thread. */
    public static void sync(Path path) throws IOException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }
}
