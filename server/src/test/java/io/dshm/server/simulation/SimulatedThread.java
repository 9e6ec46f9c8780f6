package io.dshm.server.simulation;

import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Delayed;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/** A thread with a queue in virtual time: one task after the other, some microseconds between them. */
final class SimulatedThread extends AbstractExecutorService implements ScheduledExecutorService {

    private final Events events;
    private final Lifetime process;
    private final int pauseMicrosMax;
    private final ArrayDeque<Runnable> ready = new ArrayDeque<>();
    private boolean turnPending;
    private long handedOverNanos;

    /**
     * A thread of that process.
     *
     * @param pauseMicrosMax how long it may let a task wait, once in a while much longer
     */
    SimulatedThread(Events events, Lifetime process, int pauseMicrosMax) {
        this.events = events;
        this.process = process;
        this.pauseMicrosMax = pauseMicrosMax;
    }

    @Override
    public void execute(Runnable task) {
        ready.add(task);
        scheduleTurn();
    }

    /**
     * Hands something from the thread that runs now over to this one: that may take a while, in which the other does
     * nothing else, but others do.
     */
    void handOver(Runnable task) {
        SimulatedThread from = events.current;
        if (from == null || from.process != process) {
            throw new IllegalStateException("not called by a thread of this process");
        }
        long delay = events.oneIn(30) ? events.micros(5_000) : 0;
        from.handedOverNanos = Math.max(from.handedOverNanos, events.nowNanos() + delay);
        process.after(from.handedOverNanos - events.nowNanos(), () -> execute(task));
    }

    private void scheduleTurn() {
        if (!turnPending && !ready.isEmpty()) {
            turnPending = true;
            process.after(events.micros(events.oneIn(500) ? 100 * pauseMicrosMax : pauseMicrosMax), () -> {
                turnPending = false;
                events.current = this;
                ready.remove().run();
                events.current = null;
                scheduleTurn();
            });
        }
    }

    @Override
    public ScheduledFuture<?> schedule(Runnable task, long delay, TimeUnit unit) {
        process.after(unit.toNanos(delay), () -> execute(task));
        return new NeverCancelled();
    }

    @Override
    public ScheduledFuture<?> scheduleWithFixedDelay(Runnable task, long initialDelay, long delay, TimeUnit unit) {
        return schedule(
                () -> {
                    task.run();
                    scheduleWithFixedDelay(task, delay, delay, unit);
                },
                initialDelay,
                unit);
    }

    @Override
    public <V> ScheduledFuture<V> schedule(Callable<V> task, long delay, TimeUnit unit) {
        throw new UnsupportedOperationException();
    }

    @Override
    public ScheduledFuture<?> scheduleAtFixedRate(Runnable task, long initialDelay, long period, TimeUnit unit) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void shutdown() {
        throw new UnsupportedOperationException();
    }

    @Override
    public List<Runnable> shutdownNow() {
        throw new UnsupportedOperationException();
    }

    @Override
    public boolean isShutdown() {
        return false;
    }

    @Override
    public boolean isTerminated() {
        return false;
    }

    @Override
    public boolean awaitTermination(long timeout, TimeUnit unit) {
        throw new UnsupportedOperationException();
    }

    /** Nobody looks at what is scheduled. */
    private static final class NeverCancelled extends CompletableFuture<Object> implements ScheduledFuture<Object> {

        @Override
        public long getDelay(TimeUnit unit) {
            throw new UnsupportedOperationException();
        }

        @Override
        public int compareTo(Delayed other) {
            throw new UnsupportedOperationException();
        }
    }
}
