package io.dshm.server.statemachine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.wire.RegisterNode;
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
    void it_never_goes_back_and_is_not_ahead_of_a_leader_whose_clock_is_slower() {
        clock.observe(1_000_000);
        long last = 0;
        long leader = 1_000_000;
        for (int i = 0; i < 10_000; i++) {
            monotonicMillis += 120;
            leader += 102; // 1/12 slow, and this machine's clock is 1/12 fast
            clock.observe(leader);
            long now = clock.estimateMillis();
            assertTrue(now >= last, "went back from " + last + " to " + now);
            assertEquals(leader, clock.answer().certainMillis());
            last = now;
        }
        assertTrue(last - leader <= 20, "ran ahead of the leader by " + (last - leader) + " ms");
    }

    @Test
    void whoever_leads_next_is_not_ahead_of_a_slower_leader_before_it() {
        clock.observe(1_000_000);
        clock.observe(1_000_000); // by a bad link
        monotonicMillis += 13_000;
        clock.lead(3, true);
        assertEquals(1_011_000, clock.stampMillis());
        monotonicMillis += 100;
        assertEquals(1_011_100, clock.stampMillis());
    }

    /** A torture has found it: the leader of term 40 loses its power at once, and leads again after ten seconds. */
    @Test
    void an_old_entry_does_not_set_the_clock_back_to_when_it_was_stamped() {
        clock.ofTerm(39);
        clock.observe(1_000_000);
        // Of a node that has run on, and has heard nothing of the leader of term 40.
        clock.hear(1_010_000, 39, true);
        monotonicMillis += 130;
        clock.ofTerm(40);
        clock.observe(1_002_000);
        clock.lead(41, true);
        assertEquals(1_010_110, clock.stampMillis());
    }

    /** The same for who has followed somebody since it started, and was cut off while the leader of term 40 led. */
    @Test
    void nor_does_one_of_a_leader_between_the_last_one_that_was_followed_and_this_node() {
        clock.follow(39);
        clock.ofTerm(39);
        clock.observe(1_000_000);
        clock.endFollowing();
        monotonicMillis += 13_000;
        clock.ofTerm(40);
        clock.observe(1_000_100);
        clock.lead(41, true);
        assertEquals(1_011_000, clock.stampMillis());
    }

    @Test
    void while_nothing_waits_for_the_time_the_next_leader_goes_on_from_its_estimate() {
        clock.observe(1_000_000);
        monotonicMillis += 3_600_000;
        clock.lead(3, false);
        assertEquals(4_600_000, clock.stampMillis());
    }

    @Test
    void a_new_leader_s_first_stamp_counts_although_the_one_before_was_further() {
        clock.observe(1_000_000);
        monotonicMillis += 500;
        clock.observe(1_000_200); // of the one before
        clock.follow(2);
        clock.ofTerm(2);
        clock.observe(1_000_300);
        assertEquals(1_000_500, clock.estimateMillis(), "what was seen stays");
        clock.lead(3, true);
        assertEquals(1_000_300, clock.stampMillis());
    }

    @Test
    void a_leader_that_was_replaced_goes_by_the_next_one() {
        clock.observe(1_000_000);
        clock.lead(3, true);
        monotonicMillis += 60_000;
        clock.endLeading();
        clock.follow(4);
        clock.ofTerm(4);
        clock.observe(1_050_000);
        clock.lead(5, true);
        assertEquals(1_050_000, clock.stampMillis());
        assertEquals(1_060_000, clock.estimateMillis());
    }

    @Test
    void a_leader_s_answer_counts_before_its_first_stamp_and_an_old_stamp_does_not() {
        clock.observe(1_000_000);
        clock.hear(1_900_000, 2, true);
        clock.ofTerm(1);
        clock.observe(1_000_100); // the log is applied from its start
        assertEquals(1_900_000, clock.answer().certainMillis());
        clock.ofTerm(2);
        clock.observe(1_000_200); // stamped at once, and applied late
        assertEquals(1_900_000, clock.answer().certainMillis());
    }

    @Test
    void an_answer_given_before_that_node_made_stamps_is_ahead_of_them_and_does_not_count_any_more() {
        ClusterClock next = new ClusterClock(() -> TimeUnit.MILLISECONDS.toNanos(monotonicMillis));
        next.ofTerm(1);
        next.observe(1_000_000);
        monotonicMillis += 13_000;
        ClusterClock.Answer before = next.answer(); // elected, and not all is applied yet
        assertEquals(new ClusterClock.Answer(1_011_000, 1_013_000, 1, false), before);
        next.follow(2);
        next.ofTerm(2);
        next.observe(1_001_000); // of a leader that was slow and is gone
        next.lead(3, true);
        assertEquals(new ClusterClock.Answer(1_001_000, 1_001_000, 3, false), next.answer());

        clock.hear(before.certainMillis(), before.term(), true);
        clock.hear(1_001_100, 3, true);
        monotonicMillis += 13_000;
        clock.lead(4, true);
        assertEquals(1_012_100, clock.stampMillis());
    }

    @Test
    void whose_leader_comes_back_in_the_same_term_knows_its_time_still() {
        clock.hear(1_010_000, 2, true);
        clock.ofTerm(2);
        clock.observe(1_001_000); // stamped long ago, and applied now
        clock.lead(3, true);
        assertEquals(1_010_000, clock.stampMillis());
    }

    @Test
    void an_answer_of_an_earlier_leader_does_not_count_but_for_a_node_that_has_just_started() {
        clock.ofTerm(2);
        clock.observe(1_000_000);
        clock.hear(1_020_000, 1, true);
        assertEquals(new ClusterClock.Answer(1_020_000, 1_020_000, 1, true), clock.answer());
        clock.hear(1_015_000, 2, true); // better late
        assertEquals(new ClusterClock.Answer(1_015_000, 1_015_000, 2, true), clock.answer());
        clock.hear(1_020_000, 1, true);
        assertEquals(1_015_000, clock.answer().certainMillis());
    }

    @Test
    void a_stamp_that_waited_for_the_next_leader_counts_from_when_the_one_that_made_it_was_lost() {
        clock.hear(1_000_000, 1, true);
        clock.follow(2);
        monotonicMillis += 500;
        clock.endFollowing();
        monotonicMillis += 13_000;
        clock.ofTerm(2);
        clock.observe(1_000_100);
        assertEquals(1_011_100, clock.answer().certainMillis());
    }

    /** That leader has died, and nobody has noticed, or nobody leads. */
    @Test
    void a_stamp_that_waited_for_the_next_leader_counts_from_when_it_came() {
        clock.hear(1_000_000, 1, true);
        clock.follow(2);
        clock.came(2);
        monotonicMillis += 6_500;
        clock.endFollowing();
        monotonicMillis += 6_500;
        clock.follow(3);
        clock.came(3);
        clock.ofTerm(2);
        clock.observe(1_000_100);
        assertEquals(1_011_100, clock.answer().certainMillis());
    }

    /** Sent by the next leader. */
    @Test
    void a_stamp_that_came_after_its_leader_was_lost_counts_from_when_that_one_was_lost() {
        clock.hear(1_000_000, 1, true);
        clock.follow(2);
        clock.endFollowing();
        monotonicMillis += 13_000;
        clock.follow(3);
        clock.came(2);
        clock.ofTerm(2);
        clock.observe(1_000_100);
        assertEquals(1_011_100, clock.answer().certainMillis());
    }

    @Test
    void a_stamp_of_a_leader_that_was_not_followed_counts_from_when_the_next_one_was_followed() {
        clock.hear(1_000_000, 2, true);
        clock.follow(2);
        clock.endFollowing();
        monotonicMillis += 5_000;
        clock.follow(4);
        monotonicMillis += 13_000;
        clock.came(3);
        clock.ofTerm(3);
        clock.observe(1_010_000);
        assertEquals(1_021_000, clock.answer().certainMillis());
    }

    @Test
    void a_stamp_of_an_earlier_leader_counts_from_when_the_next_one_was_followed() {
        clock.hear(1_000_000, 1, true);
        clock.follow(2);
        clock.endFollowing();
        clock.follow(3);
        monotonicMillis += 13_000;
        clock.ofTerm(2);
        clock.observe(1_000_100);
        assertEquals(1_011_100, clock.answer().certainMillis());
        clock.ofTerm(3);
        clock.observe(1_005_000);
        assertEquals(1_005_000, clock.answer().certainMillis());
    }

    @Test
    void a_leader_s_own_stamp_that_is_committed_by_the_next_one_counts_from_when_it_ceased_to_lead() {
        clock.follow(1);
        clock.hear(1_000_000, 1, true);
        clock.lead(2, true);
        monotonicMillis += 60_000;
        clock.endLeading();
        clock.ofTerm(2);
        clock.observe(1_060_000);
        assertEquals(1_060_000, clock.answer().certainMillis());
    }

    @Test
    void who_ran_on_does_not_forget_the_time_by_the_log_of_a_leader_that_it_has_not_heard_of() {
        clock.hear(1_000_000, 5, true);
        monotonicMillis += 3_600_000;
        clock.follow(8);
        clock.ofTerm(7);
        clock.observe(1_010_000); // the log, or a snapshot: stamped long ago
        assertEquals(1_000_000 + 3_600_000L * 11 / 13, clock.answer().certainMillis());
        clock.hear(1_020_000, 8, true);
        assertEquals(1_020_000, clock.answer().certainMillis());
    }

    /** The simulation has found it: the last entry of the snapshot is one of Raft's own, and newer than the last stamp. */
    @Test
    void who_ran_on_does_not_forget_the_time_by_a_snapshot_of_the_leader_that_it_follows() {
        clock.hear(1_000_000, 1, true);
        monotonicMillis += 13_000;
        clock.follow(3);
        clock.ofTerm(3);
        clock.load(1_000_100);
        assertEquals(1_011_000, clock.answer().certainMillis());
        clock.observe(1_005_000);
        assertEquals(1_005_000, clock.answer().certainMillis(), "that leader's clock is behind, and counts");
        clock.load(1_006_000);
        assertEquals(1_006_000, clock.answer().certainMillis());
    }

    @Test
    void who_knows_the_time_does_not_listen_to_a_node_that_does_not() {
        clock.hear(1_000_000, 1, true);
        clock.hear(900_000, 2, false);
        assertEquals(new ClusterClock.Answer(1_000_000, 1_000_000, 1, true), clock.answer());
    }

    @Test
    void a_leader_goes_on_at_full_speed_after_a_handover_that_was_given_up() {
        clock.hear(1_000_000, 1, true);
        clock.lead(3, true);
        clock.endLeading();
        monotonicMillis += 1_300;
        clock.lead(3, true);
        assertEquals(1_001_300, clock.stampMillis());
    }

    @Test
    void when_leading_ends_that_never_began_then_the_last_leader_was_lost_before() {
        clock.hear(1_000_000, 1, true);
        clock.follow(2);
        clock.endFollowing();
        monotonicMillis += 13_000;
        clock.endLeading();
        clock.ofTerm(2);
        clock.observe(1_000_000);
        assertEquals(1_011_000, clock.answer().certainMillis());
    }

    @Test
    void a_leader_does_not_listen() {
        clock.hear(1_000_000, 1, true);
        clock.lead(3, true);
        clock.hear(2_000_000, 4, true);
        assertEquals(new ClusterClock.Answer(1_000_000, 1_000_000, 3, true), clock.answer());
    }

    @Test
    void bad_links_cost_no_more_than_they_delay() {
        clock.observe(1_000_000);
        for (int i = 1; i <= 60; i++) {
            monotonicMillis += 1_000;
            clock.observe(1_000_000 + 1_000L * i - 2_000);
        }
        assertTrue(clock.estimateMillis() >= 1_058_000);
    }

    @Test
    void a_leader_does_not_learn_from_its_own_late_stamps() {
        clock.observe(1_000_000);
        clock.lead(3, true);
        for (int i = 0; i < 10_000; i++) {
            long stamp = clock.estimateMillis();
            monotonicMillis += 5; // until the stamp comes back, committed
            clock.observe(stamp);
        }
        assertEquals(1_050_000, clock.estimateMillis());
    }

    /** So a wall clock does not end shares that this node asked for then. */
    @Test
    void who_has_applied_its_own_registration_is_anchored_and_a_log_that_it_catches_up_with_does_not_do() {
        RegisterNode before =
                RegisterNode.newBuilder().setNode("n1").setStart(1).build();
        RegisterNode now = before.toBuilder().setStart(2).build();
        clock.registersAs(now);
        clock.follow(2);
        clock.ofTerm(2);
        clock.observe(1_000_000); // hours ago, in the term of the leader that it follows now
        clock.registered(before);
        assertFalse(clock.isAnchored());
        clock.observe(9_000_000);
        clock.registered(now);
        assertTrue(clock.isAnchored());
    }

    @Test
    void a_node_that_was_told_the_time_is_anchored() {
        clock.observe(1_000_000);
        assertFalse(clock.isAnchored());
        clock.hear(1_900_000, 1, true);
        assertTrue(clock.isAnchored());
        assertEquals(1_900_000, clock.estimateMillis());
    }

    @Test
    void a_node_that_is_not_anchored_itself_still_knows_how_late_it_is_at_least() {
        clock.observe(1_000_000);
        clock.hear(1_000_500, 0, false);
        assertEquals(1_000_500, clock.estimateMillis());
        assertFalse(clock.isAnchored());
    }

    @Test
    void what_a_leader_found_by_a_wall_clock_counts_for_everybody_once_it_is_committed() {
        clock.observe(1_000_000);
        clock.found(2_000_000);
        clock.lead(3, true);
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
        clock.lead(3, true);
        clock.endLeading();
        assertEquals(1_000_000, clock.stampMillis());
        assertFalse(clock.isAnchored());
    }
}
