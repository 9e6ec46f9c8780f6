/**
 * Reads from this node's store, and what they have to wait for.
 *
 * <p>{@link io.dshm.server.replication.reads.LocalReads} answers a read from what is applied here. Before that,
 *
 * <ul>
 *   <li>a local read waits for writes of its key that this node has acknowledged and not yet applied itself
 *       ({@code AcknowledgedWrites} knows up to which log index, {@link io.dshm.server.replication.reads.AppliedWaits}
 *       waits for that index);
 *   <li>a linearizable read waits for a round: a leader that a majority has confirmed names its commit index, and this
 *       node applies that much ({@link io.dshm.server.replication.reads.ReadRounds});
 *   <li>a request for a whole region waits for one thread that may look at all entries
 *       ({@link io.dshm.server.replication.reads.RegionScans}).
 * </ul>
 *
 * <p>Nothing here writes, and nothing here knows how a write gets into the log. Where a read needs a write (a deadline
 * that has passed must be in the log before it is shown), the lane does it.
 */
@NullMarked
package io.dshm.server.replication.reads;

import org.jspecify.annotations.NullMarked;
