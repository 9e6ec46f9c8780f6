/**
 * The replication of a node, assembled: takes a command and brings it to its reply, whichever node leads.
 *
 * <p>A node works in {@link io.dshm.server.replication.Lane lanes}, one for each event loop. A client's connection, the
 * commands that came through it and the links to other nodes that carry them belong to one lane, and hardly anything
 * ever crosses over to another thread. What all lanes have in common (this node's registration in the log, large
 * values, the time that a leader logs) is in the {@link io.dshm.server.replication.Replicator};
 * {@link io.dshm.server.replication.Roles} tells it who leads.
 *
 * <p>The rooms, each with its own description:
 *
 * <ul>
 *   <li>{@link io.dshm.server.replication.contracts}: what is needed of Raft, of other nodes and of the clock
 *   <li>{@link io.dshm.server.replication.writes}: the way of a write to the log and of its outcome back
 *   <li>{@link io.dshm.server.replication.reads}: reads from this node's store, and what they wait for
 *   <li>{@code forwarding} and {@code jraft}: the contracts fulfilled, with Netty and SOFAJRaft
 * </ul>
 *
 * <p>Writes and reads do not know each other. The lane knows both, and so decides what a read after a write waits for.
 * Nothing here knows SOFAJRaft or Netty.
 */
@NullMarked
package io.dshm.server.replication;

import org.jspecify.annotations.NullMarked;
