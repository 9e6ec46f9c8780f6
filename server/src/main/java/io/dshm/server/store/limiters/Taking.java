package io.dshm.server.store.limiters;

import org.jspecify.annotations.Nullable;

/**
 * A call and what came of it.
 *
 * @param decision what to say; null if the limiter cannot remember one more grant, so that nothing was taken
 * @param after the limiter afterwards: the same object where nothing changed
 */
public record Taking(@Nullable Decision decision, TokenLimiter after) {}
