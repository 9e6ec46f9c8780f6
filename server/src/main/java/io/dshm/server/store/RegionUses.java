package io.dshm.server.store;

import java.util.Collection;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The regions that have a limit, in the order of their names. A change copies them all; they are few, and seldom
 * changed.
 *
 * <p>Read by any thread, written by the store's writer.
 */
final class RegionUses {

    /** What a limit takes in memory beside its region's name. */
    private static final long LIMIT_BYTES = 320;

    /** Not changed any more once it is here. */
    private volatile SortedMap<Region, RegionUse> byRegion = new TreeMap<>(Region::compare);

    private volatile long bytes;

    /** One that is not counted to its end. */
    private volatile @Nullable RegionUse pending;

    /** That of a region, if it has a limit. */
    @Nullable
    RegionUse find(Region region) {
        return byRegion.get(region);
    }

    /** That of a key's region. Looks at the key, and allocates, only if there are limits. */
    @Nullable
    RegionUse findOf(byte[] key) {
        return byRegion.isEmpty() ? null : find(Region.of(key));
    }

    /** The same of the key on which that cursor stands. */
    @Nullable
    RegionUse findOf(Cursor there) {
        return byRegion.isEmpty() ? null : find(there.region());
    }

    Collection<RegionUse> all() {
        return byRegion.values();
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
        return byRegion.values().stream()
                .filter(use -> !use.isCounted())
                .findFirst()
                .orElse(null);
    }

    void set(byte[] region, long bytesMax, boolean evicts, boolean empty) {
        RegionUse use = find(Region.named(region));
        if (use == null) {
            use = new RegionUse(region, empty);
            SortedMap<Region, RegionUse> more = new TreeMap<>(byRegion);
            more.put(Region.named(use.region()), use);
            become(more);
        }
        use.limit(bytesMax, evicts);
    }

    void remove(byte[] region) {
        SortedMap<Region, RegionUse> less = new TreeMap<>(byRegion);
        less.remove(Region.named(region));
        become(less);
    }

    private void become(SortedMap<Region, RegionUse> changed) {
        byRegion = changed;
        bytes = changed.values().stream()
                .mapToLong(use -> LIMIT_BYTES + use.region().length)
                .sum();
        pending = findPending();
    }
}
