/**
 * Commands from a follower to the leader and their outcomes back, over the transport's connections, pipelined; and
 * what nodes ask each other beside Raft. The messages are those of {@code peer.proto}.
 *
 * <p>{@link io.dshm.server.replication.forwarding.PeerListener} accepts the connections of other nodes,
 * {@link io.dshm.server.replication.forwarding.PeerConnector} opens ours. Both live on the event loops of the lanes, so
 * that a command goes from a client's connection into the link without changing threads.
 *
 * <p>Not here: what is sent again and when (the outboxes), and what is proposed (the proposers).
 */
@NullMarked
package io.dshm.server.replication.forwarding;

import org.jspecify.annotations.NullMarked;
