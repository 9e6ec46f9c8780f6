package io.dshm.server.security;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.util.concurrent.DefaultThreadFactory;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class HandshakeStepsTest {

    private static final int SECONDS = 60;

    private final Queue<Runnable> shared = new ArrayDeque<>();
    private final List<String> computed = new ArrayList<>();

    @Test
    void a_step_that_waits_is_computed_once() {
        HandshakeSteps steps = new HandshakeSteps(shared::add);
        steps.execute(() -> computed.add("first"));
        assertEquals(List.of(), computed);
        Runnable entry = shared.remove();
        entry.run();
        entry.run();
        assertEquals(List.of("first"), computed);
        steps.execute(() -> computed.add("second"));
        shared.remove().run();
        assertEquals(List.of("first", "second"), computed);
    }

    @Test
    void a_dropped_step_is_not_computed_nor_one_that_comes_later() {
        HandshakeSteps steps = new HandshakeSteps(shared::add);
        steps.execute(() -> computed.add("waiting"));
        steps.drop();
        shared.remove().run();
        steps.execute(() -> computed.add("later"));
        assertTrue(shared.isEmpty());
        assertEquals(List.of(), computed);
    }

    @Test
    void a_full_queue_takes_no_step_until_one_in_it_is_computed_or_dropped() throws InterruptedException {
        ThreadPoolExecutor pool = new ThreadPoolExecutor(
                1, 1, 0, TimeUnit.SECONDS, new LinkedBlockingQueue<>(1), new DefaultThreadFactory("test", true));
        CountDownLatch end = new CountDownLatch(1);
        new HandshakeSteps(pool).execute(() -> await(end));
        HandshakeSteps ended = new HandshakeSteps(pool);
        HandshakeSteps other = new HandshakeSteps(pool);
        ended.execute(() -> computed.add("of one that has ended"));
        assertThrows(RejectedExecutionException.class, () -> other.execute(() -> computed.add("rejected")));
        ended.drop();
        other.execute(() -> computed.add("of another one"));
        end.countDown();
        pool.shutdown();
        assertTrue(pool.awaitTermination(SECONDS, TimeUnit.SECONDS));
        assertEquals(List.of("of another one"), computed);
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
