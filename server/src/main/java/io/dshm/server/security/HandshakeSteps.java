package io.dshm.server.security;

import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * The slow steps of one connection's handshake, which threads compute that all connections share. A step that still
 * waits when the connection ends is not computed: else clients that connect and leave would keep these threads at work
 * for nobody. Netty's handler has one step at a time. Thread-safe.
 */
final class HandshakeSteps implements Executor {

    private final Executor threads;
    private final AtomicReference<@Nullable Runnable> waiting = new AtomicReference<>();

    /** @param threads compute the steps; may reject them, and then the connection ends */
    HandshakeSteps(Executor threads) {
        this.threads = threads;
    }

    @Override
    public void execute(Runnable step) {
        waiting.set(step);
        threads.execute(this::compute);
    }

    private void compute() {
        Runnable step = waiting.getAndSet(null);
        if (step != null) {
            step.run();
        }
    }

    /** The connection has ended. */
    void drop() {
        waiting.set(null);
    }
}
