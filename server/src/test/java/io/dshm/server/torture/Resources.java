package io.dshm.server.torture;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What a node's process holds.
 *
 * @param files open file descriptors
 * @param threads all of them, the JVM's own too
 * @param heapKilobytes what is left in the heap after a collection
 */
record Resources(long files, long threads, long heapKilobytes) {

    private static final Pattern THREADS = Pattern.compile("Threads:\\s+(\\d+)");
    private static final Pattern HEAP_USED = Pattern.compile("heap\\s.* used (\\d+)K");

    /** Of a node that runs. */
    static Resources of(Machine machine) throws IOException, InterruptedException {
        String pid = "" + machine.node().pid();
        Path process = Path.of("/proc", pid);
        long files;
        try (Stream<Path> all = Files.list(process.resolve("fd"))) {
            files = all.count();
        }
        long threads = number(THREADS, Files.readString(process.resolve("status")));
        String jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd").toString();
        Shell.run(jcmd, pid, "GC.run");
        return new Resources(files, threads, number(HEAP_USED, Shell.run(jcmd, pid, "GC.heap_info")));
    }

    private static long number(Pattern pattern, String text) throws IOException {
        Matcher matcher = pattern.matcher(text);
        if (!matcher.find()) {
            throw new IOException("no " + pattern + " in: " + text);
        }
        return Long.parseLong(matcher.group(1));
    }
}
