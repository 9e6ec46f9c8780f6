package io.dshm.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.dshm.proto.Limits;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ApplyWatchTest {

    private long nanos = Long.MAX_VALUE - 1;
    private final ApplyWatch watch = new ApplyWatch(() -> nanos);

    private void pass(long seconds) {
        nanos += TimeUnit.SECONDS.toNanos(seconds);
    }

    @Test
    void it_hangs_when_the_same_entry_has_been_the_last_for_too_long_although_more_are_committed() {
        assertNull(watch.problem(7, 5, false));
        pass(Limits.APPLY_STILL_SECONDS - 1);
        assertNull(watch.problem(9, 5, false));
        pass(1);
        assertEquals("nothing has been applied for 30 s: at index 5 of 9", watch.problem(9, 5, false));
        assertNull(watch.problem(9, 6, false), "it goes on");
        pass(Limits.APPLY_STILL_SECONDS - 1);
        assertNull(watch.problem(9, 6, false));
    }

    @Test
    void a_node_that_has_nothing_to_apply_or_loads_a_snapshot_does_not_hang() {
        assertNull(watch.problem(5, 5, false));
        pass(3_600);
        assertNull(watch.problem(6, 5, false), "the first entry after an hour");
        pass(Limits.APPLY_STILL_SECONDS);
        assertNull(watch.problem(6, 5, true));
        assertNull(watch.problem(6, 5, false), "counted from the end of the load on");
    }
}
