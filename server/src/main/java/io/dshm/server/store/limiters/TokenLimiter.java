package io.dshm.server.store.limiters;

/** A limiter that hands out tokens: all algorithms of TAKE. */
public sealed interface TokenLimiter extends Limiter permits PlainLimiter, Account {

    Algorithm algorithm();

    /**
     * Asks for tokens. Writer thread only.
     *
     * <p>The call's own numbers decide. If they are others than before, they are the limiter's from then on, and what
     * was used stays used; but a call without cost changes nothing.
     *
     * @param clockMillis not before that of the call that made this limiter
     * @param cost from -{@link Quota#TOKENS_MAX} to {@link Quota#TOKENS_MAX}: what is taken, or nothing if that is too
     *     much; if it is negative, what is given back, or all that is used if that is less
     */
    Taking take(Quota quota, long clockMillis, long cost);
}
