package io.dshm.server.store.limiters;

/**
 * What a holder is told that asked for a share.
 *
 * @param granted tokens for it to spend by itself; 0 if there were fewer than it wanted at least
 * @param limit what can be taken at once of a limiter that is unused
 * @param remaining what can be taken now, after this call
 * @param lifeMillis for how long the holder may spend them, counted from the moment at which it asked; 0 if it got none
 */
public record GrantedShare(long granted, long limit, long remaining, long lifeMillis) {}
