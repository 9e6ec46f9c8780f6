package io.dshm.server.store;

import java.util.concurrent.ConcurrentNavigableMap;
import java.util.concurrent.ConcurrentSkipListMap;
import org.jspecify.annotations.Nullable;

/**
 * Which regions were flushed, and when: an entry of a region is hidden if its version is below that of the region's
 * last flush. A mark is needed until a sweep has been through the whole table once since the flush.
 *
 * <p><b>How it works.</b> Marks are in two generations. A flush adds to the young one. When a sweep starts a cycle, the
 * young generation becomes the old one; when the cycle ends, nothing is left that the old generation hides, and it is
 * dropped. So both steps take the same time however many marks there are. They make a new object; within one object,
 * marks are only added or raised.
 *
 * <p><b>Threads.</b> One writer; any number of readers, without locks. A reader must fetch this object <em>before</em>
 * it looks into the table: if it looked for the mark last, a whole sweep might pass between, and take the mark
 * away from an entry that the reader still holds. Fetched first, either the mark is in there, or what it hid is gone
 * from the table.
 */
final class FlushMarks {

    /**
     * The last flush of a region, and the one that an open {@link View} goes by, where that is an earlier one.
     *
     * @param version of the last flush
     * @param viewedVersion of the last flush as of the view that was open when this mark was set, 0 for none
     */
    private record Mark(long version, long viewedVersion) {

        long asOf(long versionMax) {
            return version <= versionMax ? version : viewedVersion;
        }
    }

    private final ConcurrentNavigableMap<Region, Mark> young;

    private final ConcurrentNavigableMap<Region, Mark> old;

    /** What a mark takes in memory beside its region's name. */
    private static final long MARK_BYTES = 160;

    /** What the marks of each generation take, in bytes. Writer only. */
    private long youngBytes;

    private final long oldBytes;

    /** The highest version of any mark, 0 for no marks. Entries from there on need no look into the maps. */
    private volatile long versionMax;

    /** No marks. */
    FlushMarks() {
        this(new ConcurrentSkipListMap<>(Region::compare), 0, new ConcurrentSkipListMap<>(Region::compare), 0, 0);
    }

    private FlushMarks(
            ConcurrentNavigableMap<Region, Mark> young,
            long youngBytes,
            ConcurrentNavigableMap<Region, Mark> old,
            long oldBytes,
            long versionMax) {
        this.young = young;
        this.youngBytes = youngBytes;
        this.old = old;
        this.oldBytes = oldBytes;
        this.versionMax = versionMax;
    }

    /** Whether the entry on which that cursor stands is flushed. Any thread; allocates nothing. */
    boolean hide(Cursor there) {
        return mayHide(there.version()) && hide(there.region(), there.version(), Long.MAX_VALUE);
    }

    /** Whether an entry of that version may be flushed, whatever its key is. Any thread. */
    boolean mayHide(long version) {
        return version < versionMax;
    }

    /** Whether an entry of that key and version had been flushed when {@code flushVersionMax} was the last version. */
    boolean hideAsOf(byte[] key, long version, long flushVersionMax) {
        return mayHide(version) && hide(Region.of(key), version, flushVersionMax);
    }

    private boolean hide(Region region, long version, long flushVersionMax) {
        return isBelow(young.get(region), version, flushVersionMax)
                || isBelow(old.get(region), version, flushVersionMax);
    }

    private static boolean isBelow(@Nullable Mark mark, long version, long flushVersionMax) {
        return mark != null && version < mark.asOf(flushVersionMax);
    }

    boolean isEmpty() {
        return versionMax == 0;
    }

    /**
     * Adds a flush. Writer only.
     *
     * @param region its name; not kept
     * @param viewVersion the last version that an open view shows, or a negative number
     */
    void add(byte[] region, long version, long viewVersion) {
        Region flushed = Region.named(region.clone());
        Mark before = young.get(flushed);
        // First the bound, then the mark: the flush takes effect for all entries of the region at once, with the mark.
        versionMax = version;
        young.put(flushed, new Mark(version, before == null ? 0 : before.asOf(viewVersion)));
        youngBytes += before == null ? bytesOf(region.length) : 0;
    }

    /** What the mark of a region with such a name takes, in bytes. */
    static long bytesOf(int regionBytes) {
        return MARK_BYTES + regionBytes;
    }

    /** What all marks take, in bytes. Writer only. */
    long bytes() {
        return youngBytes + oldBytes;
    }

    /** The marks as a cycle of the sweep begins. */
    FlushMarks cycleStarted() {
        return isEmpty()
                ? this
                : new FlushMarks(new ConcurrentSkipListMap<>(Region::compare), 0, young, youngBytes, versionMax);
    }

    /** The marks as a cycle of the sweep ends, in which nothing is left that was flushed before it began. */
    FlushMarks cycleEnded() {
        if (isEmpty()) {
            return this;
        }
        return new FlushMarks(
                young, youngBytes, new ConcurrentSkipListMap<>(Region::compare), 0, young.isEmpty() ? 0 : versionMax);
    }
}
