package io.dshm.server.replication;

import io.dshm.proto.Formats;
import io.dshm.server.replication.contracts.ClockAndRandom;
import io.dshm.server.replication.contracts.PeerLinks;
import io.dshm.server.replication.contracts.RaftLog;
import io.dshm.server.replication.reads.LocalReads;
import io.dshm.server.statemachine.ClusterClock;
import java.util.List;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/** Replicators of the node n1, which has started once, for tests. */
public final class TestReplicators {

    /** For a node that leads and so forwards nothing. */
    private static final PeerLinks NO_LINKS = (node, executor, listener) -> {
        throw new AssertionError("this node leads");
    };

    private TestReplicators() {}

    /** One that has no reason to stop its node. */
    public static Replicator of(
            List<? extends ScheduledExecutorService> executors, RaftLog log, LocalReads reads, ClusterClock clock) {
        return of(executors, log, NO_LINKS, reads, clock);
    }

    static Replicator of(
            List<? extends ScheduledExecutorService> executors,
            RaftLog log,
            PeerLinks links,
            LocalReads reads,
            ClusterClock clock) {
        return of(executors, log, links, reads, clock, () -> 2, why -> {
            throw new AssertionError(why);
        });
    }

    static Replicator of(
            List<? extends ScheduledExecutorService> executors,
            RaftLog log,
            LocalReads reads,
            ClusterClock clock,
            LongSupplier furtherStart,
            Consumer<String> fatal) {
        return of(executors, log, NO_LINKS, reads, clock, furtherStart, fatal);
    }

    private static Replicator of(
            List<? extends ScheduledExecutorService> executors,
            RaftLog log,
            PeerLinks links,
            LocalReads reads,
            ClusterClock clock,
            LongSupplier furtherStart,
            Consumer<String> fatal) {
        return new Replicator(
                new Replicator.Identity("n1", 1, 1),
                furtherStart,
                executors,
                TimeUnit.SECONDS.toMillis(20),
                log,
                links,
                reads,
                new ClusterFormat(Formats.NEWEST, () -> Formats.NEWEST, () -> Formats.NEWEST),
                clock,
                ClockAndRandom.real(),
                fatal);
    }
}
