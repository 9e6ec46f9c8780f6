/**
 * How this node opens its ports, for clients and for other nodes alike, where the other nodes are
 * ({@link io.dshm.server.network.MemberAddresses}), and what its connections to them have in common. Knows Netty, and
 * none of the protocols.
 */
@NullMarked
package io.dshm.server.network;

import org.jspecify.annotations.NullMarked;
