/**
 * What replication needs of the world around it, as interfaces and small values: the replicated log
 * ({@link io.dshm.server.replication.contracts.RaftLog}), connections to other nodes
 * ({@link io.dshm.server.replication.contracts.PeerLinks}) and questions to them
 * ({@link io.dshm.server.replication.contracts.PeerStatuses}), who leads, the clocks and random numbers
 * ({@link io.dshm.server.replication.contracts.ClockAndRandom}), and who waits for a reply.
 *
 * <p>The code for writes and reads depends on these and on nothing else, so that a test or the simulation can replace
 * Raft, the network and the clock. {@code jraft} and {@code forwarding} are the implementations that a real node uses.
 *
 * <p>Not here: classes that do work of their own.
 */
@NullMarked
package io.dshm.server.replication.contracts;

import org.jspecify.annotations.NullMarked;
