/**
 * The {@code dshm} command: what a person or a script asks a cluster for, on one line.
 *
 * <p>{@link io.dshm.client.cli.Words} is the table of all words; a word of data makes a command of the protocol from
 * its arguments and says how its reply is shown. {@link io.dshm.client.cli.Nodes} sends commands, to another node where
 * one does not answer, with an identity so that a write counts once. {@link io.dshm.client.cli.ExitCode} is what
 * scripts decide by. Nothing here knows the bytes of the protocol: those are the business of
 * {@link io.dshm.client.DshmConnection}.
 */
@NullMarked
package io.dshm.client.cli;

import org.jspecify.annotations.NullMarked;
