/**
 * The Sharedance protocol (port 1042), which PHP programs keep their sessions with: one command a connection, on the
 * same store as every other client's. The protocol itself is described in {@code proto/README.md}.
 *
 * <p>{@link io.dshm.server.frontend.sharedance.SharedanceProtocol} equips a connection; {@code SharedanceDecoder} makes
 * its one command of the bytes that arrive, in pieces of any size; {@code SharedanceConnection} has the command carried
 * out and replies; {@code EntryKeys} says under which key of the store an entry lies.
 *
 * <p>The protocol has no words for errors: a connection that ends without a reply says that it did not work. What it
 * leaves open, our own clients are told by the way in which it ends: see {@code SharedanceConnection}.
 */
@NullMarked
package io.dshm.server.frontend.sharedance;

import org.jspecify.annotations.NullMarked;
