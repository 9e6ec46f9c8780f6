/**
 * TLS: the files with certificates and keys, what is made of them, and the handlers that come first on a connection.
 *
 * <ul>
 *   <li>{@link io.dshm.server.security.TlsFiles}, {@link io.dshm.server.security.TlsMaterial}: what is on the disk,
 *       read and checked.
 *   <li>{@link io.dshm.server.security.TlsContext}: what new connections use, replaced when the files change.
 *   <li>{@link io.dshm.server.security.TlsPort}: the connections that a port accepts; {@link
 *       io.dshm.server.security.TlsDialing}: those that this node makes.
 *   <li>{@link io.dshm.server.security.MemberCertificates}: which member a certificate is for.
 * </ul>
 *
 * <p>Not here: who may do what once connected.
 */
@NullMarked
package io.dshm.server.security;

import org.jspecify.annotations.NullMarked;
