package io.dshm.server.counters;

import java.util.concurrent.atomic.AtomicLong;

/** A number that one thread writes, without an atomic addition, and that any thread reads. */
public final class Tally {

    private final AtomicLong value = new AtomicLong();

    /** Adds to it. The writer's thread only. */
    public void add(long more) {
        value.setRelease(value.getPlain() + more);
    }

    /** Replaces it. The writer's thread only. */
    public void set(long now) {
        value.setRelease(now);
    }

    /** What it is now. Any thread. */
    public long get() {
        return value.getAcquire();
    }
}
