/**
 * The files of snapshots and backups, so that a tool reads them without a server: the frames of a snapshot, and the
 * compressed, checksummed file that a backup puts around them.
 */
@NullMarked
package io.dshm.proto.snapshot;

import org.jspecify.annotations.NullMarked;
