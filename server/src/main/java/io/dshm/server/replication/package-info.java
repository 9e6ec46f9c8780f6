/**
 * The way of a write from the node that took it to its reply, whichever node leads.
 *
 * <p>A node works in {@link io.dshm.server.replication.Lane lanes}, one for each event loop; a client's connection, the
 * commands that came through it and the links to other nodes that carry them belong to one lane, and hardly anything
 * ever crosses over to another thread. In a lane there are two halves:
 *
 * <pre>
 *   on the node that took the command            on the leader
 *
 *   client -> Outbox  --- link, or directly --->  Proposer -> RaftLog.propose  (group commit)
 *   client <- Outbox  <-- outcome and index ----  Proposer <- applied
 * </pre>
 *
 * <p>An {@code Outbox} numbers its commands and keeps each until its outcome is known or its time is up; after a change
 * of leader it sends all of them again, in their order, under the same numbers, so that each takes effect once. A
 * {@code Proposer} puts what waits at the same moment, from its own clients and from other nodes, into one log entry.
 *
 * <p>{@link io.dshm.server.replication.LocalReads} answers reads from this node's store, and makes them wait only for
 * writes that this node has acknowledged and not yet applied itself.
 *
 * <p>{@code Regions} looks through all entries for those of one region, on a thread of its own.
 *
 * <p>Nothing here knows SOFAJRaft or Netty: {@link io.dshm.server.replication.RaftLog} and
 * {@link io.dshm.server.replication.PeerLinks} say what is needed of them.
 */
@NullMarked
package io.dshm.server.replication;

import org.jspecify.annotations.NullMarked;
