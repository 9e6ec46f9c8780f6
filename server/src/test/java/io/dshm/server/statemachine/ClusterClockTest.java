package io.dshm.server.statemachine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ClusterClockTest {

    private long monotonicMillis = 50_000;
    private final ClusterClock clock = new ClusterClock(() -> TimeUnit.MILLISECONDS.toNanos(monotonicMillis));

    @Test
    void it_stands_at_zero_before_the_first_stamp() {
        assertEquals(0, clock.estimateMillis());
    }

    @Test
    void between_stamps_it_runs_with_the_monotonic_clock() {
        clock.observe(1_000_000);
        monotonicMillis += 1234;
        assertEquals(1_001_234, clock.estimateMillis());
    }

    @Test
    void the_least_delayed_stamp_counts() {
        clock.observe(1_000_000);
        monotonicMillis += 100;
        clock.observe(1_000_040); // 60 ms late
        assertEquals(1_000_100, clock.estimateMillis());
        monotonicMillis += 100;
        clock.observe(1_000_230); // the first one was 30 ms late, too
        assertEquals(1_000_230, clock.estimateMillis());
    }

    @Test
    void it_never_goes_back_not_even_when_an_old_difference_is_given_up() {
        clock.observe(1_000_000);
        long last = 0;
        long leader = 1_000_000;
        for (int i = 0; i < 10_000; i++) {
            monotonicMillis += 100;
            leader += i % 10 == 0 ? 99 : 100; // this machine's clock is 1 per mille fast
            clock.observe(leader);
            long now = clock.estimateMillis();
            assertTrue(now >= last, "went back from " + last + " to " + now);
            assertTrue(now >= leader, "is behind the log");
            last = now;
        }
        assertTrue(last - leader < 700, "ran ahead of the leader by " + (last - leader) + " ms");
    }

    @Test
    void a_minute_of_bad_links_is_survived() {
        clock.observe(1_000_000);
        for (int i = 0; i < 60; i++) {
            monotonicMillis += 1_000;
            clock.observe(1_000_000 + 1_000 * i - 2_000); // all of them three seconds late
        }
        assertEquals(1_060_000, clock.estimateMillis());
    }

    @Test
    void a_leader_does_not_learn_from_its_own_late_stamps() {
        clock.observe(1_000_000);
        clock.setLeading(true);
        for (int i = 0; i < 10_000; i++) {
            long stamp = clock.estimateMillis();
            monotonicMillis += 5; // until the stamp comes back, committed
            clock.observe(stamp);
        }
        assertEquals(1_050_000, clock.estimateMillis());
    }

    @Test
    void a_node_that_was_told_the_time_is_anchored() {
        clock.observe(1_000_000);
        assertFalse(clock.isAnchored());
        clock.hear(1_900_000, true);
        assertTrue(clock.isAnchored());
        assertEquals(1_900_000, clock.estimateMillis());
    }

    @Test
    void a_node_that_is_not_anchored_itself_still_knows_how_late_it_is_at_least() {
        clock.observe(1_000_000);
        clock.hear(1_000_500, false);
        assertEquals(1_000_500, clock.estimateMillis());
        assertFalse(clock.isAnchored());
    }

    @Test
    void what_a_leader_found_by_a_wall_clock_counts_for_everybody_once_it_is_committed() {
        clock.observe(1_000_000);
        clock.found(2_000_000);
        clock.setLeading(true);
        monotonicMillis += 10;
        assertEquals(2_000_010, clock.stampMillis());
        assertEquals(1_000_010, clock.estimateMillis());
        assertFalse(clock.isAnchored());
        monotonicMillis += 300; // until the stamp comes back, committed
        clock.observe(2_000_010);
        assertEquals(2_000_310, clock.estimateMillis());
        assertTrue(clock.isAnchored());
    }

    @Test
    void what_a_leader_found_by_a_wall_clock_is_gone_with_its_leadership_if_nothing_was_committed() {
        clock.observe(1_000_000);
        clock.found(2_000_000);
        clock.setLeading(true);
        clock.setLeading(false);
        assertEquals(1_000_000, clock.stampMillis());
        assertFalse(clock.isAnchored());
    }
}
