/**
 * The transport between nodes as SOFAJRaft wants it: a client that sends Raft's requests
 * ({@link io.dshm.server.replication.jraft.rpc.MemberRpcClient}), a server that takes them
 * ({@link io.dshm.server.replication.jraft.rpc.MemberRpcServer}), and their numbers on the wire. Both choose between
 * the own transport and Bolt, for nodes of format 1.
 *
 * <p>Not here: connections, frames and bounds ({@link io.dshm.server.transport}), and what is done with a request.
 */
@NullMarked
package io.dshm.server.replication.jraft.rpc;

import org.jspecify.annotations.NullMarked;
