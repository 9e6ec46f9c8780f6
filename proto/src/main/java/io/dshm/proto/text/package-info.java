/**
 * The DSHM text protocol, both ways: bytes to commands and replies to bytes for a server, commands to bytes and bytes
 * to replies for a client. The protocol itself is described in {@code proto/README.md}; what it means byte for byte
 * stands in {@code proto/conversations}, which the tests of this package and those of the server both replay.
 *
 * <h2>Decoding</h2>
 *
 * <p>A decoder belongs to one connection and to the thread that reads it. It is handed what has arrived, in pieces of
 * any size, and returns one request (or reply) at a time, null when it needs more bytes. Its state is one enum with one
 * method a state:
 *
 * <pre>{@code
 *          +--------- a command without data, a refusal ---------+
 *          v                                                      |
 *   ---> LINE ---- SET k 0 n ----> VALUE ---- all n bytes ------->+
 *        |  |                        |                            |
 *        |  |                      busy                           |
 *        |  |                        v                            |
 *        |  +-- one refused ----> SWALLOW --- all n bytes ------->+
 *        |
 *        +-- QUIT, a line without end, data whose length is not known --> CLOSED
 * }</pre>
 *
 * <p>Three things hold in every state, whatever a peer sends:
 *
 * <ul>
 *   <li><b>Memory is bounded.</b> An unfinished line stays in the caller's buffer, up to
 *       {@link io.dshm.proto.Limits#LINE_BYTES_MAX}; one of a verb that takes long keys up to
 *       {@link io.dshm.proto.Limits#LONG_LINE_BYTES_MAX}, as far as the budget allows. A value is taken out of that
 *       buffer as it arrives, into an array that from {@link io.dshm.proto.Limits#VALUE_BUDGET_STEP_BYTES} on grows
 *       with what has arrived, not with what was announced, and only as far as the node's
 *       {@link io.dshm.proto.text.ValueBudget} allows.
 *   <li><b>Data is never run as commands.</b> Where a command with data is refused, its data is skipped; where its
 *       length cannot be told, the connection ends.
 *   <li><b>Bytes never raise an exception in a server.</b> What is not a command is a {@link io.dshm.proto.Rejection},
 *       a request like any other, so that its error takes its place among the replies.
 * </ul>
 *
 * <h2>Speed</h2>
 *
 * <p>A line is searched for its end once, however it is cut, then copied in one go into an array that the decoder
 * keeps, and read there: verbs are compared and numbers summed up byte by byte. No string is made on the way from bytes
 * to a command, nor on the way from a reply to bytes.
 */
@NullMarked
package io.dshm.proto.text;

import org.jspecify.annotations.NullMarked;
