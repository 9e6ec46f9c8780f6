/**
 * The Java client. {@link io.dshm.client.DshmClient} is a client of a whole cluster, for any number of threads;
 * {@link io.dshm.client.DshmConnection} is one blocking connection to one node, for tools that ask a certain node or
 * live for a second.
 *
 * <p>The parts of the first one, from the caller to the socket: {@code Call} is a future and all that is known about a
 * call; {@code Core} takes calls, sends them, and tries them again; {@code Identities} numbers writes; a {@code Node}
 * has some {@code Link}s, each a connection. All but the first steps of a call happens on one event loop, without a
 * lock.
 */
@NullMarked
package io.dshm.client;

import org.jspecify.annotations.NullMarked;
