/**
 * Clients' connections: listeners, one handler a connection, the order of replies, and what one client may cost the
 * others.
 *
 * <p>{@link io.dshm.server.frontend.ClientListener} accepts connections, whatever is spoken there. With {@link
 * io.dshm.server.frontend.TextProtocol} that is DSHM (port 4321): {@code TextConnection} decodes commands, answers reads
 * on the spot, sends writes to its lane, and puts the replies back into the order of the requests. {@link
 * io.dshm.server.frontend.MemoryBudget} bounds what half-received and unreplicated values may hold on this node.
 *
 * <p>A connection's commands take effect in the order in which they were sent, also when they are pipelined: a read
 * waits for the writes before it, and what comes behind it waits for the read.
 */
@NullMarked
package io.dshm.server.frontend;

import org.jspecify.annotations.NullMarked;
