package io.dshm.server.replication.jraft;

import io.dshm.server.guard.GuardedPool;
import io.dshm.server.replication.jraft.repairs.ClosurePool;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.atomic.AtomicInteger;

/** The threads of a {@link RaftGroup}, beside those that the library starts by itself. They keep no process alive. */
final class RaftThreads {

    /** One may write a snapshot while another sees to time-outs. */
    private static final int BACKGROUND_THREADS = 2;

    /** For the library's closures, and for its requests; further ones wait in a queue, and are never rejected. */
    private static final int POOL_THREADS = 8;

    private final ThreadPoolExecutor closures =
            new ClosurePool("raft-closure-", POOL_THREADS, new LinkedBlockingQueue<>(), daemons("raft-closure-"));
    private final ThreadPoolExecutor requests =
            new GuardedPool("raft-request-", POOL_THREADS, new LinkedBlockingQueue<>(), daemons("raft-request-"));
    private final ScheduledThreadPoolExecutor background =
            new ScheduledThreadPoolExecutor(BACKGROUND_THREADS, daemons("raft-background-"));

    RaftThreads() {
        background.setRemoveOnCancelPolicy(true);
    }

    /** For what the library calls back. */
    ThreadPoolExecutor closures() {
        return closures;
    }

    /** For what other nodes ask. */
    ThreadPoolExecutor requests() {
        return requests;
    }

    /** For time-outs, snapshots and whatever else is this project's own. */
    ScheduledThreadPoolExecutor background() {
        return background;
    }

    /** Takes nothing new. What the library has begun goes on to its end; what waits in the background is dropped. */
    void stop() {
        closures.shutdown();
        requests.shutdown();
        background.shutdownNow();
    }

    private static ThreadFactory daemons(String name) {
        AtomicInteger number = new AtomicInteger();
        return task -> {
            Thread thread = new Thread(task, name + number.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        };
    }
}
