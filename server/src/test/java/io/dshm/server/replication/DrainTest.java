package io.dshm.server.replication;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Command;
import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.proto.Reply;
import io.dshm.server.replication.contracts.FakeLog;
import io.dshm.server.replication.contracts.Leadership;
import io.dshm.server.replication.reads.LocalReads;
import io.dshm.server.rights.Users;
import io.dshm.server.statemachine.ClusterClock;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** A node stops while a large value, which another lane sends than the one that took it, is on its way. */
class DrainTest {

    private final EmbeddedChannel first = new EmbeddedChannel();
    private final EmbeddedChannel second = new EmbeddedChannel();
    private final FakeLog log = new FakeLog();
    private final ClusterClock clock = new ClusterClock(System::nanoTime);
    private final LocalReads reads = new LocalReads(log.stateMachine, clock, System::nanoTime, 0);
    private final List<Reply> replies = new ArrayList<>();
    private long index;

    /** All that the first lane does by itself, with the log. */
    private void runFirst() {
        do {
            first.runPendingTasks();
            while (!log.proposed.isEmpty()) {
                reads.onApplied(++index);
                log.applyNext();
            }
            first.runPendingTasks();
        } while (!log.proposed.isEmpty());
    }

    @Test
    void a_drain_ends_when_every_large_value_is_answered_and_not_before() {
        Replicator replicator = TestReplicators.of(List.of(first.eventLoop(), second.eventLoop()), log, reads, clock);
        replicator.start(clock, () -> false, () -> 0);
        clock.hear(10_000, 1, true);
        replicator.onLeadership(new Leadership(1, "n1", true));
        runFirst();
        second.runPendingTasks();
        runFirst();
        byte[] value = new byte[Limits.INLINE_VALUE_BYTES_MAX + 1];
        Lane lane = replicator.lane(second.eventLoop());
        lane.submit(new Command.Set(Key.of("a"), 0, value), Users.NOBODY, replies::add);
        lane.submit(new Command.Set(Key.of("b"), 0, value), Users.NOBODY, replies::add);
        CompletableFuture<Void> drained = replicator.drain();
        second.runPendingTasks();
        runFirst();
        first.advanceTimeBy(1, TimeUnit.SECONDS);
        runFirst();
        assertFalse(drained.isDone(), "the clients' lane has not heard of it");
        assertEquals(0, replies.size());
        second.runPendingTasks();
        assertEquals(2, replies.size());
        second.advanceTimeBy(1, TimeUnit.SECONDS);
        second.runPendingTasks();
        first.advanceTimeBy(1, TimeUnit.SECONDS);
        runFirst();
        assertTrue(drained.isDone());
        replicator.close();
    }
}
