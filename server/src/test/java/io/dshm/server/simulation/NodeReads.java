package io.dshm.server.simulation;

import io.dshm.proto.Key;
import io.dshm.proto.Reply;
import io.dshm.server.replication.reads.LocalReads;
import io.dshm.server.statemachine.ClusterClock;
import io.dshm.server.statemachine.StateMachine;
import io.dshm.server.store.Entry;
import io.dshm.server.store.RegionUse;
import io.dshm.server.store.Store;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What must hold for the reads of one node, over all of its starts. */
final class NodeReads {

    private final String node;
    private final List<Key> keys;

    /** The last write of a key that this node has acknowledged, and the last one of a region. */
    private final Map<String, Long> acknowledged = new HashMap<>();

    private final Map<String, Long> acknowledgedFlush = new HashMap<>();

    /** The index of the write whose entry a read found expired. */
    private final Map<String, Long> seenExpired = new HashMap<>();

    private long lastReadIndex;
    private long clockMillis;
    private long estimateMillis;
    private boolean twoTimes;
    private @Nullable LocalReads reads;
    private @Nullable ClusterClock clock;

    NodeReads(String node, List<Key> keys) {
        this.node = node;
        this.keys = keys;
    }

    /** The node has started: what it knows of the time begins anew. */
    void onStart(LocalReads started, ClusterClock startedClock) {
        reads = started;
        clock = startedClock;
        clockMillis = 0;
        estimateMillis = 0;
    }

    /** The wall clock was asked for the time: what was expired by the other time does not count. */
    void onTimeByWallClock(boolean ambiguous) {
        twoTimes |= ambiguous;
        seenExpired.clear();
    }

    void onClock(long millis) {
        Checks.require(millis >= clockMillis, "the cluster clock of %s goes back to %d", node, millis);
        clockMillis = millis;
        estimate();
    }

    private long estimate() {
        long estimate = Objects.requireNonNull(clock).estimateMillis();
        Checks.require(estimate >= estimateMillis, "the estimate of %s goes back to %d", node, estimate);
        estimateMillis = estimate;
        return estimate;
    }

    void onAcknowledged(String keyOrRegion, boolean region, long index) {
        (region ? acknowledgedFlush : acknowledged).merge(keyOrRegion, index, Math::max);
    }

    /** The index of the last write of that key that this node has acknowledged: a read that begins now must not miss it. */
    long acknowledgedFor(Key key) {
        String name = key.toString();
        return Math.max(
                acknowledged.getOrDefault(name, 0L), acknowledgedFlush.getOrDefault(Reference.regionOf(name), 0L));
    }

    /** Goes by the logged time. Returns the index as of which it was answered. */
    long onLinearizableRead(Key key, long shown, Reply reply, Reference reference) {
        long index = Objects.requireNonNull(reads).appliedIndex();
        Checks.require(index >= shown, "a linearizable read of %s on %s misses what is at index %d", key, node, shown);
        Reference.Item item = reference.at(index, key.toString());
        String expected = item == null || item.isExpiredAt(clockMillis)
                ? "NOT_FOUND"
                : item.isLimiter() ? Long.toString(item.leftAt(clockMillis)) : item.value();
        String found = Checks.describe(reply);
        Checks.require(
                expected.equals(found),
                "a linearizable read of %s on %s yields %s, not %s",
                key,
                node,
                found,
                expected);
        return index;
    }

    void onRead(Key key, long own, Reply reply, Reference reference) {
        String name = key.toString();
        long index = Objects.requireNonNull(reads).appliedIndex();
        long estimate = estimate();
        Checks.require(index >= lastReadIndex, "reads on %s go back to index %d", node, index);
        lastReadIndex = index;
        Checks.require(index >= own, "a read of %s on %s misses its own write at index %d", name, node, own);
        Reference.Item item = reference.at(index, name);
        long written = reference.writtenAt(index, name);
        String expected;
        if (item == null) {
            expected = "NOT_FOUND";
        } else if (item.isExpiredAt(estimate)) {
            expected = "NOT_FOUND";
            seenExpired.put(name, written);
        } else {
            expected = item.isLimiter() ? Long.toString(item.leftAt(estimate)) : item.value();
            Checks.require(
                    twoTimes || seenExpired.getOrDefault(name, 0L) != written, "%s is alive again on %s", name, node);
        }
        String found = Checks.describe(reply);
        Checks.require(expected.equals(found), "a read of %s on %s yields %s, not %s", name, node, found, expected);
    }

    /** All that the store holds, at the index and the time of the last entry applied. */
    void checkContents(StateMachine stateMachine, Reference reference) {
        checkLimits(stateMachine, reference);
        long index = stateMachine.appliedIndex();
        long time = stateMachine.clockMillis();
        for (Key key : keys) {
            Entry entry = stateMachine.store().get(key.bytes(), key.hash());
            Reference.Item item = reference.at(index, key.toString());
            String expected = item == null || item.isExpiredAt(time) ? "nothing" : describe(item, time);
            String found = entry == null || entry.isExpiredAt(time) ? "nothing" : describe(entry, time);
            Checks.require(
                    expected.equals(found),
                    "%s holds %s under %s, not %s, at index %d",
                    node,
                    found,
                    key,
                    expected,
                    index);
        }
    }

    /** The limits of regions, and what is known of how much is in them. */
    private void checkLimits(StateMachine stateMachine, Reference reference) {
        Store store = stateMachine.store();
        Map<String, Reference.RegionLimit> found = new HashMap<>();
        for (RegionUse use : store.regionUses()) {
            String region = Operation.text(use.region());
            found.put(region, new Reference.RegionLimit(use.bytesMax(), use.evicts()));
            long[] bytes = {0};
            store.forEachOf(use.region(), there -> bytes[0] += there.bytes());
            // What was flushed is hidden, and counts until it is purged.
            boolean exact = use.isCounted() && store.markBytes() == 0;
            Checks.require(
                    exact ? use.bytes() == bytes[0] : !use.isCounted() || use.bytes() >= bytes[0],
                    "%s counts %d bytes in the region %s, which has %d",
                    node,
                    use.bytes(),
                    region,
                    bytes[0]);
        }
        Map<String, Reference.RegionLimit> expected = reference.limitsAt(stateMachine.appliedIndex());
        Checks.require(expected.equals(found), "%s has the limits %s, not %s", node, found, expected);
    }

    private static String describe(Reference.Item item, long time) {
        String content = item.isLimiter() ? "limiter, " + item.leftAt(time) + " left" : item.value();
        return content + " until " + item.deadline();
    }

    private static String describe(Entry entry, long time) {
        String content = entry.isLimiter()
                ? "limiter, " + entry.limiter().remainingAt(time) + " left"
                : Operation.text(entry.value());
        return content + " until " + (entry.hasDeadline() ? entry.expiresAtMillis() : 0);
    }
}
