package io.dshm.server.torture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class AvailabilityTest {

    private final Set<Set<String>> cuts = new HashSet<>();
    private final List<Availability.Gap> told = new ArrayList<>();
    private final Availability availability = new Availability(
            List.of("n1", "n2", "n3"), (one, other) -> !cuts.contains(Set.of(one, other)), () -> nanos(), told::add);
    private long millis;

    private long nanos() {
        return TimeUnit.MILLISECONDS.toNanos(millis);
    }

    @BeforeEach
    void allNodesStart() {
        List.of("n1", "n2", "n3").forEach(availability::repair);
        availability.begin();
    }

    @Test
    void two_of_three_are_a_majority() {
        availability.impair("n1");
        assertTrue(availability.hasMajority());
        availability.impair("n2");
        assertFalse(availability.hasMajority());
        availability.repair("n1");
        assertTrue(availability.hasMajority());
    }

    @Test
    void two_that_are_cut_off_from_each_other_are_none() {
        cut("n1", "n2");
        assertTrue(availability.hasMajority(), "each of them with the third");
        cut("n2", "n3");
        assertTrue(availability.hasMajority());
        cut("n1", "n3");
        assertFalse(availability.hasMajority());
    }

    @Test
    void a_gap_ends_with_the_next_acknowledged_write() {
        acknowledgeAt(100);
        acknowledgeAt(2_600);
        acknowledgeAt(3_000);
        assertGap(2_500);
        assertEquals(List.of(), told);
        acknowledgeAt(6_500);
        assertGap(3_500);
        assertEquals(1, told.size());
    }

    @Test
    void a_gap_is_measured_from_the_moment_when_a_majority_was_whole_again() {
        acknowledgeAt(100);
        availability.impair("n1");
        availability.impair("n2");
        millis = 9_000;
        availability.repair("n1");
        acknowledgeAt(10_500);
        assertGap(1_500);
    }

    @Test
    void a_gap_that_ends_with_its_majority_counts() {
        acknowledgeAt(100);
        millis = 4_100;
        availability.impair("n1");
        availability.impair("n2");
        assertGap(4_000);
    }

    @Test
    void a_majority_is_not_charged_with_what_another_one_had_begun() {
        acknowledgeAt(0);
        availability.impair("n1");
        millis = 2_000;
        availability.repair("n1");
        availability.impair("n2");
        acknowledgeAt(4_000);
        // Neither n1 nor n2 was whole for longer.
        assertGap(2_000);
    }

    private void cut(String one, String other) {
        cuts.add(Set.of(one, other));
        availability.onChange();
    }

    private void acknowledgeAt(long when) {
        millis = when;
        availability.onAcknowledged();
    }

    private void assertGap(long expected) {
        assertEquals(
                expected,
                TimeUnit.NANOSECONDS.toMillis(availability.longestGap().nanos()));
    }
}
