package io.dshm.server.replication.jraft.repairs;

import io.dshm.server.guard.GuardedPool;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadFactory;

/**
 * The threads for the library's closures, without a hand-over where a leader has appended entries: the thread that did
 * that also sends them.
 *
 * <p>SOFAJRaft appends what was proposed on one thread, the one of the node's queue, and from there submits a task for
 * each follower, which builds the request and hands it to the transport. That takes less time than to wake another
 * thread for it, twice an entry. Such a task takes the lock of its replicator, while the lock of the Raft node is held;
 * the library takes them in this order elsewhere, too, and never in the other one (a replicator lets go of its own lock
 * before it calls the node). Nothing else is run here: what waits for other locks, as the closure of a follower that
 * has caught up, is submitted by other threads.
 *
 * <p>A task that such a task submits goes to the pool: the replicator that it is for is in use.
 */
public final class ClosurePool extends GuardedPool {

    /** The library's name of the thread on which a leader appends. */
    private static final String APPENDING = "JRaft-NodeImpl-Disruptor-";

    private final ThreadLocal<Boolean> running = ThreadLocal.withInitial(() -> false);

    /** A pool of so many threads, which end after a minute without work. */
    public ClosurePool(String name, int size, BlockingQueue<Runnable> queue, ThreadFactory threads) {
        super(name, size, queue, threads);
    }

    /** {@inheritDoc} What the library submits is a future: it throws nothing here. */
    @Override
    public void execute(Runnable task) {
        if (!(task instanceof Future) || !mayRunHere()) {
            super.execute(task);
            return;
        }
        running.set(true);
        try {
            task.run();
            afterExecute(task, null);
        } finally {
            running.set(false);
        }
    }

    private boolean mayRunHere() {
        return Thread.currentThread().getName().startsWith(APPENDING) && !running.get() && !isShutdown();
    }
}
