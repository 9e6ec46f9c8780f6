package io.dshm.server.torture;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;

/** What was done to the cluster, and when; of the past only what may still matter. Thread-safe. */
final class Chronicle {

    private static final int LINES_MAX = 100;

    private final Consumer<String> listener;
    private final long startedNanos = System.nanoTime();
    private final Deque<String> lines = new ArrayDeque<>();

    Chronicle(Consumer<String> listener) {
        this.listener = listener;
    }

    /** Notes it, with the time as histories have it. */
    synchronized void add(String line) {
        lines.add(String.format(Locale.ROOT, "%.3f %s", System.nanoTime() / 1e6, line));
        if (lines.size() > LINES_MAX) {
            lines.remove();
        }
        listener.accept(String.format(Locale.ROOT, "%.1f s: %s", (System.nanoTime() - startedNanos) / 1e9, line));
    }

    synchronized List<String> recent() {
        return List.copyOf(lines);
    }
}
