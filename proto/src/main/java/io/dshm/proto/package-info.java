/**
 * What all parts agree on: commands and replies, error codes, limits, and (generated from the {@code .proto} files) the
 * messages of the replicated log, of the traffic between nodes and of the snapshot.
 *
 * <p>Here belongs what a client, a server and a log have in common. Nothing here does I/O, reads a clock or keeps
 * state.
 */
@NullMarked
package io.dshm.proto;

import org.jspecify.annotations.NullMarked;
