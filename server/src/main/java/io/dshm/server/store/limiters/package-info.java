/**
 * What decides limits: one class for each algorithm. Like the rest of the store it has no clock, no thread and no I/O:
 * the caller brings the instant, in milliseconds of the cluster clock, and gets a decision and the limiter as it is
 * afterwards.
 *
 * <p>All arithmetic is in integers, with products of 128 bits where 64 are too few
 * ({@link io.dshm.server.store.limiters.Wide}): so nothing is rounded but where a sentence says so, and always against
 * who asks.
 *
 * <p>Invariants: a limiter never changes, so that a reader or a snapshot may keep it. Its state is what was used, and
 * the numbers (limit, period, burst) of the call that made it: other numbers on the same key keep what was used. A
 * limiter that is as good as new is none: its key expires at
 * {@link io.dshm.server.store.limiters.Limiter#freshAtMillis}.
 */
@NullMarked
package io.dshm.server.store.limiters;

import org.jspecify.annotations.NullMarked;
