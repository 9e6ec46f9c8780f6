package io.dshm.server.store;

import static io.dshm.server.store.Entries.assertSameEntry;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.dshm.server.store.limiters.SlidingLog;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a store does, one sentence a test. */
class StoreTest {

    private static final int FULL_CYCLE = Integer.MAX_VALUE;

    /** Bytes of a long key or name. */
    private static final int LONG = 60_000;

    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private final Store store = new Store();
    private Keys keys = Keys.MIXED;
    private long version;

    @Test
    void what_was_put_is_got_until_it_is_removed() {
        assertNull(get("k"));
        put("k", "one");
        assertEquals("one", get("k"));
        put("k", "two");
        assertEquals("two", get("k"));
        assertTrue(remove("k"));
        assertNull(get("k"));
        assertFalse(remove("k"));
    }

    @Test
    void a_key_is_its_bytes_not_the_array() {
        put("k", "one");
        put("K", "two");
        assertEquals("one", get("k"));
        assertEquals("two", get("K"));
        assertNull(get("k "));
    }

    @Test
    void a_value_of_no_bytes_is_a_value() {
        put("k", "");
        assertEquals("", get("k"));
    }

    @ParameterizedTest
    @EnumSource(Keys.class)
    void ten_thousand_keys_are_found_whatever_their_hashes_and_leave_nothing_behind(Keys hashes) {
        keys = hashes;
        int count = hashes == Keys.ALL_EQUAL || hashes == Keys.CLUSTERED ? 1_000 : 10_000;
        for (int i = 0; i < count; i++) {
            put("key" + i, "value" + i);
        }
        assertEquals(count, store.entryCount());
        for (int i = 0; i < count; i++) {
            assertEquals("value" + i, get("key" + i));
        }
        for (int i = 0; i < count; i += 2) {
            assertTrue(remove("key" + i));
        }
        for (int i = 0; i < count; i++) {
            assertEquals(i % 2 == 0 ? null : "value" + i, get("key" + i));
        }
        for (int i = 1; i < count; i += 2) {
            assertTrue(remove("key" + i));
        }
        assertEquals(0, store.entryCount());
        assertEquals(0, store.bytes());
    }

    @Test
    void an_expired_entry_is_returned_until_it_is_swept() {
        put("k", "v", 1000);
        put("forever", "v");
        assertTrue(store.sweepPending());
        assertEquals(0, store.sweep(999, FULL_CYCLE));
        assertEquals("v", get("k"), "the deadline is the caller's to judge");
        assertEquals(1, store.sweep(1000, FULL_CYCLE));
        assertNull(get("k"));
        assertEquals("v", get("forever"));
        assertFalse(store.sweepPending());
    }

    @Test
    void a_flush_empties_its_region_and_no_other() {
        put("a::1", "v");
        put("a:1", "v");
        put("a", "v");
        put("ab::1", "v");
        put(":a::1", "v");
        flush("a");
        assertNull(get("a::1"));
        assertNull(get("a:1"));
        assertEquals("v", get("a"), "a key without a colon is in the default region, whatever it is called");
        assertEquals("v", get("ab::1"));
        assertEquals("v", get(":a::1"), "nothing before the colon: default region");
        flush("");
        assertNull(get("a"));
        assertNull(get(":a::1"));
        assertEquals("v", get("ab::1"));
    }

    @Test
    void a_flushed_key_can_be_written_again_and_flushed_again() {
        put("a::1", "one");
        flush("a");
        put("a::1", "two");
        assertEquals("two", get("a::1"));
        assertEquals(1, store.entryCount());
        flush("a");
        assertNull(get("a::1"));
        assertFalse(remove("a::1"), "it was gone already");
        assertEquals(0, store.entryCount());
    }

    @Test
    void a_command_that_flushes_and_then_writes_keeps_what_it_wrote() {
        put("a::1", "old");
        flush("a");
        byte[] key = Keys.bytes("a::2");
        store.put(key, keys.hash(key), Entry.of(Keys.bytes("new"), Entry.NEVER, version));
        assertNull(get("a::1"));
        assertEquals("new", get("a::2"));
    }

    @Test
    void a_flush_must_have_a_version_of_its_own() {
        put("a::1", "v");
        assertThrows(IllegalArgumentException.class, () -> store.flushRegion(Keys.bytes("a"), version));
        assertEquals("v", get("a::1"));
    }

    @Test
    void flushed_entries_are_purged_by_one_cycle_and_the_mark_goes_with_them() {
        for (int i = 0; i < 1000; i++) {
            put("a::" + i, "v");
            put("b::" + i, "v");
        }
        flush("a");
        assertTrue(store.sweepPending());
        assertEquals(2000, store.entryCount());
        assertEquals(1000, store.sweep(0, FULL_CYCLE));
        assertEquals(1000, store.entryCount());
        assertFalse(store.sweepPending());
        assertNull(get("a::1"));
        assertEquals("v", get("b::1"));
    }

    @Test
    void a_region_flushed_while_a_cycle_is_under_way_waits_for_the_next_one() {
        keys = Keys.FIRST_SEGMENT;
        put("a::1", "v");
        store.sweep(0, 100);
        flush("a");
        assertEquals(0, store.sweep(0, FULL_CYCLE), "the first segment was over");
        assertTrue(store.sweepPending());
        assertNull(get("a::1"));
        assertEquals(1, store.sweep(0, FULL_CYCLE));
        assertFalse(store.sweepPending());
    }

    @Test
    void a_sweep_of_few_buckets_at_a_time_comes_through_everything() {
        for (int i = 0; i < 20_000; i++) {
            put("key" + i, "v", 10);
        }
        int purged = 0;
        int calls = 0;
        while (store.sweepPending()) {
            int now = store.sweep(10, 100);
            assertTrue(now < 500, "a call does about as much as it was told");
            purged += now;
            calls++;
        }
        assertEquals(20_000, purged);
        assertTrue(calls > 100);
    }

    @Test
    void a_call_of_the_sweep_looks_at_few_long_keys_and_copies_none() {
        int count = 500;
        for (int i = 0; i < count; i++) {
            put(longKey("kept", i), "v");
            put(longKey("flushed", i), "v");
        }
        flush("absent");
        flush("flushed");
        int calls = 0;
        long before = threads.getCurrentThreadAllocatedBytes();
        while (store.sweepPending()) {
            int purged = store.sweep(0, 1024);
            assertTrue(purged < 40, () -> "a call purged " + purged);
            calls++;
        }
        long allocated = threads.getCurrentThreadAllocatedBytes() - before;
        assertEquals(count, store.entryCount());
        // A megabyte of keys a call, and one segment's.
        assertTrue(calls > 2 * count * LONG / (2 << 20), "a cycle took " + calls + " calls");
        assertTrue(allocated < (long) count * LONG, "a cycle allocated " + allocated + " bytes");
    }

    @Test
    void a_call_counts_few_long_keys_of_a_region_that_got_a_limit() {
        int count = 500;
        for (int i = 0; i < count; i++) {
            put(longKey("r", i), "v");
        }
        store.limitRegion(Keys.bytes("r"), 1 << 30, false);
        int calls = 0;
        while (store.countPending()) {
            store.countRegions(4096);
            calls++;
        }
        assertTrue(calls > count * LONG / (8 << 20), "counted in " + calls + " calls");
        RegionUse use = store.regionUseOf(Keys.bytes("r"));
        assertNotNull(use);
        assertEquals(count, use.entries());
        assertEquals(store.bytes(), use.bytes());
    }

    private static String longKey(String region, int number) {
        return region + "::" + number + "x".repeat(LONG);
    }

    @Test
    void a_short_key_is_found_as_fast_when_regions_with_long_names_were_flushed() {
        Store other = new Store();
        byte[] key = Keys.bytes("k::1");
        for (Store each : List.of(store, other)) {
            each.put(key, keys.hash(key), Entry.of(key, Entry.NEVER, 1));
        }
        for (int i = 0; i < 10; i++) {
            store.flushRegion(Keys.bytes("x".repeat(LONG) + i), 2 + i);
            other.flushRegion(Keys.bytes("x" + i), 2 + i);
        }
        long nanosLong = Long.MAX_VALUE;
        long nanosShort = Long.MAX_VALUE;
        for (int round = 0; round < 20; round++) {
            nanosLong = Math.min(nanosLong, nanosOfFinds(store, key));
            nanosShort = Math.min(nanosShort, nanosOfFinds(other, key));
        }
        assertTrue(nanosLong < 50 * nanosShort, nanosLong + " ns, and " + nanosShort + " with short names");
    }

    private long nanosOfFinds(Store in, byte[] key) {
        Cursor cursor = new Cursor();
        long begun = System.nanoTime();
        for (int i = 0; i < 1000; i++) {
            assertTrue(in.find(key, keys.hash(key), cursor));
        }
        return System.nanoTime() - begun;
    }

    @Test
    void regions_are_told_apart_whatever_their_names_begin_with() {
        String name = "x".repeat(LONG);
        List<String> regions = List.of("", "x", name, name + "y", name.substring(1), "y");
        for (String region : regions) {
            put(region + "::1", "v");
            store.limitRegion(Keys.bytes(region), 1 << 30, false);
            put(region + "::2", "v");
        }
        for (int gone = 0; gone < regions.size(); gone++) {
            flush(regions.get(gone));
            for (int i = 0; i < regions.size(); i++) {
                String region = regions.get(i);
                assertEquals(i <= gone ? null : "v", get(region + "::1"), region);
                RegionUse use = store.regionUse(Keys.bytes(region + "::3"));
                assertNotNull(use);
                assertEquals(region, Keys.text(use.region()));
            }
        }
    }

    @Test
    void a_segment_that_shrinks_under_the_sweep_brings_no_flushed_entry_back() {
        keys = Keys.FIRST_SEGMENT;
        for (int i = 0; i < 64; i++) {
            put("a::" + i, "v");
        }
        flush("a");
        store.sweep(0, 33);
        for (int i = 0; i < 64; i++) {
            remove("a::" + i);
            store.sweep(0, 1);
            for (int j = 0; j < 64; j++) {
                assertNull(get("a::" + j));
            }
        }
    }

    @Test
    void a_segment_that_shrinks_under_the_sweep_is_still_swept_whole() {
        keys = Keys.FIRST_SEGMENT;
        for (int i = 0; i < 64; i++) {
            put("k" + i, "v");
            put("dead" + i, "v", 5);
        }
        store.sweep(4, 70);
        for (int i = 0; i < 40; i++) {
            remove("k" + i);
            remove("dead" + i);
        }
        store.sweep(5, FULL_CYCLE);
        store.sweep(5, FULL_CYCLE);
        assertEquals(24, store.entryCount());
        assertFalse(store.sweepPending());
    }

    @ParameterizedTest
    @EnumSource(Keys.class)
    void whatever_is_prefetched_nothing_changes(Keys hashes) {
        keys = hashes;
        int[] wanted = new int[100];
        for (int i = 0; i < wanted.length; i++) {
            wanted[i] = keys.hash(Keys.bytes("key" + i));
        }
        store.prefetch(wanted, wanted.length);
        assertEquals(0, store.entryCount());
        for (int i = 0; i < wanted.length; i += 2) {
            put("key" + i, "value" + i);
        }
        remove("key0");
        store.prefetch(wanted, wanted.length);
        for (int i = 0; i < wanted.length; i++) {
            assertEquals(i % 2 == 0 && i > 0 ? "value" + i : null, get("key" + i));
        }
    }

    @Test
    void counters_follow_every_change() {
        put("k", "12345678");
        assertEquals(1, store.entryCount());
        assertEquals(0, store.deadlineCount());
        assertEquals(recordBytes(1 + 8), store.bytes());
        put("k", "123456789", 1000);
        assertEquals(1, store.entryCount());
        assertEquals(1, store.deadlineCount());
        assertEquals(recordBytes(1 + 9), store.bytes());
        put("k", "");
        assertEquals(0, store.deadlineCount());
        assertEquals(recordBytes(1), store.bytes());
        remove("k");
        assertEquals(0, store.bytes());
    }

    @Test
    void a_limiter_costs_what_its_grants_cost() {
        SlidingLog limiter = granted(SlidingLog.of(10, 1000), 1, 2, 3);
        byte[] key = Keys.bytes("k");
        store.put(key, keys.hash(key), Entry.of(limiter, limiter.freshAtMillis(), 1));
        assertEquals(recordBytes(1) + 48 + 40 + 3 * 32, store.bytes());
    }

    @Test
    void an_entry_says_what_it_holds() {
        byte[] value = {1, 2};
        Entry plain = Entry.of(value, 1000, 7);
        assertFalse(plain.isLimiter());
        assertSame(value, plain.value());
        assertThrows(IllegalStateException.class, plain::limiter);
        assertTrue(plain.hasDeadline());
        assertFalse(plain.isExpiredAt(999));
        assertTrue(plain.isExpiredAt(1000));

        SlidingLog limiter = SlidingLog.of(1, 1);
        Entry limiting = Entry.of(limiter, Entry.NEVER, 7);
        assertTrue(limiting.isLimiter());
        assertSame(limiter, limiting.limiter());
        assertThrows(IllegalStateException.class, limiting::value);
        assertFalse(limiting.isExpiredAt(Long.MAX_VALUE), "never is never");

        Entry touched = plain.withExpiresAt(2000, 8);
        assertSame(value, touched.value());
        assertEquals(2000, touched.expiresAtMillis());
        assertEquals(8, touched.version());
        assertEquals(1000, plain.expiresAtMillis());
    }

    @Test
    void a_typed_entry_is_kept_for_a_minute_after_its_deadline_and_a_plain_one_is_not() {
        Entry typed = Entry.of(new Typed(1.5, 7), 1000, 1);
        assertTrue(typed.isTyped());
        assertTrue(typed.isExpiredAt(1000));
        assertFalse(typed.isGoneAt(1000 + Entry.STALE_MILLIS - 1));
        assertTrue(typed.isGoneAt(1000 + Entry.STALE_MILLIS));
        assertFalse(Entry.of(new Typed(true, 0), Entry.NEVER, 1).isGoneAt(Long.MAX_VALUE));
        assertTrue(Entry.of(new byte[0], 1000, 1).isGoneAt(1000));

        byte[] key = Keys.bytes("typed");
        store.put(key, keys.hash(key), typed);
        put("plain", "v", 1000);
        store.sweep(1000 + Entry.STALE_MILLIS - 1, Integer.MAX_VALUE);
        assertSameEntry(typed, store.get(key, keys.hash(key)), "typed");
        assertEquals(1, store.entryCount());
        assertTrue(store.sweepPending());
        store.sweep(1000 + Entry.STALE_MILLIS, Integer.MAX_VALUE);
        assertEquals(0, store.entryCount());
    }

    @Test
    void a_typed_entry_costs_a_little_more_than_a_plain_one() {
        byte[] key = Keys.bytes("k");
        assertEquals(recordBytes(1 + 5), EntryBytes.of(key, Entry.of(new byte[5], Entry.NEVER, 1)));
        assertEquals(recordBytes(1 + 5) + 2, EntryBytes.of(key, Entry.of(new Typed(new byte[5], 1), Entry.NEVER, 1)));
        assertEquals(recordBytes(1) + 2 + 8, EntryBytes.of(key, Entry.of(new Typed(5.0, 1), Entry.NEVER, 1)));
        assertEquals(recordBytes(1) + 48 + 5000, EntryBytes.of(key, Entry.of(new byte[5000], Entry.NEVER, 1)));
        assertEquals(recordBytes(1) + 48 + (1 << 20), EntryBytes.of(key, Entry.of(new byte[600_000], Entry.NEVER, 1)));
        assertEquals(
                recordBytes(1) + 48 + 2 + (2 << 20),
                EntryBytes.of(key, Entry.of(new Typed(new byte[1 << 20], 1), Entry.NEVER, 1)));
        ListValue list = ListValue.EMPTY.push(true, 5.0).push(true, new byte[3]);
        assertEquals(
                recordBytes(1) + 2 + 128 + 56 + 51, EntryBytes.of(key, Entry.of(new Typed(list, 0), Entry.NEVER, 1)));
    }

    private static long recordBytes(int keyAndValueBytes) {
        return (24L + keyAndValueBytes) * 10 / 9;
    }

    @Test
    void the_entries_of_a_region_are_those_that_were_not_flushed() {
        put("a::1", "v");
        put("a:2", "v");
        flush("a");
        put("a::3", "v");
        put("aa::4", "v");
        put("a", "v");
        List<String> found = new ArrayList<>();
        store.forEachOf(Keys.bytes("a"), there -> found.add(Keys.text(there.key())));
        assertEquals(List.of("a::3"), found);
        found.clear();
        store.forEachOf(new byte[0], there -> found.add(Keys.text(there.key())));
        assertEquals(List.of("a"), found);
    }

    private static SlidingLog granted(SlidingLog limiter, long... clocksMillis) {
        SlidingLog granted = limiter;
        for (long clockMillis : clocksMillis) {
            granted = granted.grant(clockMillis, limiter.limit(), limiter.periodMillis(), limiter.keepMillis());
            assertNotNull(granted);
        }
        return granted;
    }

    @Test
    void the_store_keeps_a_copy_of_what_is_small_and_what_is_large_itself() {
        byte[] key = Keys.bytes("k");
        byte[] value = Keys.bytes("value");
        store.put(key, keys.hash(key), Entry.of(value, Entry.NEVER, 1));
        key[0] = 'x';
        value[0] = 'x';
        assertEquals("value", get("k"));
        byte[] large = new byte[Draft.INLINE_BYTES_MAX + 1];
        store.put(key, keys.hash(key), Entry.of(large, Entry.NEVER, 2));
        Entry found = store.get(key, keys.hash(key));
        assertNotNull(found);
        assertSame(large, found.value());
    }

    @Test
    void a_read_allocates_nothing() {
        byte[] visible = Keys.bytes("a::visible");
        byte[] flushed = Keys.bytes("b::flushed");
        byte[] absent = Keys.bytes("c::absent");
        put("a::visible", "v");
        put("b::flushed", "v");
        // Marks in both generations, so that a read looks everywhere.
        flush("b");
        store.sweep(0, 1);
        flush("c");
        long before = 0;
        Cursor cursor = new Cursor();
        for (int i = 0; i < 20_000; i++) {
            if (i == 10_000) {
                before = threads.getCurrentThreadAllocatedBytes();
            }
            assertTrue(store.find(visible, keys.hash(visible), cursor));
            assertFalse(store.find(flushed, keys.hash(flushed), cursor));
            assertFalse(store.find(absent, keys.hash(absent), cursor));
        }
        long allocated = threads.getCurrentThreadAllocatedBytes() - before;
        assertTrue(allocated < 10_000, "30,000 reads allocated " + allocated + " bytes");
    }

    private void put(String key, String value) {
        put(key, value, Entry.NEVER);
    }

    private void put(String key, String value, long expiresAtMillis) {
        byte[] bytes = Keys.bytes(key);
        store.put(bytes, keys.hash(bytes), Entry.of(Keys.bytes(value), expiresAtMillis, ++version));
    }

    private @Nullable String get(String key) {
        byte[] bytes = Keys.bytes(key);
        Entry entry = store.get(bytes, keys.hash(bytes));
        return entry == null ? null : Keys.text(entry.value());
    }

    private boolean remove(String key) {
        byte[] bytes = Keys.bytes(key);
        return store.remove(bytes, keys.hash(bytes));
    }

    private void flush(String region) {
        store.flushRegion(Keys.bytes(region), ++version);
    }
}
