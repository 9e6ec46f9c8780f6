package io.dshm.server;

import io.dshm.server.statemachine.StateMachine;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Purges expired and flushed entries by the clock, whatever the traffic: some {@value #STEPS_A_SECOND} small steps a
 * second, between which entries are applied. At {@link StateMachine#PURGE_BUCKETS_A_STEP} buckets each, five million
 * entries are gone through in a minute and a half. Its thread also looks how many entries were evicted, for the log.
 */
final class Purger implements AutoCloseable {

    private static final int STEPS_A_SECOND = 100;

    /** Between two lines of the log about evictions, at least. */
    private static final int EVICTIONS_SECONDS = 10;

    private final StateMachine stateMachine;
    private final Consumer<String> fatal;
    private final ScheduledExecutorService executor = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "purge");
        thread.setDaemon(true);
        return thread;
    });

    /**
     * @param stateMachine applied to under its monitor
     * @param fatal is told why this node must stop
     */
    Purger(StateMachine stateMachine, Consumer<String> fatal) {
        this.stateMachine = stateMachine;
        this.fatal = fatal;
    }

    void start() {
        long delay = TimeUnit.SECONDS.toNanos(1) / STEPS_A_SECOND;
        executor.scheduleWithFixedDelay(this::step, delay, delay, TimeUnit.NANOSECONDS);
        EvictionLog evictions = new EvictionLog(stateMachine::evictedCount);
        executor.scheduleWithFixedDelay(evictions::look, EVICTIONS_SECONDS, EVICTIONS_SECONDS, TimeUnit.SECONDS);
    }

    private void step() {
        try {
            if (stateMachine.hasToPurge()) {
                synchronized (stateMachine) {
                    stateMachine.purge();
                }
            }
        } catch (RuntimeException | Error e) {
            fatal.accept("expired entries cannot be purged: " + e);
        }
    }

    @Override
    public void close() {
        executor.shutdownNow();
    }
}
