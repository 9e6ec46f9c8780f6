package io.dshm.server.history;

import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Stories of counters, rate limiters and local reads, good and bad. Times are in milliseconds. */
class LinearTimeCheckersTest {

    private static void passes(Function<List<Operation>, @Nullable Violation> checker, String text) {
        assertNull(checker.apply(operations(text)), text);
    }

    private static void fails(Function<List<Operation>, @Nullable Violation> checker, String why, String text) {
        Violation violation = checker.apply(operations(text));
        assertNotNull(violation, text);
        assertTrue(violation.what().contains(why), violation::toString);
    }

    private static List<Operation> operations(String text) {
        return History.read(text.lines().toList()).operations();
    }

    @Nested
    class Counters {
        private static final String THREE = """
                1 n1 0 10 INCR c 1 0 0 -> VALUE 2
                2 n2 0 10 INCR c 1 0 0 -> VALUE 1
                1 n1 20 30 INCR c 5 0 0 -> VALUE 7
                """;

        @Test
        void a_counter_that_counts() {
            passes(CounterChecker::checkKey, THREE + "1 n1 40 50 GET c LINEARIZABLE -> VALUE 7");
            passes(CounterChecker::checkKey, "1 n1 0 9 GET c LINEARIZABLE -> NOT_FOUND\n" + THREE);
        }

        @Test
        void when_two_get_the_same_value_then_one_is_lost() {
            fails(CounterChecker::checkKey, "same step", THREE + "2 n2 20 30 INCR c 1 0 0 -> VALUE 7");
            fails(CounterChecker::checkKey, "same step", THREE + "2 n2 20 30 INCR c 1 0 0 -> VALUE 5");
        }

        @Test
        void when_an_acknowledged_increment_is_lost_then_the_final_sum_is_too_small() {
            fails(CounterChecker::checkKey, "not above", THREE + "1 n1 40 50 GET c LINEARIZABLE -> VALUE 2");
            fails(CounterChecker::checkKey, "never there", "1 n1 0 10 INCR c 5 10 0 -> VALUE 11");
        }

        @Test
        void when_one_is_counted_twice_then_the_sum_is_too_large() {
            fails(CounterChecker::checkKey, "more was counted", THREE + "1 n1 40 50 GET c LINEARIZABLE -> VALUE 8");
            String unknown = THREE + "2 n2 20 never INCR c 1 0 0 -> UNKNOWN timeout\n";
            passes(CounterChecker::checkKey, unknown + "1 n1 40 50 GET c LINEARIZABLE -> VALUE 8");
            passes(CounterChecker::checkKey, unknown + "1 n1 40 50 GET c LINEARIZABLE -> VALUE 7");
            fails(CounterChecker::checkKey, "more was counted", unknown + "1 n1 40 50 GET c LINEARIZABLE -> VALUE 9");
            String refused = THREE + "2 n2 20 30 INCR c 1 0 0 -> NOT_APPLIED busy\n";
            fails(CounterChecker::checkKey, "more was counted", refused + "1 n1 40 50 GET c LINEARIZABLE -> VALUE 8");
        }

        @Test
        void when_a_later_increment_or_read_is_below_an_earlier_one_then_the_order_is_wrong() {
            fails(CounterChecker::checkKey, "not above", """
                    1 n1 0 10 INCR c 1 0 0 -> VALUE 2
                    2 n2 20 30 INCR c 1 0 0 -> VALUE 1
                    """);
            fails(CounterChecker::checkKey, "not above", """
                    1 n1 0 100 INCR c 1 0 0 -> VALUE 1
                    2 n2 20 30 GET c LINEARIZABLE -> VALUE 1
                    3 n3 40 50 GET c LINEARIZABLE -> NOT_FOUND
                    """);
        }

        @Test
        void a_key_that_is_no_counter_is_not_judged() {
            assertThrows(
                    IllegalArgumentException.class,
                    () -> CounterChecker.checkKey(operations(THREE + "1 n1 40 50 DELETE c -> DONE")));
        }
    }

    @Nested
    class Limiters {
        private static final String TWO = """
                1 n1 0 10 RATE_LIMITER l 2 1000 -> VALUE 1
                2 n2 5 15 RATE_LIMITER l 2 1000 -> VALUE 0
                """;

        private @Nullable Violation check(List<Operation> operations) {
            return new LimiterChecker(Duration.ofMillis(50)).checkKey(operations);
        }

        @Test
        void a_limiter_that_limits() {
            passes(this::check, TWO + """
                    1 n1 20 30 RATE_LIMITER l 2 1000 -> VALUE -1
                    1 n1 40 50 GET l LINEARIZABLE -> VALUE 0
                    1 n1 1100 1110 RATE_LIMITER l 2 1000 -> VALUE 1
                    1 n1 3000 3010 GET l LINEARIZABLE -> NOT_FOUND
                    """);
        }

        @Test
        void when_one_grant_too_many_is_in_a_window_then_it_is_found() {
            fails(this::check, "3 grants in one window", TWO + "1 n1 900 940 RATE_LIMITER l 2 1000 -> VALUE 0");
            passes(this::check, TWO + "1 n1 950 1010 RATE_LIMITER l 2 1000 -> VALUE 0");
        }

        @Test
        void when_tokens_are_left_that_are_not_there_then_it_is_found() {
            fails(this::check, "tells of 0", TWO + "1 n1 500 510 GET l LINEARIZABLE -> NOT_FOUND");
            fails(this::check, "tells of 1", TWO + "1 n1 500 510 GET l LINEARIZABLE -> VALUE 1");
        }

        @Test
        void a_call_is_refused_for_a_reason_only() {
            String one = "1 n1 0 10 RATE_LIMITER l 2 1000 -> VALUE 1\n";
            String refused = "1 n1 20 30 RATE_LIMITER l 2 1000 -> VALUE -1\n";
            fails(this::check, "tells of 2", one + refused);
            passes(this::check, one + "2 n2 0 never RATE_LIMITER l 2 1000 -> UNKNOWN timeout\n" + refused);
            fails(this::check, "tells of 2", one + "2 n2 0 9 RATE_LIMITER l 2 1000 -> NOT_APPLIED busy\n" + refused);
            passes(this::check, TWO + "1 n1 1040 1045 RATE_LIMITER l 2 1000 -> VALUE -1");
            fails(this::check, "tells of 2", TWO + "1 n1 1070 1075 RATE_LIMITER l 2 1000 -> VALUE -1");
        }
    }

    @Nested
    class LocalReads {
        private @Nullable Violation check(List<Operation> operations) {
            return new LocalReadChecker(Duration.ofMillis(50)).checkKey(operations);
        }

        private static final String TWO = """
                1 n1 0 10 SET k a 0 -> VALUE a
                1 n1 20 30 SET k b 0 -> VALUE b
                """;

        @Test
        void a_node_may_lag_behind_what_others_acknowledged() {
            passes(this::check, TWO + """
                    2 n2 40 50 GET k LOCAL -> NOT_FOUND
                    2 n2 60 70 GET k LOCAL -> VALUE a
                    2 n2 80 90 GET k LOCAL -> VALUE b
                    1 n1 40 50 GET k LOCAL -> VALUE b
                    """);
        }

        @Test
        void when_a_node_does_not_show_what_it_acknowledged_then_it_is_found() {
            fails(this::check, "older one", TWO + "1 n1 40 50 GET k LOCAL -> VALUE a");
            fails(this::check, "finds nothing", TWO + "1 n1 40 50 GET k LOCAL -> NOT_FOUND");
            fails(this::check, "older one", TWO + """
                    3 n3 40 50 DELETE k -> DONE
                    3 n3 60 70 GET k LOCAL -> VALUE b
                    """);
        }

        @Test
        void when_a_node_goes_back_in_time_then_it_is_found() {
            fails(this::check, "older one", TWO + """
                    2 n2 40 50 GET k LOCAL -> VALUE b
                    2 n2 60 70 GET k LOCAL -> VALUE a
                    """);
            fails(this::check, "finds nothing", TWO + """
                    2 n2 40 50 GET k LINEARIZABLE -> VALUE b
                    2 n2 60 70 GET k LOCAL -> NOT_FOUND
                    """);
            fails(this::check, "then the value again", """
                    1 n1 0 90 SET k a 0 -> VALUE a
                    3 n3 0 90 SET k b 0 -> VALUE b
                    2 n2 10 20 GET k LOCAL -> VALUE a
                    2 n2 30 40 GET k LOCAL -> VALUE b
                    2 n2 50 60 GET k LOCAL -> VALUE a
                    """);
        }

        @Test
        void what_may_have_been_removed_may_be_missing() {
            passes(this::check, TWO + """
                    3 n3 5 never DELETE k -> UNKNOWN timeout
                    1 n1 40 50 GET k LOCAL -> NOT_FOUND
                    """);
            String short_lived = "1 n1 0 10 SET k a 1000 -> VALUE a\n";
            passes(this::check, short_lived + "1 n1 955 960 GET k LOCAL -> NOT_FOUND");
            fails(this::check, "finds nothing", short_lived + "1 n1 940 945 GET k LOCAL -> NOT_FOUND");
        }

        @Test
        void when_a_value_appears_that_was_refused_or_not_sent_yet_then_it_is_found() {
            fails(this::check, "nobody wrote", """
                    1 n1 0 10 SET k a 0 -> NOT_APPLIED no_leader
                    1 n1 20 30 GET k LOCAL -> VALUE a
                    """);
            fails(this::check, "before anybody sent it", """
                    1 n1 0 10 GET k LOCAL -> VALUE a
                    1 n1 20 30 SET k a 0 -> VALUE a
                    """);
        }

        @Test
        void when_a_counter_goes_back_on_a_node_then_it_is_found() {
            String counted = """
                    1 n1 0 90 INCR c 1 0 0 -> VALUE 1
                    2 n2 0 90 INCR c 1 0 0 -> VALUE 3
                    3 n3 0 never INCR c 1 0 0 -> UNKNOWN timeout
                    3 n3 10 20 GET c LOCAL -> VALUE 2
                    """;
            passes(this::check, counted + "3 n3 30 40 GET c LOCAL -> VALUE 3");
            fails(this::check, "larger value", counted + "3 n3 30 40 GET c LOCAL -> VALUE 1");
        }
    }
}
