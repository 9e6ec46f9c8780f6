/**
 * How this node opens its ports, for clients and for other nodes alike, and what its connections to other nodes have in
 * common. Knows Netty and nothing of what is spoken there.
 */
@NullMarked
package io.dshm.server.network;

import org.jspecify.annotations.NullMarked;
