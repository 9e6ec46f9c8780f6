package io.dshm.server.replication.writes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.dshm.proto.ErrorCode;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.Forward;
import io.dshm.proto.wire.IncrCommand;
import io.dshm.server.replication.contracts.FakeLog;
import io.dshm.server.replication.contracts.Leadership;
import io.dshm.server.replication.contracts.PeerLinks;
import io.dshm.server.statemachine.Outcome;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What goes to a leader that appears, and when. The event loop and the time are the test's. */
class SenderTest {

    private final EmbeddedChannel loop = new EmbeddedChannel();
    private final FakeLog log = new FakeLog();
    private final List<Forward> sent = new ArrayList<>();
    private final List<PeerLinks.Listener> links = new ArrayList<>();
    private final List<String> told = new ArrayList<>();
    private long nanos = 1;
    private final Sender sender = new Sender(
            Proposers.waitingForNobody(log, log.stateMachine.memory()),
            (node, executor, listener) -> {
                links.add(listener);
                return new PeerLinks.Link() {
                    @Override
                    public void send(Forward forward) {
                        sent.add(forward);
                    }

                    @Override
                    public void close() {}
                };
            },
            loop.eventLoop(),
            () -> nanos,
            () -> true,
            () -> {});
    private final Outbox outbox = sender.addOutbox(7);

    private void submit(String name, long deadlineNanos) {
        CommandRecord.Builder record = CommandRecord.newBuilder()
                .setIncr(IncrCommand.newBuilder()
                        .setKey(ByteString.copyFromUtf8(name))
                        .setBy(1));
        assertTrue(outbox.submit(
                record,
                new Pending() {
                    @Override
                    public void onOutcome(Outcome outcome, long index) {
                        told.add(name + " " + outcome);
                    }

                    @Override
                    public void onFailure(ErrorCode code) {
                        told.add(name + " " + code.wireName());
                    }

                    @Override
                    public void onBroken(RuntimeException thrown) {
                        told.add(name + " broken");
                    }
                },
                deadlineNanos));
        sender.requestFlush();
    }

    private List<Long> numbersSent() {
        return sent.stream()
                .flatMap(forward -> forward.getRecordsList().stream())
                .map(CommandRecord::getSequence)
                .toList();
    }

    @Test
    void a_command_whose_time_is_up_is_answered_instead_of_sent() {
        submit("a", 100);
        submit("b", 200);
        loop.runPendingTasks();
        nanos = 150;
        sender.onLeadership(new Leadership(1, "n2", false));
        links.get(0).onOpen();
        assertEquals(List.of("a no_leader"), told, "it was never sent, so it takes no effect");
        assertEquals(List.of(2L), numbersSent());
        assertEquals(2, sent.get(0).getSettled().getBelow(), "the log waits for no number that never comes");
    }

    @Test
    void one_that_was_sent_before_is_not_sent_again_and_its_outcome_is_not_known() {
        sender.onLeadership(new Leadership(1, "n2", false));
        links.get(0).onOpen();
        submit("a", 100);
        submit("b", 200);
        loop.runPendingTasks();
        assertEquals(List.of(1L, 2L), numbersSent());
        sent.clear();
        nanos = 150;
        sender.onLeadership(new Leadership(2, "n3", false));
        links.get(1).onOpen();
        assertEquals(List.of("a timeout"), told);
        assertEquals(List.of(2L), numbersSent());
    }

    @Test
    void while_nobody_leads_and_nothing_expires_the_loop_has_nothing_to_do() {
        submit("a", 100);
        loop.runPendingTasks();
        loop.eventLoop().execute(() -> told.add("the loop is free"));
        loop.runPendingTasks();
        assertEquals(List.of("the loop is free"), told);
        assertEquals(0, sent.size());
    }
}
