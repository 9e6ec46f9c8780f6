package io.dshm.server.torture;

import io.dshm.server.history.History;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/** What the run has found out. Thread-safe. */
final class Findings {

    private final Path folder;
    private final Supplier<List<String>> circumstances;
    private final long startedNanos = System.nanoTime();
    private final List<Finding> findings = new ArrayList<>();
    private final Runnable onFinding;

    /**
     * Something that must not be.
     *
     * @param what in words
     * @param after how long after the beginning of the run it was found
     */
    record Finding(String what, Duration after) {}

    /**
     * Nothing so far.
     *
     * @param folder where the histories of failures are stored; it is made when there is one
     * @param circumstances lines to be stored with it: the seed, what was going on
     * @param onFinding told of each
     */
    Findings(Path folder, Supplier<List<String>> circumstances, Runnable onFinding) {
        this.folder = folder;
        this.onFinding = onFinding;
        this.circumstances = circumstances;
    }

    /** Something was found that no history shows. */
    void add(String what) {
        add(what, new History());
    }

    /** Something was found in this history; it is stored. */
    synchronized void add(String what, History history) {
        findings.add(new Finding(what, Duration.ofNanos(System.nanoTime() - startedNanos)));
        History stored = new History();
        circumstances.get().forEach(stored::note);
        what.lines().forEach(stored::note);
        history.notes().forEach(stored::note);
        history.operations().forEach(stored::add);
        try {
            Files.createDirectories(folder);
            stored.write(folder.resolve("violation-" + findings.size() + ".history"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        onFinding.run();
    }

    synchronized List<Finding> all() {
        return List.copyOf(findings);
    }
}
