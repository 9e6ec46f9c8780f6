/**
 * From log entries to outcomes: the one place where a command takes effect.
 *
 * <p>{@link io.dshm.server.statemachine.StateMachine} applies the bytes of one log entry after the other, on one
 * thread, and yields an {@link io.dshm.server.statemachine.Outcome} for each command. The outcome depends on the log
 * alone: no wall clock, no random number, no configuration and no order of a hash map is read here, so that every node
 * comes to the same state, after any number of restarts and snapshots. Time is data: each entry carries the leader's
 * stamp.
 *
 * <p>What commands do to entries stands in {@code Writes} and {@code TypedWrites}, over {@code Entries}, which lets
 * several writes take effect all or none.
 *
 * <p>Around it: {@code Origins} remembers outcomes, so that a command that comes a second time is answered like the
 * first time, and {@code Clients} those of clients with an identity of their own; {@code PendingUploads} keeps the
 * pieces of large values until they are published; {@link io.dshm.server.statemachine.ClusterClock} estimates the
 * cluster's time between entries, for local reads and for a leader's stamps; {@code SnapshotWriter} and
 * {@code SnapshotReader} turn the state into files and back.
 *
 * <p>Not here: what is proposed and when (replication), and how store entries are kept (the store).
 */
@NullMarked
package io.dshm.server.statemachine;

import org.jspecify.annotations.NullMarked;
