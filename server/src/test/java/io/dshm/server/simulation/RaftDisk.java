package io.dshm.server.simulation;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a crash leaves of a member of the model of Raft: its term, its log, its last snapshot; a new one is empty. */
final class RaftDisk {

    /** An entry of the log, stamped at that instant of the real time; without data it is one of Raft's own. */
    @SuppressWarnings("ArrayRecordComponent") // handed over, never compared
    record Entry(long index, long term, byte @Nullable [] data, long stampedMillis) {}

    long term;

    /** Whether everything that was here before is lost, and the node has not got it back yet. */
    boolean lost;

    /** The entries after the snapshot. */
    final List<Entry> log = new ArrayList<>();

    /** The last index that is certain to survive. */
    long durable;

    Snapshots.Snapshot snapshot = Snapshots.NONE;

    /** The index before the first entry of the log, and its term. */
    long baseIndex;

    long baseTerm;

    long lastIndex() {
        return baseIndex + log.size();
    }

    long termAt(long index) {
        return index == baseIndex ? baseTerm : entry(index).term;
    }

    Entry entry(long index) {
        return log.get((int) (index - baseIndex - 1));
    }

    void cutOffFrom(long index) {
        log.subList((int) (index - baseIndex - 1), log.size()).clear();
        durable = Math.min(durable, index - 1);
    }

    void compactTo(long index) {
        if (index > baseIndex) {
            baseTerm = termAt(index);
            log.subList(0, (int) (index - baseIndex)).clear();
            baseIndex = index;
        }
    }

    /** A power cut: what was not on the disk yet may be there or not. */
    void crash(Events events) {
        long kept = durable + events.random.nextInt((int) (lastIndex() - durable) + 1);
        if (kept < lastIndex()) {
            cutOffFrom(kept + 1);
        }
        durable = lastIndex();
    }
}
