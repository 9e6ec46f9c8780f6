/**
 * What a connection between nodes is, whatever it carries: frames with a limit and messages
 * ({@link io.dshm.server.transport.PeerCodec}), who is let in ({@link io.dshm.server.transport.Greeting}), and how the end of
 * the other node is noticed ({@link io.dshm.server.transport.Heartbeat}).
 *
 * <p>Not here: who connects to whom and why (forwarding), and Raft's own messages, which still go over Bolt.
 */
@NullMarked
package io.dshm.server.transport;

import org.jspecify.annotations.NullMarked;
