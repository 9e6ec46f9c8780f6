/**
 * What a connection between nodes is, whatever it carries: frames with a limit and messages
 * ({@link io.dshm.server.transport.PeerCodec}), who is let in ({@link io.dshm.server.transport.Greeting}), and how the
 * end of the other node is noticed ({@link io.dshm.server.transport.Heartbeat}). And calls, requests that get one
 * answer each: the side that asks is a {@link io.dshm.server.transport.MemberLink}, the one that answers a
 * {@link io.dshm.server.transport.CallServer}.
 *
 * <p>Not here: who connects to whom and why, and the messages that calls consist of (those of Raft).
 */
@NullMarked
package io.dshm.server.transport;

import org.jspecify.annotations.NullMarked;
