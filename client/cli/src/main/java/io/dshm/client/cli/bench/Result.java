package io.dshm.client.cli.bench;

import java.util.List;
import java.util.Map;
import org.HdrHistogram.Histogram;

/**
 * What a run has measured and seen. Latencies are in nanoseconds.
 *
 * @param seconds that were measured
 * @param requests that were begun in them
 * @param perSecond requests with a reply in them, a second
 * @param all latencies of all words
 * @param lateness by how much requests of an open loop were sent later than they were due
 * @param outcomes by name
 * @param errors what servers said, and how often
 * @param neverSent requests of an open loop that were due and had to wait to the end
 * @param breaks connections that broke
 * @param violations how many, by what is checked; zeros for what was checked and found in order
 * @param texts the first of them in words
 * @param unchecked why something could not be checked in the end; empty if all was
 * @param cpuSeconds processor time of the generator while it was measured
 */
public record Result(
        String target,
        double seconds,
        long requests,
        double perSecond,
        Map<String, Histogram> latencies,
        Histogram all,
        Histogram lateness,
        Map<String, Long> outcomes,
        Map<String, Long> errors,
        long neverSent,
        long breaks,
        Map<String, Long> violations,
        List<String> texts,
        String unchecked,
        double cpuSeconds,
        List<Second> series) {

    /**
     * A second of a run.
     *
     * @param at its end, in seconds from the begin of what is measured
     * @param perSecond replies a second
     * @param errors since the begin of the load
     * @param violations since then
     */
    public record Second(
            double at,
            double perSecond,
            double p50Millis,
            double p99Millis,
            double maxMillis,
            long errors,
            long violations) {}

    /** How many violations there are. */
    public long violationCount() {
        return violations.values().stream().mapToLong(Long::longValue).sum();
    }

    /** Requests that were not done, or of which nobody knows. */
    public long failed() {
        return outcomes.getOrDefault("failed", 0L) + outcomes.getOrDefault("unknown", 0L);
    }

    /** A latency at a percentile, in milliseconds. */
    public static double millis(Histogram histogram, double percentile) {
        return histogram.getTotalCount() == 0 ? 0 : histogram.getValueAtPercentile(percentile) / 1e6;
    }
}
