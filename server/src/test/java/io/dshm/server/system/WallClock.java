package io.dshm.server.system;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import java.util.stream.Stream;

/** What one node takes for the time of day, by libfaketime; it can be changed while the node runs. */
public final class WallClock {

    private final Path file;

    private WallClock(Path file) {
        this.file = file;
    }

    /** The library, if it is installed. */
    public static Optional<Path> library() throws IOException {
        try (Stream<Path> files = Files.exists(Path.of("/usr/lib"))
                ? Files.find(Path.of("/usr/lib"), 3, (file, is) -> file.endsWith("faketime/libfaketimeMT.so.1"))
                : Stream.of()) {
            return files.findFirst();
        }
    }

    /** The clock of a node that has not started, which tells the right time so far. */
    public static WallClock of(NodeProcess node, Path file) throws IOException {
        Path library = library()
                .orElseThrow(() -> new AssertionError("there is no libfaketime; install Debian's package faketime"));
        WallClock clock = new WallClock(file);
        clock.set(0);
        node.withEnvironment("LD_PRELOAD", library.toString())
                .withEnvironment("FAKETIME_TIMESTAMP_FILE", file.toString())
                .withEnvironment("FAKETIME_NO_CACHE", "1")
                .withEnvironment("DONT_FAKE_MONOTONIC", "1")
                // Else it takes the JVM's waits for ones on the wall clock, and lets them end at once.
                .withEnvironment("FAKETIME_FORCE_MONOTONIC_FIX", "0");
        return clock;
    }

    /** Sets it to so many seconds after the right time, or before it. */
    public void set(long seconds) throws IOException {
        // Written anew and moved into place: the node reads it at any moment.
        Path next = file.resolveSibling(file.getFileName() + ".new");
        Files.writeString(next, (seconds < 0 ? "" : "+") + seconds + "\n");
        Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }
}
