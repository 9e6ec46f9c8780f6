package io.dshm.server.store.limiters;

/** A limiter of which nothing is held: what was taken is used. */
public sealed interface PlainLimiter extends TokenLimiter permits Meter, SlidingLog {

    /** The numbers that it has. */
    Quota quota();

    /** The same with other numbers, at that instant; the same object if it has them. */
    PlainLimiter renumbered(Quota quota, long clockMillis);

    /**
     * The same after so many tokens more, above 0, were used, whether there were so many or not. Writer thread only.
     *
     * @param clockMillis not before that of the call that made this limiter
     */
    PlainLimiter spend(long clockMillis, long amount);

    /** Whether it can remember so many uses more. */
    boolean hasRoomFor(int uses);
}
