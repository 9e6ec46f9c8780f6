package io.dshm.server.store;

import java.util.Collection;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The regions that have a limit, found by any of their keys. A change copies them all; they are few, and seldom
 * changed.
 *
 * <p>Read by any thread, written by the store's writer.
 */
final class RegionUses {

    /** What a limit takes in memory beside its region's name. */
    private static final long LIMIT_BYTES = 320;

    /** Not changed any more once it is here. */
    private volatile SortedMap<byte[], RegionUse> byKey = new TreeMap<>(Region::compare);

    private volatile long bytes;

    /** One that is not counted to its end. */
    private volatile @Nullable RegionUse pending;

    @Nullable
    RegionUse find(byte[] key) {
        SortedMap<byte[], RegionUse> now = byKey;
        return now.isEmpty() ? null : now.get(key);
    }

    Collection<RegionUse> all() {
        return byKey.values();
    }

    long bytes() {
        return bytes;
    }

    /** One that is not counted to its end, or null. */
    @Nullable
    RegionUse pending() {
        RegionUse last = pending;
        if (last != null && last.isCounted()) {
            last = findPending();
            pending = last;
        }
        return last;
    }

    private @Nullable RegionUse findPending() {
        return byKey.values().stream()
                .filter(use -> !use.isCounted())
                .findFirst()
                .orElse(null);
    }

    void set(byte[] region, long bytesMax, boolean evicts, boolean empty) {
        RegionUse use = find(Region.keyFor(region));
        if (use == null) {
            use = new RegionUse(region, empty);
            SortedMap<byte[], RegionUse> more = new TreeMap<>(byKey);
            more.put(use.key(), use);
            become(more);
        }
        use.limit(bytesMax, evicts);
    }

    void remove(byte[] region) {
        SortedMap<byte[], RegionUse> less = new TreeMap<>(byKey);
        less.remove(Region.keyFor(region));
        become(less);
    }

    private void become(SortedMap<byte[], RegionUse> changed) {
        byKey = changed;
        bytes = changed.values().stream()
                .mapToLong(use -> LIMIT_BYTES + use.region().length)
                .sum();
        pending = findPending();
    }
}
