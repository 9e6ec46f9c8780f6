package io.dshm.server.replication.jraft.repairs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ClosurePoolTest {

    private final ClosurePool pool = new ClosurePool("closures", 1, new LinkedBlockingQueue<>(), Thread::new);

    @AfterEach
    void stop() {
        pool.shutdown();
    }

    /** Runs a task on a thread of that name; the same thread's, if it ran there. */
    private static void onThread(String name, ThrowingRunnable task) throws Exception {
        CompletableFuture<Void> done = new CompletableFuture<>();
        new Thread(
                        () -> {
                            try {
                                task.run();
                                done.complete(null);
                            } catch (Exception | AssertionError e) {
                                done.completeExceptionally(e);
                            }
                        },
                        name)
                .start();
        done.get();
    }

    private interface ThrowingRunnable {
        void run() throws Exception;
    }

    @Test
    void the_thread_that_appends_sends_as_well() throws Exception {
        onThread("JRaft-NodeImpl-Disruptor-0", () -> {
            assertEquals(
                    Thread.currentThread(), pool.submit(Thread::currentThread).get());
            // Not only once.
            assertEquals(
                    Thread.currentThread(), pool.submit(Thread::currentThread).get());
        });
    }

    @Test
    void what_such_a_task_submits_and_what_other_threads_submit_runs_in_the_pool() throws Exception {
        onThread("JRaft-NodeImpl-Disruptor-0", () -> {
            Future<Future<Thread>> inner = pool.submit(() -> pool.submit(Thread::currentThread));
            assertNotEquals(Thread.currentThread(), inner.get().get());
        });
        onThread("JRaft-LogManager-Disruptor-0", () -> {
            assertNotEquals(
                    Thread.currentThread(), pool.submit(Thread::currentThread).get());
        });
    }

    @Test
    void a_task_that_throws_takes_nothing_with_it() throws Exception {
        onThread("JRaft-NodeImpl-Disruptor-0", () -> {
            pool.submit(() -> {
                throw new IllegalStateException("thrown by the test");
            });
            assertEquals(
                    Thread.currentThread(), pool.submit(Thread::currentThread).get());
        });
    }
}
