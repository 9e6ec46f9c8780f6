/**
 * The Java client: {@link io.dshm.client.DshmConnection} is one connection to one node, used by one thread at a time.
 *
 * <p>It says what the protocol says, no more: it neither pools connections nor sends a command again. What may be sent
 * again, and what became of a command, is told by the kind of exception: a
 * {@link io.dshm.client.CommandFailedException} is the server's answer, and the connection goes on; any other
 * {@code IOException} ends the connection, and what was not answered on it has an unknown outcome.
 */
@NullMarked
package io.dshm.client;

import org.jspecify.annotations.NullMarked;
