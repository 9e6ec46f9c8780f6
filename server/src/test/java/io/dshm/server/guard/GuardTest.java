package io.dshm.server.guard;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class GuardTest {

    private static final long PATIENCE_SECONDS = 20;

    private final ScheduledExecutorService executor = Executors.newSingleThreadScheduledExecutor();

    @AfterEach
    void stop() {
        executor.shutdownNow();
        Guard.endProcessOnError(why -> {});
        Thread.setDefaultUncaughtExceptionHandler(null);
    }

    @Test
    void periodic_work_that_throws_goes_on() throws InterruptedException {
        CountDownLatch twice = new CountDownLatch(2);
        AtomicInteger runs = new AtomicInteger();
        executor.scheduleWithFixedDelay(
                Guard.of("a test", () -> {
                    twice.countDown();
                    if (runs.incrementAndGet() == 1) {
                        throw new IllegalStateException("planted");
                    }
                }),
                0,
                1,
                TimeUnit.MILLISECONDS);
        assertTrue(twice.await(PATIENCE_SECONDS, TimeUnit.SECONDS), "it ran once only");
    }

    @Test
    void an_error_ends_the_process_with_a_message() {
        List<String> ends = new ArrayList<>();
        Guard.endProcessOnError(ends::add);
        Runnable task = Guard.of("a test", () -> {
            throw new StackOverflowError("planted");
        });
        assertThrows(StackOverflowError.class, task::run);
        assertEquals(List.of("a test has met java.lang.StackOverflowError: planted"), ends);
    }

    @Test
    void an_error_on_a_thread_without_a_guard_ends_the_process_as_well() throws InterruptedException {
        List<String> ends = new ArrayList<>();
        Guard.endProcessOnError(ends::add);
        Thread thread = new Thread(
                () -> {
                    throw new LinkageError("planted");
                },
                "unguarded");
        thread.start();
        thread.join(TimeUnit.SECONDS.toMillis(PATIENCE_SECONDS));
        assertEquals(List.of("unguarded has met java.lang.LinkageError: planted"), ends);
        assertNotNull(Thread.getDefaultUncaughtExceptionHandler());
    }

    @Test
    void an_error_in_a_task_that_was_submitted_ends_the_process_though_nobody_looks_at_its_future()
            throws InterruptedException {
        List<String> ends = new ArrayList<>();
        Guard.endProcessOnError(ends::add);
        GuardedPool pool = new GuardedPool("a pool", 1, new LinkedBlockingQueue<>(), Thread::new);
        AtomicInteger runs = new AtomicInteger();
        Future<?> first = pool.submit(() -> {
            throw new LinkageError("planted");
        });
        Future<?> second = pool.submit(() -> {
            runs.incrementAndGet();
            throw new IllegalStateException("planted");
        });
        pool.shutdown();
        assertTrue(pool.awaitTermination(PATIENCE_SECONDS, TimeUnit.SECONDS));
        assertTrue(first.isDone() && second.isDone());
        assertEquals(1, runs.get(), "an exception or error of one task is not that of the next");
        assertEquals(List.of("a pool has met java.lang.LinkageError: planted"), ends);
    }

    @Test
    void an_error_in_the_last_step_of_a_future_or_before_it_ends_the_process() {
        List<String> ends = new ArrayList<>();
        Guard.endProcessOnError(ends::add);
        CompletableFuture<String> answer = new CompletableFuture<>();
        List<String> seen = new ArrayList<>();
        var step = answer.thenApply(text -> {
                    seen.add(text);
                    throw new StackOverflowError("before");
                })
                .whenComplete(Guard.last("a test", (nothing, failure) -> {
                    seen.add("last");
                    throw new LinkageError("in it");
                }));
        answer.complete("answer");
        assertTrue(step.isCompletedExceptionally());
        assertEquals(List.of("answer", "last"), seen);
        assertEquals(
                List.of(
                        "a test has met java.lang.StackOverflowError: before",
                        "a test has met java.lang.LinkageError: in it"),
                ends);
    }
}
