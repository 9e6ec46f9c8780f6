/**
 * A log on the disk: entries with consecutive indexes, appended at the end, cut off at both ends, on the disk when a
 * call returns. It knows the JDK only; what stores Raft's entries in it is {@code jraft.SegmentLogStorage}.
 *
 * <p>{@link io.dshm.server.replication.log.SegmentedLog} is the log, and says at its head why no entry is lost and none
 * comes back. {@link io.dshm.server.replication.log.SegmentFormat} is the bytes of its files, {@code Recovery} reads
 * them at the start, {@code Runs} knows where each entry is, and {@link io.dshm.server.replication.log.LogFolder} is
 * all that the log needs of a file system, so that a test can take the power away.
 */
@NullMarked
package io.dshm.server.replication.log;

import org.jspecify.annotations.NullMarked;
