package io.dshm.server.torture;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * What came of a run.
 *
 * @param leftOut faults that this machine cannot do, each with what it lacks
 * @param gap the longest time in which a majority was whole and connected, and no write was acknowledged
 * @param recovery the longest time from a node's start until it took part again: voted, and had caught up
 * @param before what each node's process held before the first fault
 * @param after and after the last one; often another process
 */
record Report(
        long seed,
        Duration took,
        Map<String, Tally.Count> operations,
        Map<FaultKind, Integer> faults,
        List<String> leftOut,
        Availability.Gap gap,
        Duration recovery,
        Map<String, Resources> before,
        Map<String, Resources> after,
        List<Findings.Finding> violations) {

    /** How long it took until the first violation was found. */
    Optional<Duration> toFirstViolation() {
        return violations.stream().map(Findings.Finding::after).findFirst();
    }

    Tally.Count total() {
        return operations.values().stream().reduce(new Tally.Count(0, 0, 0, 0), Tally.Count::plus);
    }

    /** Of a hundred operations while a majority was whole, how many had a definite outcome. */
    double definitePercent() {
        return percent(total().definiteWithMajority(), total().withMajority());
    }

    /** For people. */
    String table() {
        List<String> lines = new ArrayList<>();
        lines.add(line("seed %d, %d s", seed, took.toSeconds()));
        lines.add("");
        lines.add(line("%-24s %10s %10s %26s", "operations", "all", "definite", "definite with a majority"));
        operations.forEach((kind, count) -> lines.add(row(kind, count)));
        lines.add(row("all", total()));
        lines.add("");
        lines.add(line("%-24s %10s", "faults", "times"));
        faults.forEach((kind, times) -> lines.add(line("  %-22s %10d", kind.label(), times)));
        leftOut.forEach(what -> lines.add("  left out: " + what));
        lines.add("");
        lines.add(line("longest gap without acknowledged writes while a majority was whole: %d ms", gapMillis()));
        lines.add(line("longest time from a node's start until it took part again: %d ms", recovery.toMillis()));
        lines.add("");
        lines.add(line("%-24s %10s %10s %10s", "before -> after", "files", "threads", "heap KiB"));
        before.forEach((node, held) -> {
            lines.add(row(node + " before", held));
            Resources now = after.get(node);
            if (now != null) {
                lines.add(row(node + " after", now));
            }
        });
        lines.add("");
        lines.add("violations: " + violations.size());
        violations.forEach(found -> lines.add("  after " + found.after().toSeconds() + " s: " + found.what()));
        return String.join("\n", lines);
    }

    long gapMillis() {
        return Duration.ofNanos(gap.nanos()).toMillis();
    }

    private static String row(String kind, Tally.Count count) {
        return line(
                "  %-22s %10d %8.2f %% %24.2f %%",
                kind,
                count.all(),
                percent(count.definite(), count.all()),
                percent(count.definiteWithMajority(), count.withMajority()));
    }

    private static String row(String node, Resources held) {
        return line("  %-22s %10d %10d %10d", node, held.files(), held.threads(), held.heapKilobytes());
    }

    private static double percent(long some, long all) {
        return all == 0 ? 100 : 100.0 * some / all;
    }

    private static String line(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }
}
