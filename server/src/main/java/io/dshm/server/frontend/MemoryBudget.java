package io.dshm.server.frontend;

import io.dshm.proto.text.ValueBudget;
import java.util.concurrent.atomic.AtomicLong;

/** Bytes that all connections together may hold in values on their way into the log. Thread-safe. */
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

    /** What is reserved now. */
    public long bytesReserved() {
        return bytes.get();
    }
}
