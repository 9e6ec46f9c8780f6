package io.dshm.proto;

import java.util.Locale;

/** What a user may do in a region. */
public enum Right {
    /** Reads, of single keys and of the region. */
    READ,
    /** All writes, {@link #TAKE} included. */
    WRITE,
    /** TAKE and its family, and RATE_LIMITER. */
    TAKE,
    /** All of that; for all regions, what an operator does at the admin port, too. */
    ADMIN;

    private final String word = name().toLowerCase(Locale.ROOT);

    /** Its name in commands and replies. */
    public String word() {
        return word;
    }

    /** Whether who has this right has that one, too. */
    public boolean includes(Right other) {
        return this == other || this == ADMIN || (this == WRITE && other == TAKE);
    }
}
