package io.dshm.server.store.limiters;

/**
 * The numbers of a limiter.
 *
 * @param limit tokens a period, 0 (refuses always) to {@link #TOKENS_MAX}
 * @param periodMillis 1 to {@link #PERIOD_MILLIS_MAX}
 * @param burst for {@link Algorithm#GCRA} and {@link Algorithm#LEAKY}: how many tokens beyond the first can be taken at
 *     once, 0 to {@link #TOKENS_MAX}; 0 for the others
 */
public record Quota(long limit, long periodMillis, long burst) {

    /** The largest limit, burst and cost: sums of some of them are far from the end of 64 bits. */
    public static final long TOKENS_MAX = 1_000_000_000_000L;

    /** Ten years, leap days included. */
    public static final long PERIOD_MILLIS_MAX = 3653L * 24 * 60 * 60 * 1000;

    public Quota {
        if (limit < 0 || limit > TOKENS_MAX || periodMillis < 1 || periodMillis > PERIOD_MILLIS_MAX) {
            throw new IllegalArgumentException("limit " + limit + ", period " + periodMillis + " ms");
        }
        if (burst < 0 || burst > TOKENS_MAX) {
            throw new IllegalArgumentException("burst " + burst);
        }
    }
}
