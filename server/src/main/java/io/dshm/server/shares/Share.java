package io.dshm.server.shares;

import io.dshm.proto.Key;
import io.dshm.proto.Reply;

/**
 * Tokens that this node may spend by itself for a while. Confined to its lane's thread.
 *
 * <p>Its life is the log's, less what makes it end here before it ends there:
 *
 * <ul>
 *   <li>it begins here before it was asked for, and there when the leader stamps the request;
 *   <li>the cluster clock goes by a leader's monotonic clock, as the share does by this machine's. Both are slewed by
 *       whoever keeps the time: ntpd by 0.05 %, chrony by at most 1/12 unless it is told otherwise. If that clock runs
 *       1/12 fast and this one 1/12 slow, this one passes 11/13 of a life while the cluster's passes all of it;
 *       {@link #USED} of a life is less;
 *   <li>{@link BootTime#ERROR_MILLIS}, by which this machine may know of sleep too late.
 * </ul>
 */
public final class Share {

    /** The part of its life in which a share is used: 5/6. */
    static final long USED_OF = 5;

    static final long USED = 6;

    private static final long NANOS_PER_MILLI = 1_000_000;

    private final Key holder;
    /** Without what was given back. */
    private long granted;

    private final long limit;
    private final long elsewhere;

    /** What {@link #decision} says before and after the one number in it that changes. */
    private final String beforeRemaining;

    private final String afterRemaining;
    private final long beganNanos;
    private final long endNanos;
    private long left;

    /**
     * As it was granted.
     *
     * @param holder whom the log knows as its holder; of no other share
     * @param limit what can be taken at once of the unused limit
     * @param elsewhere what was left of it for others
     * @param resetMillis until all of it is there again, at most
     * @param beganNanos when it was asked for, by {@link BootTime}
     */
    Share(Key holder, long granted, long limit, long elsewhere, long resetMillis, long beganNanos, long lifeMillis) {
        this.holder = holder;
        this.granted = granted;
        this.limit = limit;
        this.elsewhere = elsewhere;
        this.beforeRemaining = "allowed=1 limit=" + limit + " remaining=";
        this.afterRemaining = " reset=" + resetMillis + " retry=0";
        this.beganNanos = beganNanos;
        this.endNanos = beganNanos + Math.max(0, usedNanos(lifeMillis));
        this.left = granted;
    }

    /** How long a share with that life may be used; 0 or less if not at all. */
    static long usedNanos(long lifeMillis) {
        return lifeMillis * NANOS_PER_MILLI / USED * USED_OF - BootTime.ERROR_MILLIS * NANOS_PER_MILLI;
    }

    boolean isOver(long nowNanos) {
        return nowNanos - endNanos >= 0;
    }

    /** Takes tokens to be spent; false if there are not so many. */
    boolean spend(long tokens) {
        if (tokens > left) {
            return false;
        }
        left -= tokens;
        return true;
    }

    /** Takes tokens, of which there must be so many, to be given back. */
    void takeBack(long tokens) {
        left -= tokens;
        granted -= tokens;
    }

    /** How many were spent. */
    long spent() {
        return granted - left;
    }

    /** Whom the log knows as its holder. */
    public Key holder() {
        return holder;
    }

    long granted() {
        return granted;
    }

    long limit() {
        return limit;
    }

    long left() {
        return left;
    }

    long beganNanos() {
        return beganNanos;
    }

    long endNanos() {
        return endNanos;
    }

    /**
     * What is said of tokens that were just taken out: as {@code TAKE} says it, what others have done since it was
     * granted aside.
     */
    public Reply decision(boolean shadow) {
        String words = beforeRemaining + (elsewhere + left) + afterRemaining;
        return new Reply.Detailed(null, shadow ? words + " would=1" : words);
    }

    /** Whose tokens were spent, for a test. */
    @Override
    public String toString() {
        return holder + ": " + left + " of " + granted;
    }
}
