package io.dshm.server.history;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class EvictionCheckerTest {

    private static final String SET = "1 n1 0 1 SET r:k v1 0 -> DONE";
    private static final String MISS = "1 n1 2 3 GET r:k LINEARIZABLE -> NOT_FOUND";

    private static @Nullable Violation check(String... lines) {
        return EvictionChecker.checkKey(History.read(List.of(lines)).operations());
    }

    @Test
    void what_was_gone_does_not_come_back() {
        assertNull(check(SET, "1 n1 1 2 GET r:k LINEARIZABLE -> VALUE v1", MISS));
        assertNotNull(check(SET, MISS, "1 n1 4 5 GET r:k LINEARIZABLE -> VALUE v1"));
    }

    @Test
    void what_is_stored_later_or_maybe_later_is_there() {
        assertNull(check(SET, MISS, "1 n1 2 4 SET r:k v2 0 -> DONE", "1 n1 5 6 GET r:k LINEARIZABLE -> VALUE v2"));
        assertNull(check("1 n1 0 never SET r:k v1 0 -> UNKNOWN x", MISS, "1 n1 4 5 GET r:k LINEARIZABLE -> VALUE v1"));
    }

    @Test
    void only_linearizable_reads_that_follow_tell() {
        assertNull(check(SET, MISS, "1 n2 4 5 GET r:k LOCAL -> VALUE v1"));
        assertNull(check(SET, MISS, "1 n2 3 5 GET r:k LINEARIZABLE -> VALUE v1"));
        assertNull(check(SET, "1 n1 2 3 GET r:k LOCAL -> NOT_FOUND", "1 n2 4 5 GET r:k LINEARIZABLE -> VALUE v1"));
    }

    @Test
    void misses_are_left_out() {
        List<Operation> operations = History.read(List.of(SET, MISS)).operations();
        assertEquals(operations.subList(0, 1), EvictionChecker.withoutMisses(operations));
    }
}
