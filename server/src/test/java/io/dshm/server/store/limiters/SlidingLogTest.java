package io.dshm.server.store.limiters;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Limits;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The sliding window log. */
class SlidingLogTest {

    @Test
    void a_limiter_grants_its_capacity_and_no_more() {
        SlidingLog limiter = SlidingLog.of(3, 1000);
        assertEquals(3, limiter.remainingAt(0));
        for (int left = 2; left >= 0; left--) {
            limiter = granted(limiter, 100);
            assertEquals(left, limiter.remainingAt(100));
        }
        assertNull(limiter.grant(100, 3, 1000, 1000));
        assertNull(limiter.grant(1099, 3, 1000, 1000));
        assertEquals(0, limiter.remainingAt(1099));
    }

    @Test
    void a_grant_is_out_of_the_window_exactly_one_duration_later() {
        SlidingLog limiter = granted(SlidingLog.of(1, 1000), 100);
        assertEquals(1100, limiter.freshAtMillis());
        assertEquals(0, limiter.remainingAt(1099));
        assertEquals(1, limiter.remainingAt(1100));
        assertNull(limiter.grant(1099, 1, 1000, 1000));
        assertNotNull(limiter.grant(1100, 1, 1000, 1000));
    }

    @Test
    void the_window_slides_it_does_not_jump() {
        SlidingLog limiter = granted(granted(SlidingLog.of(2, 1000), 0), 900);
        limiter = granted(limiter, 1000);
        assertNull(limiter.grant(1899, 2, 1000, 1000), "the grants of 900 and 1000 count");
        limiter = granted(limiter, 1900);
        assertEquals(List.of(1000L, 1900L), grantsOf(limiter));
    }

    @Test
    void a_refused_call_takes_and_changes_nothing() {
        SlidingLog limiter = granted(SlidingLog.of(1, 1000), 0);
        assertNull(limiter.grant(10, 1, 5000, 5000));
        assertEquals(1000, limiter.periodMillis());
        assertEquals(List.of(0L), grantsOf(limiter));
        assertNotNull(limiter.grant(1000, 1, 1000, 1000));
    }

    @Test
    void the_call_brings_capacity_and_duration() {
        SlidingLog limiter = granted(granted(SlidingLog.of(2, 1000), 0), 0);
        SlidingLog larger = limiter.grant(0, 5, 1000, 1000);
        assertNotNull(larger);
        assertEquals(2, larger.remainingAt(0));
        assertNull(larger.grant(0, 2, 1000, 1000), "three grants are more than two");
        SlidingLog shorter = larger.grant(100, 2, 100, 100);
        assertNotNull(shorter, "those at 0 are out of a window of 100 ms");
        assertEquals(List.of(100L), grantsOf(shorter));
        assertEquals(200, shorter.freshAtMillis());
    }

    @Test
    void a_shorter_duration_takes_nothing_from_a_longer_one() {
        SlidingLog limiter = SlidingLog.of(5, 60_000);
        for (int i = 0; i < 5; i++) {
            limiter = granted(limiter, 0);
        }
        SlidingLog burst = limiter.grant(1_200, 5, 1_000, limiter.keepMillis());
        assertNotNull(burst);
        assertEquals(4, burst.remainingAt(1_200), "as that call sees it");
        assertNull(burst.grant(1_200, 5, 60_000, burst.keepMillis()));
        assertEquals(61_200, burst.freshAtMillis());
        assertEquals(Limits.LIMITER_CAPACITY_MAX, SlidingLog.GRANTS_MAX);
    }

    @Test
    void what_no_capacity_can_count_is_not_kept() {
        SlidingLog limiter = SlidingLog.of(1, 0).keepingFor(Long.MAX_VALUE);
        for (int i = 0; i < SlidingLog.GRANTS_MAX + 10; i++) {
            SlidingLog next = limiter.grant(i, 1, 0, Long.MAX_VALUE);
            assertNotNull(next);
            limiter = next;
        }
        assertEquals(SlidingLog.GRANTS_MAX, limiter.grantCount());
        assertEquals(10, limiter.grantMillis(0));
    }

    @Test
    void capacity_reduced_below_what_was_granted_leaves_no_tokens_not_a_negative_number() {
        SlidingLog limiter = SlidingLog.restore(1, 1000, 1000, new long[] {1, 2, 3});
        assertEquals(0, limiter.remainingAt(3));
    }

    @Test
    void extremes() {
        assertNull(SlidingLog.of(0, 1000).grant(5, 0, 1000, 1000), "a capacity of 0 refuses always");
        SlidingLog instant = granted(SlidingLog.of(1, 0), 5);
        assertNotNull(instant.grant(5, 1, 0, 0), "a window of 0 ms is always empty");
        SlidingLog endless = granted(SlidingLog.of(1, Long.MAX_VALUE), 5);
        assertEquals(Long.MAX_VALUE, endless.freshAtMillis());
        assertNull(endless.grant(1L << 60, 1, Long.MAX_VALUE, Long.MAX_VALUE));
        assertEquals(0, SlidingLog.of(1, 1000).freshAtMillis());
    }

    @Test
    void misuse_is_refused() {
        assertThrows(IllegalArgumentException.class, () -> SlidingLog.of(-1, 1));
        assertThrows(IllegalArgumentException.class, () -> SlidingLog.of(1, -1));
        assertThrows(IllegalArgumentException.class, () -> SlidingLog.restore(1, 1, 1, new long[] {2, 1}));
        SlidingLog limiter = granted(SlidingLog.of(2, 1000), 100);
        assertThrows(IllegalArgumentException.class, () -> limiter.grant(99, 2, 1000, 1000));
        assertThrows(IndexOutOfBoundsException.class, () -> limiter.grantMillis(1));
        assertThrows(IndexOutOfBoundsException.class, () -> limiter.grantMillis(-1));
    }

    @Test
    void two_grants_on_one_view_do_not_meet() {
        SlidingLog origin = granted(granted(granted(SlidingLog.of(10, 1000), 1), 2), 3);
        SlidingLog one = granted(origin, 10);
        SlidingLog other = granted(origin, 20);
        one = granted(one, 11);
        assertEquals(List.of(1L, 2L, 3L), grantsOf(origin));
        assertEquals(List.of(1L, 2L, 3L, 10L, 11L), grantsOf(one));
        assertEquals(List.of(1L, 2L, 3L, 20L), grantsOf(other));
    }

    @Test
    void memory_follows_need() {
        int capacity = 1000;
        SlidingLog limiter = SlidingLog.of(capacity, 1000);
        assertEquals(0, limiter.slotCount());
        limiter = granted(limiter, 0);
        assertEquals(2, limiter.slotCount());
        long clock = 0;
        for (int i = 0; i < 20 * capacity; i++) {
            clock += 1;
            limiter = granted(limiter, clock);
            assertTrue(limiter.slotCount() <= 2 * capacity);
        }
        limiter = granted(limiter, clock + 999);
        assertTrue(limiter.slotCount() <= 8, "after a burst the array shrinks: " + limiter.slotCount());
    }

    @Test
    void a_limiter_agrees_with_a_list_and_old_views_stay_as_they_were() {
        long seed = References.seed();
        try {
            Random random = new Random(seed);
            for (int round = 0; round < 300; round++) {
                compareWithList(random, round % 2 == 0);
            }
        } catch (AssertionError e) {
            throw new AssertionError("repeat with -Ddshm.seed=" + seed + ": " + e.getMessage(), e);
        }
    }

    private static void compareWithList(Random random, boolean longest) {
        int capacity = 1 + random.nextInt(40);
        long durationMillis = 1L + random.nextInt(200);
        SlidingLog limiter = SlidingLog.of(capacity, durationMillis);
        List<Long> expected = new ArrayList<>();
        List<SlidingLog> views = new ArrayList<>();
        List<List<Long>> copies = new ArrayList<>();
        long clock = random.nextInt(1000);
        for (int step = 0; step < 400; step++) {
            clock += random.nextInt(20) == 0 ? random.nextInt(300) : random.nextInt(8);
            if (random.nextInt(30) == 0) {
                capacity = random.nextInt(40);
                durationMillis = random.nextInt(200);
            }
            if (random.nextInt(50) == 0) {
                limiter = SlidingLog.restore(
                        limiter.limit(),
                        limiter.periodMillis(),
                        limiter.keepMillis(),
                        expected.stream().mapToLong(Long::longValue).toArray());
            }
            // As before the format of bounds, or as since.
            long keepMillis = longest ? Math.max(limiter.keepMillis(), durationMillis) : durationMillis;
            int inWindow = within(expected, clock, durationMillis).size();
            SlidingLog next = limiter.grant(clock, capacity, durationMillis, keepMillis);
            assertEquals(inWindow < capacity, next != null);
            if (next != null) {
                limiter = next;
                expected = within(expected, clock, keepMillis);
                expected.add(clock);
                assertEquals(durationMillis, limiter.periodMillis());
                assertEquals(capacity, limiter.limit());
                assertEquals(clock + keepMillis, limiter.freshAtMillis());
            }
            assertEquals(expected, grantsOf(limiter));
            int counting = within(expected, clock, limiter.periodMillis()).size();
            assertEquals(counting, limiter.grantCountAt(clock));
            assertEquals(Math.max(0, limiter.limit() - counting), limiter.remainingAt(clock));
            views.add(limiter);
            copies.add(List.copyOf(expected));
        }
        for (int i = 0; i < views.size(); i++) {
            assertEquals(copies.get(i), grantsOf(views.get(i)));
        }
    }

    @Test
    void many_grants_are_kept_in_several_arrays_and_old_views_stay_as_they_were() {
        int capacity = 5 * SlidingLog.CHUNK_SLOTS;
        long durationMillis = 100_000;
        Random random = new Random(7);
        SlidingLog limiter = SlidingLog.of(capacity, durationMillis);
        ArrayDeque<Long> expected = new ArrayDeque<>();
        SlidingLog middle = limiter;
        List<Long> ofMiddle = List.of();
        long clock = 0;
        for (int step = 0; step < 12 * SlidingLog.CHUNK_SLOTS; step++) {
            // Fast, then slowly, then hardly ever: it grows, stays, and shrinks again.
            clock += step < 6 * SlidingLog.CHUNK_SLOTS
                    ? random.nextInt(3)
                    : step < 11 * SlidingLog.CHUNK_SLOTS ? 20 : 500;
            long from = clock - durationMillis;
            while (!expected.isEmpty() && expected.getFirst() <= from) {
                expected.removeFirst();
            }
            SlidingLog next = limiter.grant(clock, capacity, durationMillis, durationMillis);
            assertEquals(expected.size() < capacity, next != null);
            if (next == null) {
                continue;
            }
            expected.addLast(clock);
            if (step % 1000 == 0) {
                assertNotNull(limiter.grant(clock + 1, capacity + 1, durationMillis, durationMillis), "a branch");
                assertEquals(new ArrayList<>(expected), grantsOf(next));
            }
            limiter = step % 5000 == 0
                    ? SlidingLog.restore(
                            capacity,
                            durationMillis,
                            durationMillis,
                            expected.stream().mapToLong(Long::longValue).toArray())
                    : next;
            assertTrue(limiter.slotCount() <= 4 * limiter.grantCount() + 2 * SlidingLog.CHUNK_SLOTS);
            if (step == 6 * SlidingLog.CHUNK_SLOTS) {
                middle = limiter;
                ofMiddle = grantsOf(limiter);
            }
        }
        assertEquals(ofMiddle, grantsOf(middle));
        assertTrue(limiter.slotCount() < 2 * SlidingLog.CHUNK_SLOTS, "it has shrunk to " + limiter.slotCount());
    }

    @Test
    void no_call_on_a_million_grants_copies_more_than_a_few_arrays() {
        Quota quota = new Quota(2L * SlidingLog.GRANTS_MAX, 2_000_000, 0);
        Quota last = new Quota(SlidingLog.GRANTS_MAX, 300_000, 0);
        for (int cost = 1; cost <= 2; cost++) {
            SlidingLog log = SlidingLog.of(quota.limit(), quota.periodMillis());
            long clock = 0;
            for (int i = 0; i < SlidingLog.GRANTS_MAX - 10; i++) {
                clock = i;
                log = called(log, quota, clock, cost);
            }
            for (long call : new long[] {0, 1, 2, -1, -3, -20_000, -150_000, 1, 2, -5}) {
                for (Quota each : List.of(quota, last)) {
                    // Who reads or writes a snapshot has that view still.
                    SlidingLog before = log;
                    long sum = before.remainingAt(clock);
                    log = called(log, each, clock, call);
                    int copied = log.slotsNotOf(before);
                    assertTrue(copied <= 3 * SlidingLog.CHUNK_SLOTS, call + " copies " + copied);
                    assertEquals(sum, before.remainingAt(clock));
                }
            }
        }
    }

    private static SlidingLog called(SlidingLog log, Quota quota, long clock, long cost) {
        return (SlidingLog) log.take(quota, clock, cost).after();
    }

    private static List<Long> within(List<Long> grants, long clock, long durationMillis) {
        List<Long> live = new ArrayList<>(grants);
        live.removeIf(grant -> clock - grant >= durationMillis);
        return live;
    }

    private static SlidingLog granted(SlidingLog limiter, long clockMillis) {
        @Nullable
        SlidingLog granted = limiter.grant(clockMillis, limiter.limit(), limiter.periodMillis(), limiter.keepMillis());
        assertNotNull(granted);
        return granted;
    }

    private static List<Long> grantsOf(SlidingLog limiter) {
        List<Long> grants = new ArrayList<>();
        for (int i = 0; i < limiter.grantCount(); i++) {
            grants.add(limiter.grantMillis(i));
        }
        return grants;
    }
}
