package io.dshm.server.replication;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Command;
import io.dshm.proto.Formats;
import io.dshm.proto.Key;
import io.dshm.proto.Reply;
import io.dshm.proto.wire.ChangeMember;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.FoundCluster;
import io.dshm.proto.wire.Member;
import io.dshm.proto.wire.RegisterNode;
import io.dshm.proto.wire.SwitchFormat;
import io.dshm.server.replication.contracts.FakeLog;
import io.dshm.server.replication.contracts.Leadership;
import io.dshm.server.replication.reads.LocalReads;
import io.dshm.server.rights.Users;
import io.dshm.server.statemachine.ClusterClock;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The log forgets a node that runs on. */
class RegistrationTest {

    private static final Member SELF =
            Member.newBuilder().setName("n1").setAddress("h1:1:2").build();

    private final EmbeddedChannel first = new EmbeddedChannel();
    private final EmbeddedChannel second = new EmbeddedChannel();
    private final FakeLog log = new FakeLog();
    private final ClusterClock clock = new ClusterClock(System::nanoTime);
    private final LocalReads reads = new LocalReads(log.stateMachine, clock, System::nanoTime, 0);
    private final List<Reply> replies = new ArrayList<>();
    private final List<String> stopped = new ArrayList<>();
    private long starts = 1;
    private long index;

    private final Replicator replicator = TestReplicators.of(
            List.of(first.eventLoop(), second.eventLoop()), log, reads, clock, () -> ++starts, stopped::add);

    @BeforeEach
    void start() {
        replicator.start(clock, () -> false, () -> 0);
        clock.hear(10_000, 1, true);
        reads.onCaughtUp();
        replicator.onLeadership(new Leadership(1, "n1", true));
        run();
        propose(CommandRecord.newBuilder()
                .setSwitchFormat(SwitchFormat.newBuilder().setFormat(Formats.BOUNDS)));
        propose(CommandRecord.newBuilder()
                .setFoundCluster(FoundCluster.newBuilder().setId(7).addMembers(SELF)));
        assertTrue(replicator.isRegistered());
    }

    /** All that the lanes do by themselves, with the log, and what is due within a second. */
    private void run() {
        for (int i = 0; i < 10; i++) {
            first.advanceTimeBy(100, TimeUnit.MILLISECONDS);
            second.advanceTimeBy(100, TimeUnit.MILLISECONDS);
            first.runPendingTasks();
            second.runPendingTasks();
            while (!log.proposed.isEmpty()) {
                reads.onApplied(++index);
                log.applyNext();
                replicator.onAppliedBatch();
            }
        }
    }

    private void propose(CommandRecord.Builder... records) {
        for (CommandRecord.Builder record : records) {
            replicator.propose(record.build());
        }
        run();
    }

    private static CommandRecord.Builder change(boolean removed) {
        return CommandRecord.newBuilder()
                .setChangeMember(ChangeMember.newBuilder().setMember(SELF).setRemoved(removed));
    }

    private void submit(EmbeddedChannel lane) {
        Command.Incr incr = new Command.Incr(Key.of("c"), 1, 0, 0);
        replicator.lane(lane.eventLoop()).submit(incr, Users.NOBODY, replies::add);
    }

    @Test
    void when_it_was_removed_and_added_again_it_registers_as_a_further_start() {
        submit(first);
        submit(second);
        run();
        propose(change(true));
        propose(change(false));
        assertTrue(log.stateMachine.isRegistered("n1"));
        assertEquals(2, starts);
        submit(first);
        submit(second);
        run();
        assertEquals(List.of("1", "2", "3", "4"), texts());
        assertEquals(List.of(), stopped);
    }

    @Test
    void what_was_sent_under_the_old_origins_is_not_sent_again() {
        submit(first);
        first.runPendingTasks();
        reads.onApplied(++index);
        log.commitUnseen();
        propose(change(true), change(false));
        assertEquals(List.of("TIMEOUT"), texts());
        submit(first);
        run();
        assertEquals(List.of("TIMEOUT", "2"), texts());
    }

    @Test
    void when_it_was_removed_it_stops_at_the_next_write() {
        propose(change(true));
        assertEquals(List.of(), stopped);
        submit(second);
        run();
        assertEquals(1, stopped.size());
        assertTrue(stopped.get(0).contains("the node was removed from the cluster"), stopped.get(0));
        assertFalse(replicator.isRegistered());
    }

    @Test
    void when_another_process_has_its_name_it_stops() {
        propose(CommandRecord.newBuilder()
                .setRegisterNode(RegisterNode.newBuilder()
                        .setNode("n1")
                        .setFolder(2)
                        .setStart(1)
                        .setFormat(Formats.NEWEST)
                        .addOrigins(4711)));
        submit(second);
        run();
        assertEquals(1, stopped.size());
        assertTrue(stopped.get(0).contains("another process has registered under its name"), stopped.get(0));
    }

    private List<String> texts() {
        return replies.stream()
                .map(reply -> reply instanceof Reply.Failure failure
                        ? failure.code().name()
                        : Long.toString(((Reply.IntegerValue) reply).number()))
                .toList();
    }
}
