/**
 * The way of a write from the node that took it to its outcome, whichever node leads.
 *
 * <pre>
 *   on the node that took the command            on the leader
 *
 *   client -> Outbox  --- link, or directly --->  Proposer -> RaftLog.propose  (group commit)
 *   client <- Outbox  <-- outcome and index ----  Proposer <- applied
 * </pre>
 *
 * <p>An {@link io.dshm.server.replication.writes.Outbox} numbers its commands and keeps each until its outcome is known
 * or its time is up. After a change of leader it sends all of them again, in their order, under the same numbers, so
 * that each takes effect once. A {@link io.dshm.server.replication.writes.Proposer} puts what waits at the same moment,
 * from its own clients and from other nodes, into one log entry. What comes from another node arrives through a
 * {@link io.dshm.server.replication.writes.ForwardSession}, one for each connection.
 *
 * <p>{@link io.dshm.server.replication.writes.LargeValues} takes values that do not fit into one log entry to the log
 * in pieces. {@link io.dshm.server.replication.writes.Records} knows how a command looks in the log.
 *
 * <p>All of this is confined to the thread of one lane. It knows nothing of reads: what a read has to wait for is
 * decided by the lane, which knows both.
 */
@NullMarked
package io.dshm.server.replication.writes;

import org.jspecify.annotations.NullMarked;
