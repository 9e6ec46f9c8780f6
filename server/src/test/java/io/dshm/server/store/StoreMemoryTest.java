package io.dshm.server.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.server.store.limiters.Algorithm;
import io.dshm.server.store.limiters.Quota;
import io.dshm.server.store.limiters.SlidingLog;
import java.util.Random;
import java.util.function.IntFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What a store takes: as much as it says, and few objects. */
class StoreMemoryTest {

    /** A segment has about as many when there are ten million. */
    private static final int COUNT = 2_500;

    private static final long NOW = 1_800_000_000_000L;
    private static final Quota QUOTA = new Quota(100, 60_000, 10);

    /** Of {@link #keys}. */
    private static final int SEGMENT = 0;

    /** All keys in one segment. */
    private final Keys keys = Keys.FIRST_SEGMENT;

    private final Store store = new Store();
    private final Table table = store.table();
    private long version = 10_000_000;

    static Stream<Arguments> contents() {
        return Stream.of(
                what("an empty value", i -> new byte[0]),
                what("a counter", i -> Keys.bytes(Integer.toString(i))),
                what("32 bytes", i -> new byte[32]),
                what("200 bytes", i -> new byte[200]),
                what("0 to 1000 bytes", i -> new byte[i * 31 % 1000]),
                what("4 KiB", i -> new byte[4096]),
                what("a little more than 4 KiB", i -> new byte[4097]),
                what("10,000 bytes", i -> new byte[10_000]),
                what("a string of 20 bytes", i -> new Typed(new byte[20], 0)),
                what("a string of 5000 bytes", i -> new Typed(new byte[5000], 7)),
                what("few large among small", i -> new byte[i % 50 == 7 ? 4000 : 60]),
                what("a number", i -> new Typed((double) i, 0)),
                what("a truth value", i -> new Typed(true, 0)),
                what(
                        "a bucket",
                        i -> Algorithm.GCRA
                                .fresh(QUOTA, NOW)
                                .take(QUOTA, NOW, 3)
                                .after()),
                what(
                        "a window",
                        i -> Algorithm.FIXED
                                .fresh(QUOTA, NOW)
                                .take(QUOTA, NOW, 3)
                                .after()));
    }

    /** Elements and grants count for what they take at most, however they came. */
    static Stream<Arguments> collections() {
        return Stream.of(what("a list of 30", i -> new Typed(list(30), 0)), what("a log of 20", i -> log(20)));
    }

    private static Arguments what(String name, IntFunction<Object> content) {
        return Arguments.of(name, content);
    }

    private static ListValue list(int size) {
        ListValue list = ListValue.EMPTY;
        for (int i = 0; i < size; i++) {
            list = list.push(false, new byte[10]);
        }
        return list;
    }

    private static SlidingLog log(int grants) {
        long[] times = new long[grants];
        for (int i = 0; i < grants; i++) {
            times[i] = NOW + 1000L * i;
        }
        return SlidingLog.restore(100, 60_000, 60_000, times);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("contents")
    void it_takes_what_it_says(String name, IntFunction<Object> content) throws Exception {
        long empty = Footprint.of(table).bytes();
        for (int i = 0; i < COUNT; i++) {
            put(i, content, Entry.NEVER);
        }
        assertCounted(empty, "loaded: " + name);
        Random random = new Random(1);
        for (int i = 0; i < 2 * COUNT; i++) {
            put(random.nextInt(COUNT), content, NOW + i);
        }
        assertCounted(empty, "written again, with deadlines: " + name);
        for (int i = 0; i < COUNT; i++) {
            if (i % 5 != 0) {
                remove(i);
            }
        }
        long left = Footprint.of(table).bytes() - empty;
        assertTrue(left < 1.7 * store.bytes() + 1000, () -> "a fifth is left: " + left + " for " + store.bytes());
        for (int i = 0; i < COUNT; i += 5) {
            remove(i);
        }
        assertEquals(empty, Footprint.of(table).bytes());
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("contents")
    void a_segment_that_expects_its_entries_is_not_made_again_and_takes_what_they_take(
            String name, IntFunction<Object> content) throws Exception {
        store.expect((long) COUNT * Table.SEGMENTS);
        Segment expecting = table.segment(SEGMENT);
        for (int i = 0; i < COUNT; i++) {
            put(i, content, Entry.NEVER);
        }
        assertSame(expecting, table.segment(SEGMENT), name);
        // Less than others: no slots for many more.
        assertTakes(0.65, 1.2, name);
        for (int i = 0; i < COUNT; i++) {
            put(i * 7 % COUNT, content, Entry.NEVER);
            if (i % 100 == 0) {
                assertTakes(0.65, 1.2, "written again, " + i + ": " + name);
            }
        }
        for (int i = COUNT; i < 2 * COUNT; i++) {
            put(i, content, Entry.NEVER);
        }
        assertTakes(0.65, 1.2, "grown: " + name);
    }

    private void assertTakes(double min, double max, String what) throws IllegalAccessException {
        double taken = (double) Footprint.of(table.segment(SEGMENT)).bytes() / store.bytes();
        assertTrue(taken > min && taken < max, () -> what + ": " + taken + " of what is counted");
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("collections")
    void a_collection_takes_no_more_than_it_says(String name, IntFunction<Object> content) throws Exception {
        long empty = Footprint.of(table).bytes();
        for (int i = 0; i < COUNT; i++) {
            put(i, content, NOW);
        }
        long taken = Footprint.of(table).bytes() - empty;
        assertTrue(
                taken <= store.bytes() && 3 * taken > store.bytes(),
                () -> name + ": " + taken + " and " + store.bytes());
    }

    private void assertCounted(long empty, String what) throws IllegalAccessException {
        double taken = Footprint.of(table).bytes() - empty;
        assertEquals(
                1,
                taken / store.bytes(),
                0.2,
                () -> what + ": " + taken / COUNT + " bytes an entry, counted " + (double) store.bytes() / COUNT);
    }

    @Test
    void small_entries_are_no_objects() throws Exception {
        int before = Footprint.of(table).objects();
        IntFunction<Object> content = i -> new byte[32];
        for (int i = 0; i < 20_000; i++) {
            put(i, content, NOW);
        }
        int objects = Footprint.of(table).objects() - before;
        assertTrue(objects < 100, () -> objects + " objects for a segment of 20,000 entries");
    }

    @Test
    void what_was_large_and_is_replaced_is_dropped_at_once() throws Exception {
        IntFunction<Object> large = i -> new byte[100_000];
        for (int i = 0; i < 20; i++) {
            put(i, large, NOW);
            put(0, large, NOW);
        }
        put(1, large, NOW);
        remove(2);
        assertTrue(Footprint.of(table).bytes() < 20 * 100_100 + 50_000);
    }

    private void put(int number, IntFunction<Object> content, long expiresAtMillis) {
        byte[] key = key(number);
        version++;
        store.put(key, keys.hash(key), Entry.ofContent(content.apply(number), expiresAtMillis, version));
    }

    private void remove(int number) {
        byte[] key = key(number);
        assertTrue(store.remove(key, keys.hash(key)));
    }

    private static byte[] key(int number) {
        return Keys.bytes(String.format("user::%010d", number));
    }
}
