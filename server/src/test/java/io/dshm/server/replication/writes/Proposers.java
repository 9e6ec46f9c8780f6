package io.dshm.server.replication.writes;

import io.dshm.server.replication.contracts.ClockAndRandom;
import io.dshm.server.replication.contracts.RaftLog;
import io.dshm.server.statemachine.ClusterClock;
import io.dshm.server.statemachine.MemoryLimit;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** Proposers for tests in which time plays no part. */
public final class Proposers {

    private Proposers() {}

    /** One that runs on the test's thread, and waits for nobody: a second passes between two looks at its clock. */
    public static Proposer waitingForNobody(RaftLog log, MemoryLimit memory) {
        ClockAndRandom real = ClockAndRandom.real();
        AtomicLong seconds = new AtomicLong();
        ClockAndRandom machine = new ClockAndRandom(
                () -> TimeUnit.SECONDS.toNanos(seconds.incrementAndGet()), real.wallMillis(), real.randomLong());
        Proposer.Timer timer = (nanos, task) -> {
            throw new AssertionError("nobody waits");
        };
        return new Proposer(log, new ClusterClock(System::nanoTime), machine, Runnable::run, timer, memory);
    }
}
