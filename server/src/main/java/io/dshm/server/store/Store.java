package io.dshm.server.store;

import io.dshm.server.store.limiters.SlidingLog;
import java.util.Collection;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The data of one node: entries by key, the keys of all regions in one table.
 *
 * <p><b>Threads.</b> One writer, the thread that applies the log: it alone calls the methods that are marked so. All
 * other methods are for any thread, without locks, and see all that the writer did before they began.
 *
 * <p><b>Versions.</b> Every command that writes has a version, higher than those of all commands before it, and gives it
 * to the entries that it writes. Versions are positive. They say what a flush hides and what belongs to a {@link View}.
 *
 * <p><b>Time.</b> The store has no clock. It keeps deadlines and leaves it to the caller whether an entry counts; only
 * {@link #sweep} takes those away that are {@linkplain Entry#isGoneAt gone}.
 */
public final class Store {

    /**
     * What an entry costs beside its key and content: node, entry, two array headers and its share of the table, as
     * measured on a 64-bit JVM with compressed pointers. Part of the formula of {@link #bytesOf}, so all nodes of
     * a cluster must have the same figure here.
     */
    private static final long ENTRY_BYTES = 104;

    /** What a typed value costs beside the array or the like that it holds. */
    private static final long TYPED_BYTES = 24;

    /** What a boxed number costs beyond the header of a value's array, which it has not. */
    private static final long NUMBER_BYTES = 8;

    /**
     * Arrays from this length on take whole regions of the heap: of G1's smallest, which are these. On heaps of 4 GiB and more
     * regions are larger, and such a value may take more than is counted; there the limit leaves more room.
     */
    private static final long REGION_BYTES = 1 << 20;

    private static final int ARRAY_HEADER_BYTES = 16;

    /** What a list costs beside its elements. */
    private static final long LIST_BYTES = 80;

    private final Table table = new Table();

    private volatile FlushMarks marks = new FlushMarks();

    /** The view that is open. Set by the writer, cleared by whoever closes it. */
    private volatile @Nullable View openView;

    private final AtomicLong entryCount = new AtomicLong();
    private final AtomicLong deadlineCount = new AtomicLong();
    private final AtomicLong bytes = new AtomicLong();

    private final RegionUses uses = new RegionUses();

    /** The highest version of anything written or flushed so far. Writer only. */
    private long versionMax;

    /** Where the sweep goes on: all buckets before this one have been swept in this cycle. Writer only. */
    private int sweepSegment;

    private int sweepBucket;

    /** Whether a cycle has begun and not ended. The place alone does not tell: it can be set back to the beginning. */
    private boolean sweepUnderWay;

    /**
     * The current entry of a key, or null. Any thread; never waits, allocates nothing.
     *
     * <p>An entry that is expired is returned until it is purged: the caller looks at its deadline. An entry whose region
     * was flushed since is not.
     *
     * @param hash of the key, the same in all calls for it, with all bits well mixed
     */
    public @Nullable Entry get(byte[] key, int hash) {
        // The marks before the table, never after: see FlushMarks.
        FlushMarks marks = this.marks;
        Node node = table.find(key, hash);
        if (node == null) {
            return null;
        }
        Entry entry = node.entry;
        return marks.hide(key, entry.version()) ? null : entry;
    }

    /**
     * Sets the entry of a key. Writer only.
     *
     * @param key not copied: nobody may change it afterwards
     * @param entry with the version of the command that writes it; while a snapshot is loaded, in any order
     * @throws IllegalArgumentException if a view is open that this version would belong to
     */
    public void put(byte[] key, int hash, Entry entry) {
        advanceTo(entry.version());
        Node node = table.find(key, hash);
        if (node == null) {
            table.link(key, hash, entry);
        } else {
            preserve(node);
            count(key, hash, node.entry, -1);
            node.entry = entry;
        }
        count(key, hash, entry, 1);
    }

    /**
     * Removes the entry of a key. Writer only.
     *
     * @return whether {@link #get} would have returned one, expired or not
     */
    public boolean remove(byte[] key, int hash) {
        Node node = table.find(key, hash);
        if (node == null) {
            return false;
        }
        boolean visible = !marks.hide(key, node.entry.version());
        unlink(node);
        int segment = Table.segmentOf(hash);
        if (table.shrinkIfSparse(segment) && segment == sweepSegment) {
            // Buckets not yet swept were merged into others that have been: the sweep does the segment again.
            sweepBucket = 0;
        }
        return visible;
    }

    /**
     * Hides all entries of a region with a version below that one, at once and for good; they are purged by the sweep
     * little by little. Takes the same time however many there are. Writer only.
     *
     * @param region the region's name, empty for the default region; not kept
     * @param version of the command that flushes; entries that it writes itself afterwards are not hidden
     * @throws IllegalArgumentException if something was written or flushed with this version or a later one
     */
    public void flushRegion(byte[] region, long version) {
        if (version <= versionMax) {
            throw new IllegalArgumentException("flush with version " + version + " after " + versionMax);
        }
        advanceTo(version);
        View view = openView;
        marks.add(region, version, view == null ? -1 : view.version());
    }

    /**
     * Purges entries that are {@linkplain Entry#isGoneAt gone} or flushed, going on where the last call ended. Writer only.
     *
     * <p>It comes through the whole table in cycles, each of as many buckets as there are entries, roughly. A call stops at
     * the end of a cycle, even if it has buckets left to do.
     *
     * @param clockMillis the cluster clock
     * @param bucketsMax buckets to look at in this call; each has one entry on average
     * @return entries purged
     */
    public int sweep(long clockMillis, int bucketsMax) {
        int purged = 0;
        for (int i = 0; i < bucketsMax; i++) {
            if (!sweepUnderWay) {
                sweepUnderWay = true;
                marks = marks.cycleStarted();
            }
            Node[] buckets = table.buckets(sweepSegment);
            purged += purge(buckets, sweepBucket, clockMillis);
            sweepBucket++;
            if (sweepBucket < buckets.length) {
                continue;
            }
            table.shrinkIfSparse(sweepSegment);
            sweepBucket = 0;
            sweepSegment++;
            if (sweepSegment == Table.SEGMENTS) {
                sweepSegment = 0;
                sweepUnderWay = false;
                marks = marks.cycleEnded();
                break;
            }
        }
        return purged;
    }

    private int purge(Node[] buckets, int bucket, long clockMillis) {
        FlushMarks marks = this.marks;
        int purged = 0;
        for (Node node = Table.first(buckets, bucket); node != null; node = node.next) {
            Entry entry = node.entry;
            if (entry.isGoneAt(clockMillis) || marks.hide(node.key, entry.version())) {
                unlink(node);
                purged++;
            }
        }
        return purged;
    }

    /**
     * Opens a view of all entries as they are now. Writer only, between two commands. One view may be open at a time.
     *
     * @throws IllegalStateException if one is open
     */
    public View view() {
        if (openView != null) {
            throw new IllegalStateException("a view is open");
        }
        View view = new View(table, marks, versionMax, () -> openView = null);
        openView = view;
        return view;
    }

    /** Entries that are not purged, whether expired, flushed or neither. Any thread. */
    public long entryCount() {
        return entryCount.getAcquire();
    }

    /** Entries with a deadline that are not purged. Any thread. */
    public long deadlineCount() {
        return deadlineCount.getAcquire();
    }

    /** The sum of {@link #bytesOf} over the entries that are not purged. Any thread. */
    public long bytes() {
        return bytes.getAcquire();
    }

    /** What the marks of flushes take, in bytes. Writer only. */
    public long markBytes() {
        return marks.bytes();
    }

    /**
     * Limits a region, or takes its limit away. What the region takes is counted from now on; what it holds already is
     * added by {@link #countRegions}, little by little. Writer only.
     *
     * @param region its name, empty for the default region; not kept
     * @param bytesMax what its entries may take, by {@link #bytesOf}; 0 for no limit
     * @param evicts what a full region does, unless a command says it: makes room, or refuses
     */
    public void limitRegion(byte[] region, long bytesMax, boolean evicts) {
        if (bytesMax == 0) {
            uses.remove(region);
        } else {
            uses.set(region, bytesMax, evicts, entryCount() == 0);
        }
    }

    /** The limit of a region, or null if it has none. Any thread. */
    public @Nullable RegionUse regionUseOf(byte[] region) {
        return uses.find(Region.keyFor(region));
    }

    /** The region of that key, if it has a limit. Any thread; allocates nothing. */
    public @Nullable RegionUse regionUse(byte[] key) {
        return uses.find(key);
    }

    /** All regions with a limit, in the order of their names. Any thread. */
    public Collection<RegionUse> regionUses() {
        return uses.all();
    }

    /** What the limits of regions take, in bytes. Any thread. */
    public long regionUseBytes() {
        return uses.bytes();
    }

    /** Whether {@link #countRegions} has something to do. Any thread. */
    public boolean countPending() {
        return uses.pending() != null;
    }

    /** Counts some more of what was in a region before it got a limit. Writer only. */
    public void countRegions(int nodesMax) {
        RegionUse use = uses.pending();
        for (int nodes = 0; use != null && nodes < nodesMax; nodes++) {
            Node[] buckets = table.buckets(use.nextSegment());
            long entries = 0;
            long found = 0;
            for (int bucket = 0; bucket < buckets.length; bucket++) {
                for (Node node = Table.first(buckets, bucket); node != null; node = node.next) {
                    nodes++;
                    if (use.holds(node.key)) {
                        entries++;
                        found += bytesOf(node.key, node.entry);
                    }
                }
            }
            use.segmentCounted(entries, found);
            use = use.isCounted() ? uses.pending() : use;
        }
    }

    /** Whether a sweep has or may get something to do: flushed entries may be left, or there are deadlines. Any thread. */
    public boolean sweepPending() {
        return !marks.isEmpty() || deadlineCount() > 0;
    }

    /**
     * Visits the entries of a region that are not purged and not flushed, in no particular order. Any thread; it takes as
     * long as a look at every entry of the store takes. Of what is written meanwhile it may see the old or the new.
     *
     * @param region its name, empty for the default region
     */
    public void forEachOf(byte[] region, BiConsumer<byte[], Entry> consumer) {
        byte[] regionKey = Region.keyFor(region);
        for (int segment = 0; segment < Table.SEGMENTS; segment++) {
            // The marks before the table, never after: see FlushMarks.
            FlushMarks marks = this.marks;
            Node[] buckets = table.buckets(segment);
            for (int bucket = 0; bucket < buckets.length; bucket++) {
                for (Node node = Table.first(buckets, bucket); node != null; node = node.next) {
                    Entry entry = node.entry;
                    if (Region.compare(node.key, regionKey) == 0 && !marks.hide(node.key, entry.version())) {
                        consumer.accept(node.key, entry);
                    }
                }
            }
        }
    }

    /**
     * What an entry counts for in {@link #bytes}: the bytes of its key and value, each rounded up to eight (a value of half a
     * MiB or more to whole MiB), and 104 for what is around them. For a typed value there are 24 more, for a number 8 beyond, for a list 80 more and what its elements
     * {@linkplain ListValue#bytes take}; for a limiter what {@linkplain io.dshm.server.store.limiters.Limiter#bytes it takes}. It is what the entry takes in
     * memory, within some percent, but depends on the entry alone, so that it is the same on every node.
     */
    public static long bytesOf(byte[] key, Entry entry) {
        return ENTRY_BYTES + roundedUp(key.length) + contentBytes(entry);
    }

    /** The same of an entry with a plain value, by the lengths of both. */
    public static long plainBytes(int keyBytes, int valueBytes) {
        return ENTRY_BYTES + roundedUp(keyBytes) + valueBytes(valueBytes);
    }

    /** The same of an entry with a string. */
    public static long stringBytes(int keyBytes, int valueBytes) {
        return plainBytes(keyBytes, valueBytes) + TYPED_BYTES;
    }

    /** The same of an entry with a number or a truth value, at most. */
    public static long numberBytes(int keyBytes) {
        return stringBytes(keyBytes, 0) + NUMBER_BYTES;
    }

    /** The same of an entry with a list of one element, a string of that length or a number. */
    public static long listBytes(int keyBytes, int elementBytes) {
        return stringBytes(keyBytes, 0) + LIST_BYTES + elementBytes(elementBytes);
    }

    /** What one more element of a list counts for; its length is 0 for a number. */
    public static long elementBytes(int elementBytes) {
        return ListValue.bytesOf(elementBytes);
    }

    /** The same as {@link #bytesOf} of an entry with a limiter that has granted once. */
    public static long limiterBytes(int keyBytes) {
        return limiterBytes(keyBytes, SlidingLog.bytesOfOne(false));
    }

    /** The same of an entry with a limiter that takes so many bytes. */
    public static long limiterBytes(int keyBytes, long bytes) {
        return plainBytes(keyBytes, 0) + bytes;
    }

    /** What one more grant of a limiter counts for. */
    public static long grantBytes() {
        return SlidingLog.GRANT_BYTES;
    }

    /** What the mark of a flush counts for in {@link #markBytes}. */
    public static long markBytes(int regionBytes) {
        return FlushMarks.bytesOf(regionBytes);
    }

    private static long contentBytes(Entry entry) {
        if (entry.isLimiter()) {
            return entry.limiter().bytes();
        }
        if (!entry.isTyped()) {
            return valueBytes(entry.value().length);
        }
        Object value = entry.typed().value();
        if (value instanceof ListValue list) {
            return TYPED_BYTES + LIST_BYTES + list.bytes();
        }
        if (value instanceof byte[] string) {
            return TYPED_BYTES + valueBytes(string.length);
        }
        return TYPED_BYTES + (value instanceof Double ? NUMBER_BYTES : 0);
    }

    private static long valueBytes(int length) {
        return length + ARRAY_HEADER_BYTES < REGION_BYTES / 2
                ? roundedUp(length)
                : (length + ARRAY_HEADER_BYTES + REGION_BYTES - 1) / REGION_BYTES * REGION_BYTES;
    }

    private static long roundedUp(long length) {
        return (length + 7) & -8;
    }

    /**
     * A hash of everything about an entry, the same in every process. The sum over a store's visible entries is the digest
     * of the store, whatever their order.
     *
     * @param clockMillis the instant of the cluster clock for which stores are compared: a limiter's grants that are out
     *     of the window by then do not matter
     */
    public static long digestOf(byte[] key, Entry entry, long clockMillis) {
        return Digest.of(key, entry, clockMillis);
    }

    private void advanceTo(long version) {
        View view = openView;
        if (view != null && version <= view.version()) {
            throw new IllegalArgumentException("version " + version + " belongs to the open view of " + view.version());
        }
        versionMax = Math.max(versionMax, version);
    }

    private void unlink(Node node) {
        preserve(node);
        table.unlink(node);
        count(node.key, node.hash, node.entry, -1);
    }

    private void preserve(Node node) {
        View view = openView;
        if (view != null) {
            view.preserve(node);
        }
    }

    /** Takes an entry into the counters, or, with -1, out of them. */
    private void count(byte[] key, int hash, Entry entry, int sign) {
        long entryBytes = sign * bytesOf(key, entry);
        add(entryCount, sign);
        add(deadlineCount, entry.hasDeadline() ? sign : 0);
        add(bytes, entryBytes);
        RegionUse use = uses.find(key);
        if (use != null) {
            use.count(Table.segmentOf(hash), sign, entryBytes);
        }
    }

    /** For a counter that one thread writes: no need for an atomic addition. */
    static void add(AtomicLong counter, long change) {
        counter.setRelease(counter.getPlain() + change);
    }
}
