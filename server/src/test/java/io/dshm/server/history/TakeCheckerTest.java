package io.dshm.server.history;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Stories of takes and permits, good and bad. Times are in milliseconds. */
class TakeCheckerTest {

    private final List<String> lines = new ArrayList<>();

    private void take(String algorithm, long from, long until, String burstAndCost, String reply) {
        lines.add("1 n1 " + from + " " + until + " TAKE l " + algorithm + " 10 4000 " + burstAndCost + " -> VALUE "
                + reply.replace(" ", "%0020"));
    }

    private void lost(String algorithm, long from, String burstAndCost) {
        lines.add("1 n1 " + from + " never TAKE l " + algorithm + " 10 4000 " + burstAndCost + " -> UNKNOWN timeout");
    }

    private void acquire(long from, long until, String holder, long fence) {
        lines.add("1 n1 " + from + " " + until + " ACQUIRE l 2 " + holder + " 4000 -> VALUE " + fence);
    }

    private void passes() {
        assertNull(check());
    }

    private void fails(String why) {
        Violation violation = check();
        assertNotNull(violation);
        assertTrue(violation.what().contains(why), violation::toString);
    }

    private @Nullable Violation check() {
        return new TakeChecker(Duration.ofMillis(500))
                .checkKey(History.read(lines).operations());
    }

    @Test
    void a_log_admits_its_limit_in_a_period() {
        take("LOG", 0, 10, "0 6", "1 4 4000");
        take("LOG", 20, 30, "0 4", "1 0 4000");
        take("LOG", 40, 50, "0 1", "0 0 3980");
        take("LOG", 4_100, 4_110, "0 10", "1 0 4000");
        passes();
        take("LOG", 7_500, 7_510, "0 1", "1 0 4000");
        fails("11 tokens were admitted where 10 may be");
    }

    @Test
    void gcra_admits_its_burst_and_what_comes_back() {
        take("GCRA", 0, 10, "4 5", "1 0 2000");
        take("GCRA", 2_000, 2_010, "4 5", "1 0 2000");
        take("GCRA", 2_020, 2_030, "4 1", "0 0 2000");
        passes();
        take("GCRA", 2_100, 2_110, "4 3", "1 0 2000");
        fails("13 tokens were admitted where 11 may be");
    }

    @Test
    void a_fixed_window_admits_its_limit() {
        take("FIXED", 0, 10, "0 5", "1 5 100");
        take("FIXED", 110, 120, "0 9", "1 1 3990");
        take("FIXED", 2_000, 2_010, "0 1", "1 0 2100");
        passes();
        take("FIXED", 2_100, 2_110, "0 1", "1 0 2000");
        fails("11 tokens were admitted in one window");
    }

    @Test
    void the_stretch_bounds_fixed_windows_that_do_not_tell_when_they_end() {
        take("FIXED", 0, 1_000, "0 10", "1 0 100");
        take("FIXED", 110, 1_000, "0 10", "1 1 3990");
        passes();
        take("FIXED", 120, 1_000, "0 1", "1 0 2100");
        fails("21 tokens were admitted where 20 may be");
    }

    @Test
    void a_call_is_refused_for_a_reason_only() {
        for (String algorithm : List.of("LOG", "FIXED", "GCRA")) {
            String burst = algorithm.equals("GCRA") ? "9 " : "0 ";
            lines.clear();
            take(algorithm, 0, 10, burst + 8, "1 2 3000");
            take(algorithm, 100, 110, burst + 3, "0 2 3000");
            passes();
            take(algorithm, 120, 130, burst + 2, "0 2 3000");
            fails("refused for no reason");
            lost(algorithm, 90, burst + 1);
            passes();
            take(algorithm, 6_000, 6_010, burst + 10, "0 2 3000");
            passes();
            take(algorithm, 6_000, 6_010, burst + 9, "0 2 3000");
            fails("refused for no reason");
        }
    }

    @Test
    void permits_are_as_many_as_the_limit_and_their_fences_rise() {
        acquire(0, 10, "a", 5);
        acquire(5, 15, "b", 4);
        acquire(20, 30, "c", -1);
        acquire(8_000, 8_010, "d", 7);
        passes();
        acquire(8_100, 8_110, "e", 6);
        fails("a fence is not above");
        lines.remove(lines.size() - 1);
        acquire(8_005, 8_110, "e", 7);
        fails("a fence is not above");
        lines.remove(lines.size() - 1);
        acquire(8_100, 8_110, "e", 8);
        acquire(8_200, 8_210, "f", 9);
        fails("3 tokens were admitted where 2 may be");
    }

    @Test
    void other_calls_are_not_judged() {
        take("LOG", 0, 10, "0 6", "1 4 4000");
        assertEquals(1, lines.size());
        acquire(0, 10, "a", 5);
        assertThrows(IllegalArgumentException.class, this::check);
    }
}
