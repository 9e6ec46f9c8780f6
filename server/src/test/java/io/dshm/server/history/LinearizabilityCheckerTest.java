package io.dshm.server.history;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Histories that a linearizable store can have made, and others that it cannot. Times are in milliseconds. */
class LinearizabilityCheckerTest {

    private static final LinearizabilityChecker CHECKER =
            new LinearizabilityChecker(Duration.ofMillis(50), true, LinearizabilityChecker.BUDGET);

    @Test
    void when_a_read_overlaps_a_write_then_it_may_see_either() {
        passes("""
                1 n1 0 10 SET k a 0 -> VALUE a
                1 n1 20 40 SET k b 0 -> VALUE b
                2 n2 25 30 GET k LINEARIZABLE -> VALUE a
                3 n3 25 30 GET k LINEARIZABLE -> VALUE b
                """);
    }

    @Test
    void when_a_read_misses_an_acknowledged_write_then_it_is_stale() {
        fails("meanwhile", """
                1 n1 0 10 SET k a 0 -> VALUE a
                1 n1 20 40 SET k b 0 -> VALUE b
                2 n2 41 45 GET k LINEARIZABLE -> VALUE a
                """);
    }

    @Test
    void when_an_acknowledged_write_is_lost_then_the_next_read_shows_it() {
        fails("no order", """
                1 n1 0 10 SET k a 0 -> VALUE a
                2 n2 20 30 GET k LINEARIZABLE -> NOT_FOUND
                """);
    }

    @Test
    void when_a_read_goes_back_behind_another_read_then_it_is_wrong_although_the_write_is_under_way() {
        fails("meanwhile", """
                1 n1 0 10 SET k a 0 -> VALUE a
                1 n1 20 90 SET k b 0 -> VALUE b
                2 n2 30 40 GET k LINEARIZABLE -> VALUE b
                3 n3 50 60 GET k LINEARIZABLE -> VALUE a
                """);
    }

    @Test
    void local_reads_may_be_late() {
        passes("""
                1 n1 0 10 SET k a 0 -> VALUE a
                1 n1 20 40 SET k b 0 -> VALUE b
                2 n2 50 60 GET k LOCAL -> VALUE a
                """);
    }

    @Test
    void a_write_of_unknown_outcome_may_take_effect_much_later_or_never() {
        String start = """
                1 n1 0 10 SET k a 0 -> VALUE a
                2 n2 5 never SET k b 0 -> UNKNOWN timeout
                3 n3 20 30 GET k LINEARIZABLE -> VALUE a
                """;
        passes(start + "3 n3 500 510 GET k LINEARIZABLE -> VALUE a");
        passes(start + "3 n3 500 510 GET k LINEARIZABLE -> VALUE b");
    }

    @Test
    void a_write_of_unknown_outcome_takes_effect_once_only() {
        fails("meanwhile", """
                2 n2 0 never SET k b 0 -> UNKNOWN timeout
                3 n3 20 30 GET k LINEARIZABLE -> VALUE b
                1 n1 40 50 SET k a 0 -> VALUE a
                3 n3 60 70 GET k LINEARIZABLE -> VALUE b
                """);
    }

    @Test
    void one_removal_of_unknown_outcome_explains_one_disappearance() {
        String once = """
                1 n1 0 10 DELETE k -> DONE
                2 n2 0 never FLUSH  -> UNKNOWN timeout
                1 n1 20 30 SET k a 0 -> VALUE a
                1 n1 40 50 GET k LINEARIZABLE -> NOT_FOUND
                1 n1 60 70 SET k b 0 -> VALUE b
                """.replace("FLUSH ", "FLUSH %");
        passes(once + "1 n1 80 90 GET k LINEARIZABLE -> VALUE b");
        fails("no order", once + "1 n1 80 90 GET k LINEARIZABLE -> NOT_FOUND");
    }

    @Test
    void when_a_refused_write_shows_up_then_nobody_wrote_it() {
        fails("nobody wrote", """
                1 n1 0 10 SET k a 0 -> NOT_APPLIED no_leader
                2 n2 20 30 GET k LINEARIZABLE -> VALUE a
                """);
    }

    @Test
    void a_value_cannot_be_seen_before_it_is_sent() {
        fails("before anybody sent it", """
                2 n2 0 10 GET k LINEARIZABLE -> VALUE a
                1 n1 20 30 SET k a 0 -> VALUE a
                """);
    }

    @Test
    void an_entry_expires_about_when_its_time_is_over() {
        String start = "1 n1 0 10 SET k a 1000 -> VALUE a\n";
        passes(start + "2 n2 1055 1059 GET k LINEARIZABLE -> VALUE a");
        passes(start + "2 n2 951 955 GET k LINEARIZABLE -> NOT_FOUND");
        fails("no order", start + "2 n2 1061 1065 GET k LINEARIZABLE -> VALUE a");
        fails("no order", start + "2 n2 940 949 GET k LINEARIZABLE -> NOT_FOUND");
    }

    @Test
    void an_expired_value_does_not_come_back() {
        fails("meanwhile", """
                1 n1 0 10 SET k a 1000 -> VALUE a
                2 n2 990 995 GET k LINEARIZABLE -> NOT_FOUND
                3 n3 997 999 GET k LINEARIZABLE -> VALUE a
                """);
    }

    @Test
    void a_touch_makes_an_entry_live_longer_or_shorter_but_not_again() {
        String start = "1 n1 0 10 SET k a 1000 -> VALUE a\n";
        passes(start + """
                1 n1 500 510 TOUCH k 1000 -> DONE
                1 n1 1400 1410 GET k LINEARIZABLE -> VALUE a
                1 n1 1600 1610 GET k LINEARIZABLE -> NOT_FOUND
                """);
        passes(start + """
                1 n1 100 110 TOUCH k 100 -> DONE
                1 n1 300 310 GET k LINEARIZABLE -> NOT_FOUND
                """);
        fails("no order", start + """
                1 n1 500 510 TOUCH k 1000 -> DONE
                1 n1 1600 1610 GET k LINEARIZABLE -> VALUE a
                """);
        fails("no order", start + """
                1 n1 1100 1110 TOUCH k 1000 -> DONE
                1 n1 1200 1210 GET k LINEARIZABLE -> VALUE a
                """);
    }

    @Test
    void a_touch_of_unknown_outcome_may_keep_an_entry_alive() {
        passes("""
                1 n1 0 10 SET k a 1000 -> VALUE a
                1 n1 500 never TOUCH k 0 -> UNKNOWN timeout
                1 n1 5000 5010 GET k LINEARIZABLE -> VALUE a
                """);
        fails("no order", """
                1 n1 0 10 SET k a 1000 -> VALUE a
                1 n1 1100 never TOUCH k 0 -> UNKNOWN timeout
                1 n1 5000 5010 GET k LINEARIZABLE -> VALUE a
                """);
    }

    @Test
    void an_entry_whose_write_is_unknown_lives_from_when_it_was_seen_at_the_latest() {
        String start = """
                1 n1 0 never SET k a 1000 -> UNKNOWN timeout
                2 n2 3000 3010 GET k LINEARIZABLE -> VALUE a
                """;
        passes(start + "2 n2 4050 4055 GET k LINEARIZABLE -> VALUE a");
        fails("no order", start + "2 n2 4061 4065 GET k LINEARIZABLE -> VALUE a");
    }

    @Test
    void an_increment_keeps_the_deadline() {
        String start = """
                1 n1 0 10 INCR k 1 10 1000 -> VALUE 11
                1 n1 900 910 INCR k 1 10 1000 -> VALUE 12
                """;
        passes(start + "1 n1 1100 1110 INCR k 1 10 1000 -> VALUE 11");
        fails("no order", start + "1 n1 1100 1110 INCR k 1 10 1000 -> VALUE 13");
    }

    @Test
    void an_increment_counts_once() {
        String unknown = """
                1 n1 0 10 INCR k 1 0 0 -> VALUE 1
                2 n2 0 never INCR k 1 0 0 -> UNKNOWN unknown_outcome
                """;
        passes(unknown + "1 n1 20 30 INCR k 1 0 0 -> VALUE 3");
        fails("no order", unknown + "1 n1 20 30 INCR k 1 0 0 -> VALUE 4");
        fails("no order", unknown + "1 n1 20 30 INCR k 1 0 0 -> VALUE 1");
    }

    @Test
    void an_increment_replies_with_what_is_no_integer_and_refuses_what_does_not_fit() {
        passes("""
                1 n1 0 10 SET k word 0 -> VALUE word
                1 n1 20 30 INCR k 1 0 0 -> VALUE word
                1 n1 40 50 SET k 007 0 -> VALUE 007
                1 n1 60 70 INCR k 1 0 0 -> VALUE 8
                1 n1 80 90 INCR k 9223372036854775807 0 0 -> NOT_APPLIED overflow
                1 n1 95 99 GET k LINEARIZABLE -> VALUE 8
                """);
        fails("no order", """
                1 n1 0 10 SET k 1 0 -> VALUE 1
                1 n1 20 30 INCR k 1 0 0 -> NOT_APPLIED overflow
                """);
    }

    @Test
    void a_flush_concerns_each_key_of_its_region_and_no_other() {
        String start = """
                1 n1 0 10 SET r:a v1 0 -> VALUE v1
                1 n1 0 10 SET s:a v2 0 -> VALUE v2
                1 n1 20 30 FLUSH r -> DONE
                """;
        passes(start + "1 n1 40 50 GET r:a LINEARIZABLE -> NOT_FOUND");
        fails("no order", start + "1 n1 40 50 GET s:a LINEARIZABLE -> NOT_FOUND");
        fails("meanwhile", start + "1 n1 40 50 GET r:a LINEARIZABLE -> VALUE v1");
    }

    @Test
    void pipelined_operations_take_effect_in_their_order() {
        String text = """
                1 n1 0 100 SET k a 0 -> VALUE a
                1 n1 1 100 SET k b 0 -> VALUE b
                1 n1 200 210 GET k LINEARIZABLE -> VALUE a
                """;
        fails("no order", text);
        LinearizabilityChecker lenient = new LinearizabilityChecker(Duration.ZERO, false, 1_000);
        assertEquals(List.of(), lenient.check(History.read(text.lines().toList())));
    }

    @Test
    void a_search_that_gives_up_does_not_pass() {
        String text = """
                1 n1 0 10 SET k a 0 -> VALUE a
                2 n2 0 10 SET k b 0 -> VALUE b
                3 n3 20 30 GET k LINEARIZABLE -> VALUE a
                """;
        passes(text);
        LinearizabilityChecker impatient = new LinearizabilityChecker(Duration.ZERO, false, 1);
        List<Violation> violations = impatient.check(History.read(text.lines().toList()));
        assertEquals(1, violations.size());
        assertTrue(violations.get(0).undecided());
        assertTrue(violations.get(0).what().contains("gave up"), violations::toString);
    }

    private static void passes(String text) {
        assertEquals(List.of(), CHECKER.check(History.read(text.lines().toList())), text);
    }

    private static void fails(String why, String text) {
        List<Violation> violations = CHECKER.check(History.read(text.lines().toList()));
        assertEquals(1, violations.size(), text);
        assertFalse(violations.get(0).undecided(), violations::toString);
        assertTrue(violations.get(0).what().contains(why), violations::toString);
    }
}
