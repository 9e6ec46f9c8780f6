package io.dshm.server.system;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** What one node takes for the time of day, by libfaketime; it can be changed while the node runs. */
public final class WallClock {

    /** The variable by which a node gets the library. */
    static final String PRELOAD = "LD_PRELOAD";

    /** Where the library keeps a semaphore and some memory for each process that it is in. */
    private static final Path SHARED = Path.of("/dev/shm");

    private static final Pattern TRACE = Pattern.compile("(?:sem\\.)?faketime_[a-z]+_(\\d+)");

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
        node.withEnvironment(PRELOAD, library.toString())
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

    /**
     * Removes what the library has kept for processes that have ended. If one was killed, the next one with its number may
     * find the semaphore taken, and wait for ever.
     */
    static void removeTraces() throws IOException {
        List<Path> files;
        try (Stream<Path> all = Files.list(SHARED)) {
            files = all.toList();
        }
        for (Path file : files) {
            Matcher trace = TRACE.matcher(file.getFileName().toString());
            if (trace.matches()
                    && ProcessHandle.of(Long.parseLong(trace.group(1))).isEmpty()) {
                Files.deleteIfExists(file);
            }
        }
    }
}
