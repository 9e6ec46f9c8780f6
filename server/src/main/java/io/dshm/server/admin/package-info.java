/**
 * For operators, over HTTP: whether a node is well, and what it is doing. Sees the rest of the server through
 * {@link io.dshm.server.admin.NodeInfo} only.
 */
@NullMarked
package io.dshm.server.admin;

import org.jspecify.annotations.NullMarked;
