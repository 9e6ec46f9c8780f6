/**
 * Workarounds for what SOFAJRaft does wrongly or too slowly. Each class can be deleted when the library does that
 * right. {@code server/README.md} lists what happens without each of them.
 *
 * <p>{@link io.dshm.server.replication.jraft.repairs.VoteGuard}: a node without its data does not vote.
 * {@link io.dshm.server.replication.jraft.repairs.AppendRequests}: entries may begin before what this node has kept of
 * the log; with {@link io.dshm.server.replication.jraft.repairs.Difference}: they may not differ from what is applied.
 * {@link io.dshm.server.replication.jraft.repairs.LeaderReminder}: a leader that has forgotten this node is told.
 * {@link io.dshm.server.replication.jraft.repairs.SnapshotPace}: a snapshot waits while the last one is being copied.
 * {@link io.dshm.server.replication.jraft.repairs.CheckedCopies}: a copied snapshot replaces the last one when it is
 * whole and on the disk.
 * {@link io.dshm.server.replication.jraft.repairs.LastEntryLogStorage}: a large last entry is not read back from the
 * disk for every heartbeat.
 *
 * <p>Not here: settings, and what the adapter needs whatever the library does. Nothing here knows the adapter.
 */
@NullMarked
package io.dshm.server.replication.jraft.repairs;

import org.jspecify.annotations.NullMarked;
