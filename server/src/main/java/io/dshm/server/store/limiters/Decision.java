package io.dshm.server.store.limiters;

/**
 * What a limiter says to one call.
 *
 * @param allowed whether the cost was taken; always, where there was none
 * @param limit what can be taken at once of a limiter that is unused
 * @param remaining what can be taken now, after this call; 0 or more
 * @param resetMillis until all of it is there again, if nothing more is taken; 0 if it is
 * @param retryMillis until this cost would be admitted, if nothing more is taken; 0 if it was, {@link #NEVER} if never
 * @param delayMillis how long who was admitted is to wait, 0 or more, or {@link #NO_DELAY} of all algorithms but one
 */
public record Decision(
        boolean allowed, long limit, long remaining, long resetMillis, long retryMillis, long delayMillis) {

    public static final long NEVER = -1;
    public static final long NO_DELAY = -1;

    /** The same standing, and what was decided of a call that took nothing. */
    public Decision saying(boolean allowed, long retryMillis) {
        return new Decision(allowed, limit, remaining, resetMillis, retryMillis, delayMillis);
    }

    /** To all calls of a limit of 0. */
    static Decision ofNothing(long cost) {
        boolean allowed = cost <= 0;
        return new Decision(allowed, 0, 0, 0, allowed ? 0 : NEVER, NO_DELAY);
    }
}
