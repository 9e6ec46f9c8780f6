package io.dshm.server.frontend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.netty.channel.embedded.EmbeddedChannel;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class LoopWatchTest {

    private final EmbeddedChannel first = new EmbeddedChannel();
    private final EmbeddedChannel second = new EmbeddedChannel();
    private long nanos = Long.MAX_VALUE - 1;

    @Test
    void a_loop_that_stands_still_is_named_until_it_moves_again() {
        LoopWatch watch = new LoopWatch(List.of(first.eventLoop(), second.eventLoop()), () -> nanos);
        assertNull(watch.problem());
        for (int i = 0; i < 12; i++) {
            pass(first);
        }
        assertEquals("event loop 1 of 2 has stood still for 12 s", watch.problem());
        pass(second);
        assertNull(watch.problem());
    }

    /** One second, in which that loop moves. */
    private void pass(EmbeddedChannel loop) {
        nanos += TimeUnit.SECONDS.toNanos(1);
        loop.advanceTimeBy(1, TimeUnit.SECONDS);
        loop.runScheduledPendingTasks();
    }
}
