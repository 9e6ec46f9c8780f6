/**
 * The server as a whole: the only place that knows all parts, puts them together and takes them apart again.
 *
 * <p>{@link io.dshm.server.Main} reads the configuration and starts a {@link io.dshm.server.Server}, whose start and
 * stop are the order in which things happen; {@code NodeFolder} is the data folder's identity and lock;
 * {@code FirstStart} decides whether a node without data founds a cluster or comes back to one; {@code Logging} chooses
 * where the log goes.
 *
 * <p>Below, each package has one concern, and arrows between them point one way (an architecture test states which):
 * front ends decode and reply, replication brings writes into the log, the state machine applies them, the store holds
 * the result.
 */
@NullMarked
package io.dshm.server;

import org.jspecify.annotations.NullMarked;
