package io.dshm.server.store.limiters;

/**
 * What somebody is told who asked for a permit.
 *
 * @param allowed whether it has one
 * @param limit how many may have one
 * @param remaining how many more could have one now
 * @param retryMillis until one is free, if nobody gives one back or renews it; 0 if it got one, {@link Decision#NEVER}
 *     if never
 * @param fence above all that were given before for this key; 0 if it got none
 */
public record Permit(boolean allowed, long limit, long remaining, long retryMillis, long fence) {}
