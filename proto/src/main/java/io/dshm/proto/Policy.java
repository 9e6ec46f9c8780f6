package io.dshm.proto;

import java.time.Duration;

/**
 * What a limit is: an algorithm and its numbers.
 *
 * @param limit tokens a period, 0 (refuses always) to {@link Limits#TOKENS_MAX}
 * @param periodMillis 1 to {@link Limits#PERIOD_MILLIS_MAX}
 * @param burst tokens beyond the first that can be taken at once, 0 to {@link Limits#TOKENS_MAX}; 0 for algorithms that
 *     have none
 */
public record Policy(Algorithm algorithm, long limit, long periodMillis, long burst) {

    /** With the burst that is meant where none is named: the whole limit can be taken at once. */
    public Policy(Algorithm algorithm, long limit, long periodMillis) {
        this(algorithm, limit, periodMillis, algorithm.hasBurst() ? Math.max(0, limit - 1) : 0);
    }

    /** The same, whose period is a duration; it is rounded to milliseconds. */
    public static Policy of(Algorithm algorithm, long limit, Duration period) {
        return new Policy(algorithm, limit, period.toMillis());
    }

    /** The same with another burst. */
    public Policy withBurst(long newBurst) {
        return new Policy(algorithm, limit, periodMillis, newBurst);
    }

    public Policy {
        if (!areValid(limit, periodMillis, burst) || (burst > 0 && !algorithm.hasBurst())) {
            throw new IllegalArgumentException("limit " + limit + ", period " + periodMillis + " ms, burst " + burst);
        }
    }

    /** Whether these numbers are in their ranges. */
    public static boolean areValid(long limit, long periodMillis, long burst) {
        return limit >= 0
                && limit <= Limits.TOKENS_MAX
                && periodMillis >= 1
                && periodMillis <= Limits.PERIOD_MILLIS_MAX
                && burst >= 0
                && burst <= Limits.TOKENS_MAX;
    }
}
