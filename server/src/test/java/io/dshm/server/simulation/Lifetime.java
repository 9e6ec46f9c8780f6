package io.dshm.server.simulation;

/** One start of a node, as the machine sees it: it can be held, and it can be killed. */
final class Lifetime {

    private final Events events;
    private boolean dead;
    private long heldUntilNanos;

    Lifetime(Events events) {
        this.events = events;
    }

    /** Something that happens in this process after a while; never if it is dead by then, later if it is held. */
    void after(long delayNanos, Runnable task) {
        events.after(delayNanos, () -> run(task));
    }

    private void run(Runnable task) {
        if (dead) {
            return;
        }
        if (isHeld()) {
            // In the order in which it would have happened: what is added at one instant keeps its order.
            events.after(heldUntilNanos - events.nowNanos(), () -> run(task));
        } else {
            task.run();
        }
    }

    void kill() {
        dead = true;
    }

    void holdFor(long nanos) {
        heldUntilNanos = events.nowNanos() + nanos;
    }

    boolean isDead() {
        return dead;
    }

    /** Whether it can answer now. */
    boolean isRunning() {
        return !dead && !isHeld();
    }

    private boolean isHeld() {
        return heldUntilNanos > events.nowNanos();
    }
}
