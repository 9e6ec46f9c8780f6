package io.dshm.server.store.limiters;

import java.util.function.LongConsumer;

/** What a limiter's key holds. Immutable: calls make new ones. */
public sealed interface Limiter permits TokenLimiter, Permits {

    /** What can be taken at that instant, by the numbers of the last call that took: 0 or more. Any thread. */
    long remainingAt(long clockMillis);

    /**
     * The instant from which on this limiter is as good as a new one, which is the deadline of its key;
     * {@link Long#MAX_VALUE} if that is beyond all time. Of one that is as good as new an instant that is past.
     */
    long freshAtMillis();

    /** What it takes in memory beside the entry, by a formula that depends on the calls alone. */
    long bytes();

    /**
     * Passes on all that makes the limiter what it is, in a fixed order, for a digest.
     *
     * @param clockMillis what is no more of use at this instant is left out
     */
    void forEachNumber(long clockMillis, LongConsumer consumer);
}
