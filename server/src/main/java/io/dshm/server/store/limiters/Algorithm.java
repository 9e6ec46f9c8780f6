package io.dshm.server.store.limiters;

/** The algorithms. */
public enum Algorithm {
    /** Windows of the cluster clock, aligned to multiples of the period: {@link FixedWindow}. */
    FIXED(1),
    /** A sliding window, exact: {@link SlidingLog}. */
    LOG(2),
    /** A sliding window, estimated from two aligned ones: {@link SlidingCounter}. */
    COUNTER(3),
    /** Tokens that come back evenly: {@link TokenBucket}. */
    GCRA(4),
    /** The same, with a delay for what comes early: {@link TokenBucket}. */
    LEAKY(5);

    /** Not the method, which makes a new array each time. */
    private static final Algorithm[] ALL = values();

    /** Stands for the algorithm in a digest: from 1 on, in this order. */
    final int code;

    Algorithm(int code) {
        this.code = code;
    }

    /** A number that stands for it. */
    public int code() {
        return code;
    }

    /** The algorithm that such a number stands for. */
    public static Algorithm ofCode(int code) {
        return ALL[code - 1];
    }

    /** A limiter of this algorithm of which nothing is used at that instant. */
    public TokenLimiter fresh(Quota quota, long clockMillis) {
        return switch (this) {
            case FIXED -> FixedWindow.fresh(quota, clockMillis);
            case LOG -> SlidingLog.of(quota.limit(), quota.periodMillis());
            case COUNTER -> SlidingCounter.fresh(quota, clockMillis);
            case GCRA, LEAKY -> TokenBucket.fresh(this == LEAKY, quota, clockMillis);
        };
    }
}
