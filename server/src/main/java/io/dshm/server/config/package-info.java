/**
 * What an operator can set: {@link io.dshm.server.config.ServerOptions} names every key once, with its documentation
 * and default; {@link io.dshm.server.config.ConfigLoader} reads flags, environment and file; what comes out is one
 * immutable and validated {@link io.dshm.server.config.ServerConfig}.
 */
@NullMarked
package io.dshm.server.config;

import org.jspecify.annotations.NullMarked;
