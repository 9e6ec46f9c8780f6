package io.dshm.proto;

import java.util.Locale;

/** How a limit is decided. On the wire an algorithm is its name in lower case. */
public enum Algorithm {
    /** Windows of the cluster clock, aligned to multiples of the period. */
    FIXED,
    /** A sliding window, exact: every grant is remembered. RATE_LIMITER's. */
    LOG,
    /** A sliding window, estimated from two aligned ones. */
    COUNTER,
    /** Tokens come back evenly, and some may be taken at once. */
    GCRA,
    /** As {@link #GCRA}, and who comes early is told how long to wait. */
    LEAKY;

    private final String wireName = name().toLowerCase(Locale.ROOT);

    /** The algorithm as it stands on the wire, for example {@code gcra}. */
    public String wireName() {
        return wireName;
    }

    /** Whether a burst is one of its numbers. */
    public boolean hasBurst() {
        return this == GCRA || this == LEAKY;
    }
}
