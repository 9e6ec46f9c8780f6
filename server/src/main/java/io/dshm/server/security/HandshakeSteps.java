package io.dshm.server.security;

import java.util.concurrent.Executor;
import java.util.concurrent.ThreadPoolExecutor;
import org.jspecify.annotations.Nullable;

/**
 * The slow steps of one connection's handshake, on threads that many connections share. When the connection ends, its
 * waiting step is forgotten: it would be computed for nobody, and others would wait behind it.
 *
 * <p>Netty's handler hands over one step at a time. Were there ever two, one would do: each takes what the engine has.
 *
 * <p>Confined to the connection's event loop, but for the computing.
 */
final class HandshakeSteps implements Executor {

    private final Executor shared;

    /** What the shared threads are given: one object, so that it can be taken back. */
    private final Runnable compute = this::compute;

    private volatile @Nullable Runnable waiting;
    private boolean dropped;

    /** @param shared if it is a pool, what waits in its queue is taken back when the connection ends */
    HandshakeSteps(Executor shared) {
        this.shared = shared;
    }

    /** @throws java.util.concurrent.RejectedExecutionException if too many wait */
    @Override
    public void execute(Runnable step) {
        // The step that was computed while the connection ended may have another one behind it.
        if (!dropped) {
            waiting = step;
            shared.execute(compute);
        }
    }

    private void compute() {
        Runnable step = waiting;
        waiting = null;
        if (step != null) {
            step.run();
        }
    }

    /** Computes nothing more, but for the end of a step that is being computed. */
    void drop() {
        dropped = true;
        if (waiting != null) {
            waiting = null;
            if (shared instanceof ThreadPoolExecutor pool) {
                // It looks through the queue: some 20 us with 12,000 in it, and a step takes milliseconds.
                pool.remove(compute);
            }
        }
    }
}
