/**
 * Clients' connections: listeners, one handler a connection, the order of replies, and what one client may cost the
 * others.
 *
 * <p>{@link io.dshm.server.frontend.ClientListener} accepts connections of any protocol; with {@link
 * io.dshm.server.frontend.TextProtocol} it is the DSHM text protocol (port 4321). For each connection
 *
 * <ul>
 *   <li>{@code ReceivedBytes} keeps what has arrived and is not decoded;
 *   <li>{@code TextConnection} decodes commands, answers reads on the spot, and sends writes to its lane;
 *   <li>{@code RequestOrder} knows what is outstanding, and puts the replies back into the order of the requests;
 *   <li>{@code ReplyOutput} encodes and sends replies, large values in pieces;
 *   <li>{@link io.dshm.server.frontend.UnreadReplies} counts what waits for the client.
 * </ul>
 *
 * <p>For each event loop, {@link io.dshm.server.frontend.ConnectionSet} disconnects clients that stall, and {@code
 * ReplyMemory} adds up what waits for all of its clients. For the node, there are two {@link
 * io.dshm.server.frontend.MemoryBudget}s: one for what is received and not yet replicated, one for replies that are not
 * yet read. {@link io.dshm.server.frontend.LoopWatch} notices an event loop that hangs.
 *
 * <p>A connection's commands take effect in the order in which they were sent, also when they are pipelined: a read
 * waits for the writes before it, and what comes behind it waits for the read.
 */
@NullMarked
package io.dshm.server.frontend;

import org.jspecify.annotations.NullMarked;
