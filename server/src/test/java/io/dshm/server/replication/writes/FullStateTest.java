package io.dshm.server.replication.writes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Command;
import io.dshm.proto.ErrorCode;
import io.dshm.proto.Formats;
import io.dshm.proto.Key;
import io.dshm.proto.Reply;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.LogEntry;
import io.dshm.proto.wire.RegisterNode;
import io.dshm.proto.wire.SwitchFormat;
import io.dshm.server.replication.contracts.RaftLog;
import io.dshm.server.statemachine.ClusterClock;
import io.dshm.server.statemachine.Outcome;
import io.dshm.server.statemachine.StateMachine;
import io.dshm.server.statemachine.StateRoom;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** A leader whose state is full: what would grow is refused, and the commands before and behind it are applied in order. */
class FullStateTest {

    private static final long ORIGIN = 9;

    private final StateMachine stateMachine =
            new StateMachine(new ClusterClock(System::nanoTime), new StateRoom(1000, 100_000, 0));
    private final List<byte[]> proposed = new ArrayList<>();
    private final List<RaftLog.Proposal> proposals = new ArrayList<>();
    private final List<String> replies = new ArrayList<>();
    private final Outbox outbox = new Outbox(ORIGIN, new Outbox.Events() {
        @Override
        public void onNotTaken() {
            notTaken++;
        }

        @Override
        public void onTaken() {}

        @Override
        public void onRoom() {}

        @Override
        public void onUnknownOrigin() {
            throw new AssertionError("the origin is registered");
        }
    });
    private long index;
    private int notTaken;

    private final Proposer proposer = Proposers.waitingForNobody(
            new RaftLog() {
                @Override
                public void propose(byte[] entry, long term, Proposal proposal) {
                    proposed.add(entry);
                    proposals.add(proposal);
                }

                @Override
                public void readIndex(ReadIndexListener listener) {
                    throw new AssertionError("nobody reads");
                }
            },
            stateMachine.memory());

    FullStateTest() {
        apply(LogEntry.newBuilder()
                .addRecords(CommandRecord.newBuilder()
                        .setRegisterNode(RegisterNode.newBuilder().setNode("n1").addOrigins(ORIGIN)))
                .addRecords(CommandRecord.newBuilder()
                        .setSwitchFormat(SwitchFormat.newBuilder().setFormat(Formats.BOUNDS)))
                .build()
                .toByteArray());
        proposer.setTerm(1);
    }

    private Outcome[] apply(byte[] entry) {
        return stateMachine.apply(++index, ByteBuffer.wrap(entry));
    }

    private void submit(Command.Write write) {
        boolean taken = outbox.submit(
                Records.of(write),
                new Pending() {
                    @Override
                    public void onOutcome(Outcome outcome, long at) {
                        Reply reply = Replies.of(write, outcome);
                        replies.add(
                                reply instanceof Reply.Failure failure
                                        ? failure.code().wireName()
                                        : "applied");
                    }

                    @Override
                    public void onFailure(ErrorCode code) {
                        throw new AssertionError(code);
                    }

                    @Override
                    public void onBroken(RuntimeException thrown) {
                        throw thrown;
                    }
                },
                0);
        assertTrue(taken);
    }

    private void commit() {
        outbox.sendTo(proposer);
        proposer.flush();
        while (!proposed.isEmpty()) {
            proposals.remove(0).applied(index + 1, apply(proposed.remove(0)));
        }
    }

    private static Command.Set set(String key, int length) {
        return new Command.Set(Key.of(key), 0, new byte[length]);
    }

    @Test
    void what_would_grow_is_refused_in_its_place_and_the_rest_goes_on() {
        submit(set("a", 500));
        submit(set("b", 500));
        submit(new Command.Delete(Key.of("a")));
        commit();
        assertEquals(List.of("applied", "out_of_memory", "applied"), replies);
        assertEquals(0, stateMachine.store().entryCount());
        assertTrue(outbox.isEmpty());
        replies.clear();
        submit(set("b", 500));
        commit();
        assertEquals(List.of("applied"), replies);
    }

    private boolean isRefused(CommandRecord record) {
        return Objects.requireNonNull(stateMachine.memory().reservation().admit(record))
                .hasRefused();
    }

    @Test
    void what_never_came_into_the_log_holds_no_room() {
        submit(set("a", 500));
        outbox.sendTo(proposer);
        proposer.flush();
        proposals.remove(0).refused();
        assertEquals(1, notTaken);
        proposed.clear();
        outbox.rewind();
        submit(set("b", 20));
        // After a refusal the oldest command goes alone.
        commit();
        commit();
        assertEquals(List.of("applied", "applied"), replies);
        submit(set("c", 150));
        outbox.sendTo(proposer);
        proposer.flush();
        CommandRecord another = Records.of(set("d", 150)).build();
        assertTrue(isRefused(another));
        proposer.setTerm(0);
        assertFalse(isRefused(another));
    }
}
