package io.dshm.server.replication.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/** What a bad disk does to the log of a node that is not running. */
public final class LogDamage {

    private LogDamage() {}

    /**
     * Flips a bit in the middle of the longest row of records that the log still needs.
     *
     * @return in which file; nothing is changed if the log has no records
     */
    public static Optional<Path> flipByte(Path folder) throws IOException {
        Recovery log = Recovery.read(new DiskFolder(folder));
        Optional<Path> file = Optional.empty();
        long longest = SegmentFormat.RECORDS_AT;
        for (int i = 0; i < log.segments.size(); i++) {
            Segment segment = log.segments.get(i);
            long end =
                    i + 1 < log.segments.size() ? log.segments.get(i + 1).head.previousEnd() : log.end;
            if (end > longest && log.runs.use(segment)) {
                longest = end;
                file = Optional.of(folder.resolve(segment.name()));
            }
            segment.file.close();
        }
        if (file.isPresent()) {
            flip(file.get(), (SegmentFormat.RECORDS_AT + longest) / 2);
        }
        return file;
    }

    private static void flip(Path file, long offset) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            ByteBuffer one = ByteBuffer.allocate(1);
            channel.read(one, offset);
            one.put(0, (byte) (one.get(0) ^ 0x10)).flip();
            channel.write(one, offset);
        }
    }
}
