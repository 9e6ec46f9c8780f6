package io.dshm.server.history;

import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * An operation on one key as the search for a linearization sees it: what it does or shows, and the time within which it
 * did so.
 *
 * @param operation where it comes from
 * @param kind what it does
 * @param value of a {@link Kind#READ} what it saw, null if nothing; of a {@link Kind#SET} what it stores; of a {@link
 *     Kind#INCR} the sum it replied, null if unknown
 * @param by of {@link Kind#INCR} and {@link Kind#OVERFLOW}
 * @param init of {@link Kind#INCR} and {@link Kind#OVERFLOW}
 * @param ttlMillis what the entry then lives from this call on, 0 for ever; of an {@link Kind#INCR} only if it creates it
 * @param from takes effect at this instant or later
 * @param to takes effect at this instant or earlier; {@link Operation#NEVER} if it need not take effect at all
 */
record Call(
        Operation operation,
        Kind kind,
        @Nullable String value,
        long by,
        long init,
        long ttlMillis,
        long from,
        long to) {

    enum Kind {
        READ,
        /** An {@code INCR} that was refused because the sum does not fit: shows something, changes nothing. */
        OVERFLOW,
        SET,
        REMOVE,
        TOUCH,
        INCR
    }

    boolean isOptional() {
        return to == Operation.NEVER;
    }

    boolean changesNothing() {
        return kind == Kind.READ || kind == Kind.OVERFLOW;
    }

    boolean overwrites() {
        return kind == Kind.SET || kind == Kind.REMOVE;
    }

    Call within(long from, long to) {
        return new Call(operation, kind, value, by, init, ttlMillis, from, to);
    }

    /** When an entry whose deadline this call has set expires at the earliest. */
    long expiresFrom(long slackNanos) {
        return from + ttlNanos() - slackNanos;
    }

    /** When it has expired at the latest. */
    long expiresTo(long slackNanos) {
        long latest = to + ttlNanos() + slackNanos;
        return isOptional() || latest < to ? Operation.NEVER : latest;
    }

    private long ttlNanos() {
        return nanos(ttlMillis);
    }

    /** A time to live, at most half of what there is, so that sums do not overflow. */
    static long nanos(long ttlMillis) {
        return Math.min(TimeUnit.MILLISECONDS.toNanos(ttlMillis), Long.MAX_VALUE / 2);
    }
}
