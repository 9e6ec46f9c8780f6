package io.dshm.server.frontend;

import io.dshm.proto.text.ValueBudget;
import java.util.concurrent.atomic.AtomicLong;

/** How many bytes all connections together may hold for one purpose, and how many they hold. Thread-safe. */
public final class MemoryBudget implements ValueBudget {

    private final long bytesMax;
    private final AtomicLong bytes = new AtomicLong();

    /** A budget of that many bytes. */
    public MemoryBudget(long bytesMax) {
        this.bytesMax = bytesMax;
    }

    @Override
    public boolean reserve(int wanted) {
        if (bytes.addAndGet(wanted) <= bytesMax) {
            return true;
        }
        bytes.addAndGet(-wanted);
        return false;
    }

    @Override
    public void release(int reserved) {
        bytes.addAndGet(-reserved);
    }

    /** Counts what is held already, even beyond the maximum; less than 0 gives back. */
    void add(long held) {
        bytes.addAndGet(held);
    }

    /** Whether so many bytes more are within the maximum. */
    boolean hasRoomFor(long more) {
        return bytes.get() + more <= bytesMax;
    }

    /** Whether less than an eighth of the maximum is left. */
    boolean isNearlyFull() {
        return !hasRoomFor(bytesMax / 8);
    }

    /** What may be held. */
    public long bytesMax() {
        return bytesMax;
    }

    /** What is held now. */
    public long bytesReserved() {
        return bytes.get();
    }
}
