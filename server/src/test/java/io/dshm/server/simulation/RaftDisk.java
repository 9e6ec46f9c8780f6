package io.dshm.server.simulation;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What a crash leaves of a member of the model of Raft: its term, its log, its last snapshot; a new one is empty. */
final class RaftDisk {

    /** An entry of the log, stamped at that instant of the real time; without data it is one of Raft's own, maybe with who votes from there on. */
    @SuppressWarnings("ArrayRecordComponent") // handed over, never compared
    record Entry(
            long index,
            long term,
            byte @Nullable [] data,
            long stampedMillis,
            @Nullable RaftConfig config) {}

    long term;

    /** Whether everything that was here before is lost, and the node has not got it back yet. */
    boolean lost;

    /** The entries after the snapshot. */
    private final List<Entry> log = new ArrayList<>();

    /** Who votes from which index on: one of the snapshot or before, and those in the log. */
    private final TreeMap<Long, RaftConfig> configs = new TreeMap<>();

    /** The last index that is certain to survive. */
    long durable;

    Snapshots.Snapshot snapshot = Snapshots.NONE;

    /** The index before the first entry of the log, and its term. */
    long baseIndex;

    long baseTerm;

    /** An empty one, of a member of that group. */
    RaftDisk(RaftConfig initial) {
        configs.put(0L, initial);
    }

    /** The newest configuration in the log, committed or not. */
    RaftConfig config() {
        return configs.lastEntry().getValue();
    }

    /** The index of the entry that brought it. */
    long configIndex() {
        return configs.lastKey();
    }

    /** The one that counts at that index. */
    RaftConfig configAt(long index) {
        return configs.floorEntry(index).getValue();
    }

    void append(Entry entry) {
        log.add(entry);
        if (entry.config() != null) {
            configs.put(entry.index(), entry.config());
        }
    }

    /** The entries after that index. */
    List<Entry> after(long index) {
        return List.copyOf(log.subList((int) (index - baseIndex), log.size()));
    }

    /** Nothing but a snapshot. */
    void replace(Snapshots.Snapshot by) {
        log.clear();
        configs.clear();
        configs.put(by.index(), by.config());
        baseIndex = by.index();
        baseTerm = by.term();
    }

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
        configs.tailMap(index, true).clear();
        durable = Math.min(durable, index - 1);
    }

    void compactTo(long index) {
        if (index > baseIndex) {
            baseTerm = termAt(index);
            log.subList(0, (int) (index - baseIndex)).clear();
            baseIndex = index;
            configs.headMap(configs.floorKey(index), false).clear();
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
