/** Tests of the files of snapshots and backups. */
@NullMarked
package io.dshm.proto.snapshot;

import org.jspecify.annotations.NullMarked;
