package io.dshm.server.store;

import java.util.Collection;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The data of one node: entries by key, the keys of all regions in one table.
 *
 * <p><b>Threads.</b> One writer, the thread that applies the log: it alone calls the methods that are marked so. All
 * other methods are for any thread, without locks, and see all that the writer did before they began.
 *
 * <p><b>Versions.</b> Every command that writes has a version, higher than those of all commands before it, and gives
 * it to the entries that it writes. Versions are positive. They say what a flush hides and what belongs to a
 * {@link View}.
 *
 * <p><b>Time.</b> The store has no clock. It keeps deadlines and leaves it to the caller whether an entry counts; only
 * {@link #sweep} takes those away that are {@linkplain Entry#isGoneAt gone}.
 */
public final class Store {

    /**
     * Where an entry's key is looked at, each so many bytes of it count as a slot more. Keys that are shorter, as
     * nearly all are, count for nothing.
     */
    private static final int KEY_BYTES_A_SLOT = 1024;

    private final Table table = new Table();

    private volatile FlushMarks marks = new FlushMarks();

    /** The view that is open. Set by the writer, cleared by whoever closes it. */
    private volatile @Nullable View openView;

    private final AtomicLong entryCount = new AtomicLong();
    private final AtomicLong deadlineCount = new AtomicLong();
    private final AtomicLong bytes = new AtomicLong();
    private final AtomicLong purgedCount = new AtomicLong();

    private final RegionUses uses = new RegionUses();

    /** The highest version of anything written or flushed so far. Writer only. */
    private long versionMax;

    /** What the writer puts into the table, and what it finds there. Writer only. */
    private final Draft draft = new Draft();

    private final Cursor found = new Cursor();

    /** What {@link #prefetch} has read. Nobody looks at it, but without it the compiler may leave the reading out. */
    @SuppressWarnings("UnusedVariable")
    private int prefetched;

    /** Where the sweep goes on: all segments before this one have been swept in this cycle. Writer only. */
    private int sweepSegment;

    /**
     * Slots that the sweep was to look at and has not, since they are fewer than the next segment has. Negative if long
     * keys made the last segment count for more than was due. Writer only.
     */
    private long sweepSlotsDue;

    /** Whether a cycle has begun and not ended. Writer only. */
    private boolean sweepUnderWay;

    /**
     * The current entry of a key, or null. Any thread; never waits.
     *
     * <p>An entry that is expired is returned until it is purged: the caller looks at its deadline. An entry whose
     * region was flushed since is not.
     *
     * @param hash of the key, the same in all calls for it, with all bits well mixed
     */
    public @Nullable Entry get(byte[] key, int hash) {
        Cursor cursor = new Cursor();
        return find(key, hash, cursor) ? cursor.entry() : null;
    }

    /**
     * Moves a cursor to what {@link #get} returns, and says whether there is one. Any thread; never waits, allocates
     * nothing.
     */
    public boolean find(byte[] key, int hash, Cursor cursor) {
        // The marks before the table, never after: see FlushMarks.
        FlushMarks marks = this.marks;
        Segment segment = table.segment(Table.numberOf(hash));
        int slot = segment.find(key, hash);
        return slot >= 0 && segment.read(slot, cursor) && !marks.hide(cursor);
    }

    /**
     * Brings what {@link #put} looks at for some keys from memory to the processor. A state of millions of entries is
     * in no cache, and nearly all of a put is waiting for one place in memory that says where the next one is. Here
     * the processor waits for those of several keys at the same time. Changes nothing. Writer only.
     *
     * @param hashes of the keys
     * @param count how many; all of it should fit into a cache: some hundred
     */
    public void prefetch(int[] hashes, int count) {
        int sum = 0;
        for (int i = 0; i < count; i++) {
            sum += table.segment(Table.numberOf(hashes[i])).prefetch(hashes[i]);
        }
        prefetched = sum;
    }

    /**
     * Prepares an empty store for so many entries, so that they are not copied again and again while it grows. The
     * memory that this takes at once is six bytes for each of them. Writer only.
     */
    public void expect(long entries) {
        table.expect(entries);
    }

    /**
     * Sets the entry of a key. Writer only.
     *
     * @param key not kept
     * @param entry with the version of the command that writes it; while a snapshot is loaded, in any order. What it
     *     holds is kept where it is large: nobody may change it afterwards
     * @throws IllegalArgumentException if a view is open that this version would belong to
     */
    public void put(byte[] key, int hash, Entry entry) {
        advanceTo(entry.version());
        Segment segment = table.segment(Table.numberOf(hash));
        int slot = segment.find(key, hash);
        RegionUse use = uses.findOf(key);
        if (slot >= 0) {
            segment.read(slot, found);
            preserve(found);
            count(use, hash, -1, found.bytes(), found.hasDeadline());
            found.leave();
        }
        draft.become(key, hash, entry);
        table.put(key, hash, slot, draft);
        draft.leave();
        count(use, hash, 1, EntryBytes.of(key, entry), entry.hasDeadline());
    }

    /**
     * Removes the entry of a key. Writer only.
     *
     * @return whether {@link #get} would have returned one, expired or not
     */
    public boolean remove(byte[] key, int hash) {
        int number = Table.numberOf(hash);
        Segment segment = table.segment(number);
        int slot = segment.find(key, hash);
        if (slot < 0) {
            return false;
        }
        segment.read(slot, found);
        boolean visible = !marks.hide(found);
        remove(number, slot, found);
        table.shrinkIfSparse(number);
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
     * Purges entries that are {@linkplain Entry#isGoneAt gone} or flushed, going on where the last call ended. Writer
     * only.
     *
     * <p>It comes through the whole table in cycles, segment by segment. A call stops at the end of a cycle, even if it
     * has slots left to look at. Long keys count as more slots, each {@value #KEY_BYTES_A_SLOT} bytes as one, which is
     * known when their segment has been swept. So a call may exceed {@code slotsMax} by one segment, and the next calls
     * do as much less.
     *
     * @param clockMillis the cluster clock
     * @param slotsMax slots to look at, by this call or, where they are not enough for a segment, by a later one; there
     *     are one to three for every entry
     * @return entries purged
     */
    public int sweep(long clockMillis, int slotsMax) {
        sweepSlotsDue += slotsMax;
        int purged = 0;
        while (true) {
            int slots = table.segment(sweepSegment).slots();
            if (slots > sweepSlotsDue) {
                return purged;
            }
            sweepSlotsDue -= slots;
            if (!sweepUnderWay) {
                sweepUnderWay = true;
                marks = marks.cycleStarted();
            }
            purged += purge(sweepSegment, clockMillis);
            sweepSegment++;
            if (sweepSegment == Table.SEGMENTS) {
                sweepSegment = 0;
                sweepSlotsDue = Math.min(sweepSlotsDue, 0);
                sweepUnderWay = false;
                marks = marks.cycleEnded();
                return purged;
            }
        }
    }

    private int purge(int number, long clockMillis) {
        Segment segment = table.segment(number);
        FlushMarks marks = this.marks;
        int purged = 0;
        for (int slot = 0; slot < segment.slots(); slot++) {
            if (!segment.read(slot, found)) {
                continue;
            }
            boolean gone = found.isGoneAt(clockMillis);
            if (gone || marks.mayHide(found.version())) {
                sweepSlotsDue -= found.keyLength() / KEY_BYTES_A_SLOT;
            }
            if (gone || marks.hide(found)) {
                remove(number, slot, found);
                purged++;
            }
        }
        found.leave();
        if (purged > 0) {
            add(purgedCount, purged);
            table.shrinkIfSparse(number);
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

    /** For tests that measure it. */
    Table table() {
        return table;
    }

    /** Entries that are not purged, whether expired, flushed or neither. Any thread. */
    public long entryCount() {
        return entryCount.getAcquire();
    }

    /** Entries with a deadline that are not purged. Any thread. */
    public long deadlineCount() {
        return deadlineCount.getAcquire();
    }

    /** The sum of {@link EntryBytes#of} over the entries that are not purged. Any thread. */
    public long bytes() {
        return bytes.getAcquire();
    }

    /** Entries purged so far, expired or flushed. Any thread. */
    public long purgedCount() {
        return purgedCount.getAcquire();
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
     * @param bytesMax what its entries may take, by {@link EntryBytes#of}; 0 for no limit
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
        return uses.find(Region.named(region));
    }

    /** The region of that key, if it has a limit. Any thread. */
    public @Nullable RegionUse regionUse(byte[] key) {
        return uses.findOf(key);
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

    /**
     * Counts some more of what was in a region before it got a limit: some segments with so many entries at least, or
     * with fewer of long keys. Writer only.
     */
    public void countRegions(int entriesMin) {
        RegionUse use = uses.pending();
        for (int seen = 0; use != null && seen < entriesMin; seen++) {
            Segment segment = table.segment(use.nextSegment());
            long entries = 0;
            long bytesThere = 0;
            for (int slot = 0; slot < segment.slots(); slot++) {
                if (segment.read(slot, found)) {
                    seen += 1 + found.keyLength() / KEY_BYTES_A_SLOT;
                    if (found.isInRegion(use.region())) {
                        entries++;
                        bytesThere += found.bytes();
                    }
                }
            }
            found.leave();
            use.segmentCounted(entries, bytesThere);
            use = use.isCounted() ? uses.pending() : use;
        }
    }

    /**
     * Whether a sweep has or may get something to do: flushed entries may be left, or there are deadlines. Any thread.
     */
    public boolean sweepPending() {
        return !marks.isEmpty() || deadlineCount() > 0;
    }

    /**
     * Visits the entries of a region that are not purged and not flushed, in no particular order. Any thread; it takes
     * as long as a look at every entry of the store takes. Of what is written meanwhile it may see the old or the new.
     *
     * @param region its name, empty for the default region
     */
    public void forEachOf(byte[] region, Consumer<Cursor> consumer) {
        for (int number = 0; number < Table.SEGMENTS; number++) {
            forEachIn(number, cursor -> {
                if (cursor.isInRegion(region)) {
                    consumer.accept(cursor);
                }
            });
        }
    }

    /**
     * The same of all regions, and of one segment of {@link #segments}: a part of the store that is about as large as
     * each other one.
     */
    public void forEachIn(int number, Consumer<Cursor> consumer) {
        // The marks before the table, never after: see FlushMarks.
        FlushMarks marks = this.marks;
        Segment segment = table.segment(number);
        Cursor cursor = new Cursor();
        for (int slot = 0; slot < segment.slots(); slot++) {
            if (segment.read(slot, cursor) && !marks.hide(cursor)) {
                consumer.accept(cursor);
            }
        }
    }

    /** How many segments there are: numbers from 0 on. */
    public static int segments() {
        return Table.SEGMENTS;
    }

    /**
     * A hash of everything about an entry, the same in every process. The sum over a store's visible entries is the
     * digest of the store, whatever their order.
     *
     * @param clockMillis the instant of the cluster clock for which stores are compared: a limiter's grants that are
     *     out of the window by then do not matter
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

    /** Removes the entry of a slot, on which that cursor stands. */
    private void remove(int number, int slot, Cursor there) {
        preserve(there);
        // The counters first: the cursor's content is dropped with the entry.
        count(uses.findOf(there), there.hash(), -1, there.bytes(), there.hasDeadline());
        table.remove(number, slot);
        there.leave();
    }

    private void preserve(Cursor there) {
        View view = openView;
        if (view != null) {
            view.preserve(there);
        }
    }

    /**
     * Takes an entry into the counters, or, with -1, out of them.
     *
     * @param use that of its region, if it has a limit
     */
    private void count(@Nullable RegionUse use, int hash, int sign, long entryBytes, boolean hasDeadline) {
        add(entryCount, sign);
        add(deadlineCount, hasDeadline ? sign : 0);
        add(bytes, sign * entryBytes);
        if (use != null) {
            use.count(Table.numberOf(hash), sign, sign * entryBytes);
        }
    }

    /** For a counter that one thread writes: no need for an atomic addition. */
    static void add(AtomicLong counter, long change) {
        counter.setRelease(counter.getPlain() + change);
    }
}
