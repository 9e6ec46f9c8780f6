package io.dshm.server.guard;

import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Threads for tasks of a library, which may submit them and never look at their futures: what they throw is reported,
 * and an error ends the process. See {@link Guard}.
 */
public class GuardedPool extends ThreadPoolExecutor {

    private final String name;

    /** A pool of so many threads, which end after a minute without work. */
    public GuardedPool(String name, int size, BlockingQueue<Runnable> queue, ThreadFactory threads) {
        super(size, size, 60, TimeUnit.SECONDS, queue, threads);
        allowCoreThreadTimeOut(true);
        this.name = name;
    }

    /** What {@code execute} throws goes to the thread's handler; what {@code submit} throws is found here only. */
    @Override
    protected void afterExecute(Runnable task, @Nullable Throwable thrown) {
        super.afterExecute(task, thrown);
        if (thrown == null && task instanceof Future<?> future && future.isDone()) {
            try {
                future.get();
            } catch (ExecutionException e) {
                Guard.thrown(name, e.getCause() == null ? e : e.getCause());
            } catch (CancellationException e) {
                // Its owner wanted it no more.
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
