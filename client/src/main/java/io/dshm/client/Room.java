package io.dshm.client;

import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** How many calls may be outstanding, and how many bytes. Thread-safe; without a lock as long as there is room. */
final class Room {

    private final int callsMax;
    private final int bytesMax;
    private final Semaphore calls;
    private final Semaphore bytes;

    Room(int callsMax, int bytesMax) {
        this.callsMax = callsMax;
        this.bytesMax = bytesMax;
        this.calls = new Semaphore(callsMax);
        this.bytes = new Semaphore(bytesMax);
    }

    /** Whether there is room now for a call of that size; it is taken then. */
    boolean take(int size) {
        if (!calls.tryAcquire()) {
            return false;
        }
        if (!bytes.tryAcquire(size)) {
            calls.release();
            return false;
        }
        return true;
    }

    /** Waits for that room; false if there was none in time. */
    boolean await(int size, long nanos) throws InterruptedException {
        long until = System.nanoTime() + nanos;
        if (!calls.tryAcquire(nanos, TimeUnit.NANOSECONDS)) {
            return false;
        }
        boolean taken = false;
        try {
            taken = bytes.tryAcquire(size, until - System.nanoTime(), TimeUnit.NANOSECONDS);
            return taken;
        } finally {
            if (!taken) {
                calls.release();
            }
        }
    }

    /** Waits until nothing is outstanding; not for ever. */
    void awaitEmpty(long nanos) throws InterruptedException {
        if (calls.tryAcquire(callsMax, nanos, TimeUnit.NANOSECONDS)) {
            calls.release(callsMax);
        }
    }

    /** Whether that much could ever be taken. */
    boolean canHold(int size) {
        return size <= bytesMax;
    }

    void giveBack(int size) {
        bytes.release(size);
        calls.release();
    }

    /** How many calls are outstanding. */
    int outstanding() {
        return callsMax - calls.availablePermits();
    }
}
