package io.dshm.server.simulation;

import java.util.PriorityQueue;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** Virtual time, what is going to happen in it, and the run's random numbers. */
final class Events {

    private record Event(long atNanos, long number, Runnable task) implements Comparable<Event> {

        @Override
        public int compareTo(Event that) {
            return atNanos != that.atNanos ? Long.compare(atNanos, that.atNanos) : Long.compare(number, that.number);
        }
    }

    final Random random;
    private final PriorityQueue<Event> queue = new PriorityQueue<>();
    private long nowNanos;

    /** The simulated thread whose task runs, if one does. */
    @Nullable
    SimulatedThread current;

    private long nextNumber;

    Events(long seed) {
        this.random = new Random(seed);
    }

    /** Nanoseconds since the run began. */
    long nowNanos() {
        return nowNanos;
    }

    long nowMillis() {
        return nowNanos / 1_000_000;
    }

    void after(long delayNanos, Runnable task) {
        queue.add(new Event(nowNanos + delayNanos, nextNumber++, task));
    }

    /** Lets the next event happen. */
    void runNext() {
        Event next = queue.remove();
        nowNanos = next.atNanos;
        next.task.run();
    }

    /** A random duration in nanoseconds, up to that many microseconds. */
    long micros(int max) {
        return 1_000L * (1 + random.nextInt(max));
    }

    /** A random duration in nanoseconds, from some to some more milliseconds. */
    long millis(int min, int max) {
        return 1_000_000L * min + random.nextInt(1_000_000) + 1_000_000L * random.nextInt(max - min + 1);
    }

    boolean oneIn(int chances) {
        return random.nextInt(chances) == 0;
    }
}
