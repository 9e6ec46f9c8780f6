/**
 * How this node opens its ports, for clients and for other nodes alike. Knows Netty and nothing of what is spoken there.
 */
@NullMarked
package io.dshm.server.network;

import org.jspecify.annotations.NullMarked;
