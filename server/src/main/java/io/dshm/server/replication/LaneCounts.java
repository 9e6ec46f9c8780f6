package io.dshm.server.replication;

import io.dshm.server.counters.Distribution;
import io.dshm.server.counters.Tally;

/**
 * What a lane has done, and what waits in it. Any thread.
 *
 * @param entryCommands how many commands went into each entry that it proposed
 * @param entryTimes from an entry's proposal until it was applied here
 * @param waiting what waited a moment ago
 */
public record LaneCounts(Distribution entryCommands, Distribution entryTimes, Waiting waiting) {

    /** What waits, as the lane's timer saw it last. Written by the lane. */
    public static final class Waiting {

        private final Tally forwarded = new Tally();
        private final Tally commands = new Tally();
        private final Tally bytes = new Tally();
        private final Tally toPropose = new Tally();

        void set(long forwardedSoFar, long nowCommands, long nowBytes, long nowToPropose) {
            forwarded.set(forwardedSoFar);
            commands.set(nowCommands);
            bytes.set(nowBytes);
            toPropose.set(nowToPropose);
        }

        /** Commands that have gone to a leader elsewhere, repeats among them. */
        public long forwarded() {
            return forwarded.get();
        }

        /** Commands that were taken here and have no outcome. */
        public long commands() {
            return commands.get();
        }

        /** Their bytes. */
        public long bytes() {
            return bytes.get();
        }

        /** Commands, other nodes' too, that this node as leader has not proposed, or that have no outcome. */
        public long toPropose() {
            return toPropose.get();
        }
    }
}
