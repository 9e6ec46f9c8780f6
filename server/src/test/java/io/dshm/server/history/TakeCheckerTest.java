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

    private void share(long from, long until, String algorithm, String burstAndCost, String reply) {
        take(algorithm, from, until, burstAndCost + " SHARE", reply);
    }

    private void line(long from, long until, String call, String result) {
        lines.add("1 n1 " + from + " " + until + " " + call + " -> " + result);
    }

    private void reserve(long at, long cost, String hold, long ttl) {
        line(at, at + 10, "RESERVE l LOG 10 4000 0 " + cost + " " + hold + " " + ttl, "VALUE 1%00200%00200");
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
        take("FIXED", 300, 310, "0 9", "1 1 3800");
        take("FIXED", 2_000, 2_010, "0 1", "1 0 2100");
        passes();
        take("FIXED", 2_100, 2_110, "0 1", "1 0 2000");
        fails("11 tokens were admitted in one window");
    }

    @Test
    void where_windows_end_the_log_tells_and_no_share() {
        take("FIXED", 0, 10, "0 5", "1 5 100");
        share(1_000, 1_001, "FIXED", "0 6", "1 5 4000");
        share(2_000, 2_001, "FIXED", "0 4", "1 0 4000");
        passes();
        share(2_100, 2_101, "FIXED", "0 1", "1 0 4000");
        fails("11 tokens were admitted in one window");
        take("FIXED", 1_900, 2_050, "0 -1", "1 0 4000");
        passes();
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
    void a_counter_admits_its_limit_and_as_much_again_in_a_period() {
        take("COUNTER", 0, 10, "0 10", "1 0 8000");
        take("COUNTER", 1_500, 1_510, "0 5", "1 0 8000");
        passes();
        take("COUNTER", 1_520, 1_530, "0 2", "1 0 8000");
        passes();
        take("COUNTER", 1_540, 1_550, "0 1", "1 0 8000");
        fails("18 tokens were admitted where 17 may be");
        lines.clear();
        take("COUNTER", 0, 10, "0 10", "1 0 8000");
        take("COUNTER", 8_000, 8_010, "0 1", "0 0 10");
        passes();
        take("COUNTER", 8_600, 8_610, "0 1", "0 0 10");
        fails("refused for no reason");
    }

    @Test
    void a_leaky_bucket_admits_as_gcra() {
        take("LEAKY", 0, 10, "4 5", "1 0 2000");
        passes();
        take("LEAKY", 20, 30, "4 2", "1 0 2000");
        fails("7 tokens were admitted where 6 may be");
    }

    @Test
    void what_may_have_been_given_back_can_be_taken_again() {
        take("LOG", 0, 10, "0 10", "1 0 4000");
        take("LOG", 100, 110, "0 3", "1 0 4000");
        fails("13 tokens were admitted where 10 may be");
        lost("LOG", 50, "0 -2");
        fails("13 tokens were admitted where 12 may be");
        take("LOG", 60, 70, "0 -1", "1 3 4000");
        passes();
    }

    @Test
    void what_a_reservation_did_not_cost_is_given_back() {
        reserve(0, 8, "h1", 1_000);
        line(20, 30, "SETTLE l h1 5", "VALUE 1%00205%00200");
        line(25, 35, "SETTLE l h2 0", "NOT_APPLIED not_found");
        take("LOG", 40, 50, "0 5", "1 0 0");
        passes();
        take("LOG", 60, 70, "0 1", "1 0 0");
        fails("14 tokens were admitted where 13 may be");
    }

    @Test
    void what_is_reserved_counts_as_long_as_it_may_be_held() {
        reserve(0, 10, "h1", 2_000);
        take("LOG", 6_000, 6_010, "0 1", "0 0 1");
        passes();
        take("LOG", 6_600, 6_610, "0 1", "0 0 1");
        fails("refused for no reason");
        reserve(5_000, 1, "h2", 2_000);
        fails("refused for no reason");
        line(5_100, 5_110, "SETTLE l h2 10", "VALUE 1%00200%00200");
        passes();
    }

    @Test
    void a_share_is_taken_until_it_is_returned() {
        line(0, 10, "GRANT l LOG 10 4000 0 8 h1 1", "VALUE 8");
        line(20, 30, "GRANT l LOG 10 4000 0 8 h2 1", "VALUE 2");
        line(40, 50, "GRANT l LOG 10 4000 0 8 h3 1", "VALUE 0");
        passes();
        line(60, 70, "GRANT l LOG 10 4000 0 8 h4 1", "VALUE 3");
        fails("13 tokens were admitted where 10 may be");
        line(52, 55, "RETURN l h1 3", "DONE");
        passes();
    }

    @Test
    void a_permit_is_free_when_it_is_released() {
        acquire(0, 10, "a", 5);
        acquire(20, 30, "b", 6);
        acquire(40, 50, "c", 7);
        fails("3 tokens were admitted where 2 may be");
        line(32, 35, "RELEASE l a", "DONE");
        passes();
    }

    @Test
    void other_calls_are_not_judged() {
        take("LOG", 0, 10, "0 6", "1 4 4000");
        assertEquals(1, lines.size());
        acquire(0, 10, "a", 5);
        assertThrows(IllegalArgumentException.class, this::check);
    }
}
