package io.dshm.server.replication.writes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.dshm.proto.ErrorCode;
import io.dshm.proto.Formats;
import io.dshm.proto.Limits;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.Forward;
import io.dshm.proto.wire.ForwardReply;
import io.dshm.proto.wire.IncrCommand;
import io.dshm.proto.wire.LogEntry;
import io.dshm.proto.wire.MultiCommand;
import io.dshm.proto.wire.RegisterNode;
import io.dshm.proto.wire.Result;
import io.dshm.proto.wire.SetCommand;
import io.dshm.proto.wire.Settled;
import io.dshm.proto.wire.TakeAllCommand;
import io.dshm.proto.wire.TakeCommand;
import io.dshm.server.replication.contracts.ClockAndRandom;
import io.dshm.server.replication.contracts.FakeLog;
import io.dshm.server.replication.contracts.PeerLinks;
import io.dshm.server.replication.contracts.RaftLog;
import io.dshm.server.statemachine.ClusterClock;
import io.dshm.server.statemachine.Outcome;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** An outbox and a proposer, joined directly or by a link, over a log that the test steers. One thread, no time. */
class ProposingTest {

    private static final long ORIGIN = 11;
    private static final long OTHER_ORIGIN = 13;
    private static final long TIMEOUT_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final FakeLog log = new FakeLog();
    private long nowNanos;
    private final ArrayDeque<Runnable> timers = new ArrayDeque<>();
    private final Proposer proposer = new Proposer(
            log,
            new ClusterClock(System::nanoTime),
            new ClockAndRandom(() -> nowNanos, System::currentTimeMillis, () -> 1),
            Runnable::run,
            this::onTimer,
            log.stateMachine.memory());

    private int notTaken;
    private int unknownOrigin;
    private int taken;
    private int room;
    private final Outbox outbox = newOutbox(ORIGIN);
    private final List<String> replies = new ArrayList<>();
    private final List<Forward> onTheLink = new ArrayList<>();

    private final PeerLinks.Link link = new PeerLinks.Link() {
        @Override
        public void send(Forward forward) {
            onTheLink.add(forward);
        }

        @Override
        public void close() {
            onTheLink.clear();
        }
    };

    private void onTimer(long nanos, Runnable task) {
        long due = nowNanos + nanos;
        timers.add(() -> {
            nowNanos = due;
            task.run();
        });
    }

    private Outbox newOutbox(long origin) {
        return new Outbox(origin, new Outbox.Events() {
            @Override
            public void onNotTaken() {
                notTaken++;
            }

            @Override
            public void onTaken() {
                taken++;
            }

            @Override
            public void onRoom() {
                room++;
            }

            @Override
            public void onUnknownOrigin() {
                unknownOrigin++;
            }
        });
    }

    @BeforeEach
    void register() {
        log.propose(
                LogEntry.newBuilder()
                        .addRecords(CommandRecord.newBuilder()
                                .setRegisterNode(RegisterNode.newBuilder()
                                        .setNode("n1")
                                        .addOrigins(ORIGIN)
                                        .addOrigins(OTHER_ORIGIN)))
                        .build()
                        .toByteArray(),
                1,
                new RaftLog.Proposal() {
                    @Override
                    public void applied(long index, Outcome[] outcomes) {}

                    @Override
                    public void refused() {}

                    @Override
                    public void uncertain(String reason) {}
                });
        log.applyNext();
        proposer.setTerm(1);
    }

    private static CommandRecord.Builder increment() {
        return CommandRecord.newBuilder()
                .setIncr(IncrCommand.newBuilder()
                        .setKey(ByteString.copyFromUtf8("k"))
                        .setBy(1));
    }

    private boolean submit(long nowNanos) {
        return outbox.submit(
                increment(),
                new Pending() {
                    @Override
                    public void onOutcome(Outcome outcome, long index) {
                        replies.add(outcome + "@" + index);
                    }

                    @Override
                    public void onFailure(ErrorCode code) {
                        replies.add(code.wireName());
                    }

                    @Override
                    public void onBroken(RuntimeException thrown) {
                        replies.add("broken");
                    }
                },
                nowNanos + TIMEOUT_NANOS);
    }

    private void submit() {
        assertTrue(submit(0));
    }

    private void proposeAndApply(int commands) {
        for (int i = 0; i < commands; i++) {
            submit();
        }
        propose();
        log.applyNext();
    }

    /** So many commands, one after the other. */
    private void proposeEach(int commands) {
        for (int i = 0; i < commands; i++) {
            submit();
            propose();
        }
    }

    private void propose() {
        outbox.sendTo(proposer);
        proposer.flush();
    }

    private ForwardSession session(List<ForwardReply> back) {
        return session(back::add);
    }

    private ForwardSession session(ForwardSession.Peer peer) {
        RegistrationCheck registrations = new RegistrationCheck(
                (registration, timeoutMillis) -> CompletableFuture.completedFuture(true), () -> Formats.NEWEST);
        return new ForwardSession(proposer, proposer::flush, peer, Runnable::run, registrations);
    }

    @Test
    void a_lone_command_goes_out_at_once() {
        submit();
        propose();
        assertEquals(List.of(1), log.sizes());
        log.applyNext();
        assertEquals(List.of("APPLIED(1)@2"), replies);
        assertTrue(outbox.isEmpty());
    }

    @Test
    void commands_that_wait_for_the_same_round_share_an_entry() {
        for (int i = 0; i < 10; i++) {
            submit();
            propose();
        }
        assertEquals(Limits.ENTRIES_IN_FLIGHT_MAX, log.sizes().size());
        log.applyNext();
        assertEquals(10 - Limits.ENTRIES_IN_FLIGHT_MAX, log.sizes().get(Limits.ENTRIES_IN_FLIGHT_MAX - 1));
        while (!log.proposed.isEmpty()) {
            log.applyNext();
        }
        assertEquals(10, replies.size());
        assertEquals("APPLIED(10)@4", replies.get(9));
    }

    @Test
    void an_entry_holds_a_bounded_number_of_commands() {
        for (int i = 0; i < 2 * Limits.ENTRY_COMMANDS_MAX + 1; i++) {
            submit();
        }
        propose();
        assertEquals(List.of(Limits.ENTRY_COMMANDS_MAX, Limits.ENTRY_COMMANDS_MAX), log.sizes());
    }

    @Test
    void an_entry_holds_a_bounded_number_of_requests_within_others() {
        int inEntry = Limits.ENTRY_REQUESTS_MAX / Limits.MULTI_REQUESTS_MAX;
        submit(2 * inEntry + 1, multi(Limits.MULTI_REQUESTS_MAX));
        propose();
        assertEquals(List.of(inEntry, inEntry), log.sizes());
        log.applyNext();
        log.applyNext();
        timers.remove().run();
        assertEquals(List.of(1), log.sizes());
        log.applyNext();
        assertEquals(2 * inEntry + 1, replies.size());
        submit();
        submit(inEntry, multi(Limits.MULTI_REQUESTS_MAX));
        propose();
        assertEquals(List.of(inEntry), log.sizes(), "one request more than what fits");
    }

    @Test
    void the_takes_of_a_TAKE_ALL_count_in_an_entry_and_so_do_those_that_come_over_a_link() {
        int inEntry = Limits.ENTRY_REQUESTS_MAX / Limits.TAKES_MAX;
        submit(inEntry + 1, takeAll(Limits.TAKES_MAX));
        outbox.sendTo(link, 1);
        ForwardSession session = session(new ArrayList<>());
        onTheLink.forEach(session::onForward);
        assertEquals(List.of(inEntry), log.sizes());
        log.applyNext();
        timers.remove().run();
        assertEquals(List.of(1), log.sizes());
    }

    private void submit(int count, CommandRecord.Builder record) {
        for (int i = 0; i < count; i++) {
            assertTrue(outbox.submit(record.clone(), new Told(replies, false), TIMEOUT_NANOS));
        }
    }

    private static CommandRecord.Builder multi(int writes) {
        MultiCommand.Builder multi = MultiCommand.newBuilder();
        for (int i = 0; i < writes; i++) {
            multi.addWrites(increment());
        }
        return CommandRecord.newBuilder().setMulti(multi);
    }

    private static CommandRecord.Builder takeAll(int takes) {
        TakeAllCommand.Builder all = TakeAllCommand.newBuilder();
        for (int i = 0; i < takes; i++) {
            all.addTakes(TakeCommand.newBuilder()
                    .setKey(ByteString.copyFromUtf8("t"))
                    .setLimit(1_000_000)
                    .setPeriodMillis(1_000)
                    .setCost(1));
        }
        return CommandRecord.newBuilder().setTakeAll(all);
    }

    @Test
    void a_small_entry_does_not_follow_a_large_one_before_that_has_landed() {
        for (int i = 0; i < 10; i++) {
            submit();
        }
        propose();
        submit();
        propose();
        assertEquals(List.of(10), log.sizes());
        log.applyNext();
        timers.remove().run();
        assertEquals(List.of(1), log.sizes());
    }

    @Test
    void clients_that_come_back_after_their_answers_share_the_next_entry() {
        proposeAndApply(20);
        proposeEach(17);
        assertEquals(List.of(), log.sizes());
        proposeEach(1);
        assertEquals(List.of(18), log.sizes(), "the last two are not waited for");
    }

    @Test
    void clients_that_do_not_come_back_are_waited_for_for_a_moment() {
        proposeAndApply(20);
        nowNanos += 1;
        proposeEach(1);
        assertEquals(List.of(), log.sizes());
        timers.remove().run();
        assertEquals(Proposer.COMPANY_NANOS, nowNanos, "from when the others were answered");
        assertEquals(List.of(1), log.sizes());
        log.applyNext();
        proposeEach(1);
        assertEquals(List.of(1), log.sizes(), "only one was outstanding");
        assertTrue(timers.isEmpty());
    }

    @Test
    void nobody_is_waited_for_after_a_pause() {
        proposeAndApply(20);
        nowNanos += Proposer.COMPANY_NANOS;
        proposeEach(1);
        assertEquals(List.of(1), log.sizes());
        assertTrue(timers.isEmpty());
    }

    @Test
    void a_timer_of_an_earlier_wait_does_not_end_a_later_one() {
        proposeAndApply(20);
        proposeEach(1);
        nowNanos += Proposer.COMPANY_NANOS / 2;
        proposeEach(17);
        assertEquals(List.of(18), log.sizes());
        log.applyNext();
        proposeEach(3);
        assertEquals(1, timers.size());
        timers.remove().run();
        assertEquals(List.of(), log.sizes());
        timers.remove().run();
        assertEquals(List.of(3), log.sizes());
    }

    @Test
    void a_node_that_no_longer_leads_does_not_propose_what_waited_for_company() {
        proposeAndApply(20);
        proposeEach(1);
        proposer.setTerm(0);
        assertEquals(1, notTaken);
        timers.remove().run();
        assertEquals(List.of(), log.sizes());
    }

    @Test
    void an_entry_that_the_log_never_answers_for_does_not_hold_up_the_others() {
        for (int i = 0; i < 10; i++) {
            submit();
        }
        propose();
        submit();
        propose();
        proposer.expire(nowNanos + TIMEOUT_NANOS, TIMEOUT_NANOS - TimeUnit.SECONDS.toNanos(1));
        assertEquals(1, notTaken);
        assertEquals(List.of(10, 1), log.sizes());
        log.applyNext();
        assertEquals(10, replies.size(), "an answer that comes late is still passed on");
    }

    @Test
    void what_is_refused_is_sent_again_and_takes_effect_once() {
        submit();
        propose();
        log.refuseNext();
        assertEquals(1, notTaken);
        outbox.rewind();
        propose();
        log.applyNext();
        assertEquals(List.of("APPLIED(1)@2"), replies);
    }

    @Test
    void what_was_committed_unseen_is_sent_again_and_answered_like_the_first_time() {
        submit();
        submit();
        propose();
        log.commitUnseen();
        assertEquals(List.of(), replies);
        submit();
        outbox.rewind();
        propose();
        log.applyNext();
        propose();
        log.applyNext();
        assertEquals(List.of("APPLIED(1)@3", "APPLIED(2)@4", "APPLIED(3)@4"), replies);
    }

    @Test
    void what_overtook_a_refused_entry_is_sent_again_behind_it() {
        for (int i = 0; i < 2; i++) {
            submit();
            propose();
        }
        assertEquals(List.of(1, 1), log.sizes());
        log.refuseNext();
        log.applyNext();
        assertEquals(List.of(), replies);
        assertEquals(2, notTaken);
        outbox.rewind();
        propose();
        log.applyNext();
        propose();
        log.applyNext();
        assertEquals(List.of("APPLIED(1)@3", "APPLIED(2)@4"), replies);
    }

    @Test
    void what_waits_when_leadership_ends_is_given_back() {
        for (int i = 0; i < Limits.ENTRIES_IN_FLIGHT_MAX + 5; i++) {
            submit();
            propose();
        }
        proposer.setTerm(0);
        assertEquals(1, notTaken);
        assertEquals(Limits.ENTRIES_IN_FLIGHT_MAX, log.sizes().size());
    }

    @Test
    void a_command_that_nobody_was_told_of_gets_no_leader_and_one_that_was_sent_gets_timeout() {
        submit(0);
        propose();
        submit(1);
        outbox.expire(TIMEOUT_NANOS - 1);
        assertEquals(List.of(), replies);
        outbox.expire(TIMEOUT_NANOS);
        assertEquals(List.of("timeout"), replies);
        outbox.expire(TIMEOUT_NANOS + 1);
        assertEquals(List.of("timeout", "no_leader"), replies);
        assertTrue(outbox.isEmpty());
        log.applyNext();
        assertEquals(2, replies.size(), "a result that comes too late is nobody's");
    }

    @Test
    void a_command_that_is_proven_to_be_in_no_log_gets_no_leader_however_often_it_was_sent() {
        submit();
        propose();
        log.refuseNext();
        outbox.rewind();
        outbox.sendTo(proposer);
        proposer.setTerm(0);
        outbox.rewind();
        List<ForwardReply> back = new ArrayList<>();
        outbox.sendTo(link, 7);
        session(back).onForward(onTheLink.get(0));
        outbox.onNotLogged(back.get(0).getNotLoggedList());
        outbox.expire(TIMEOUT_NANOS);
        assertEquals(List.of("no_leader"), replies);
    }

    @Test
    void when_one_attempt_of_many_may_have_reached_a_log_then_the_outcome_is_open() {
        submit();
        propose();
        log.proposed.remove().proposal().uncertain("stepped down");
        outbox.rewind();
        propose();
        log.refuseNext();
        outbox.expire(TIMEOUT_NANOS);
        assertEquals(List.of("timeout"), replies);
    }

    @Test
    void there_is_a_limit_to_what_may_be_outstanding() {
        for (int i = 0; i < Limits.COMMANDS_OUTSTANDING_MAX; i++) {
            submit();
        }
        assertFalse(submit(0));
    }

    @Test
    void an_origin_that_the_log_does_not_know_is_reported() {
        Outbox stranger = newOutbox(99);
        stranger.submit(
                increment(),
                new Pending() {
                    @Override
                    public void onOutcome(Outcome outcome, long index) {
                        throw new AssertionError(outcome);
                    }

                    @Override
                    public void onFailure(ErrorCode code) {
                        throw new AssertionError(code);
                    }

                    @Override
                    public void onBroken(RuntimeException thrown) {
                        throw new AssertionError(thrown);
                    }
                },
                TIMEOUT_NANOS);
        stranger.sendTo(proposer);
        proposer.flush();
        log.applyNext();
        assertEquals(1, unknownOrigin);
    }

    @Test
    void over_a_link_it_is_the_same() {
        List<ForwardReply> back = new ArrayList<>();
        ForwardSession session = session(back);
        submit();
        submit();
        outbox.sendTo(link, 1);
        assertEquals(1, onTheLink.size());
        session.onForward(onTheLink.get(0));
        log.applyNext();
        outbox.onResults(back.get(0).getIndex(), back.get(0).getResultsList());
        assertEquals(List.of("APPLIED(1)@2", "APPLIED(2)@2"), replies);
        assertEquals(3, outbox.settledBelow());
    }

    @Test
    void a_leader_of_another_term_takes_nothing() {
        List<ForwardReply> back = new ArrayList<>();
        submit();
        outbox.sendTo(link, 2);
        session(back).onForward(onTheLink.get(0));
        assertEquals(2, back.get(0).getRefusedTerm());
        assertTrue(log.proposed.isEmpty());
    }

    @Test
    void what_no_node_of_this_cluster_sends_is_refused() {
        ForwardSession session = session(new ArrayList<>());
        Settled settled = Settled.newBuilder().setOrigin(ORIGIN).setBelow(1).build();
        List<CommandRecord> wrong = List.of(
                increment().setOrigin(12).setSequence(1).build(),
                increment().setOrigin(ORIGIN).setSequence(0).build(),
                increment()
                        .setOrigin(ORIGIN)
                        .setSequence(Limits.COMMANDS_OUTSTANDING_MAX + 2L)
                        .build(),
                CommandRecord.newBuilder().setOrigin(ORIGIN).setSequence(1).build(),
                CommandRecord.newBuilder()
                        .setOrigin(ORIGIN)
                        .setSequence(1)
                        .setIncr(IncrCommand.getDefaultInstance())
                        .build());
        for (CommandRecord record : wrong) {
            Forward forward = Forward.newBuilder()
                    .setTerm(1)
                    .setSettled(settled)
                    .addRecords(record)
                    .build();
            assertThrows(IllegalArgumentException.class, () -> session.onForward(forward), record::toString);
        }
        assertTrue(log.proposed.isEmpty());
    }

    @Test
    void what_one_listener_throws_is_no_loss_of_the_others() {
        Outbox other = newOutbox(OTHER_ORIGIN);
        List<String> others = new ArrayList<>();
        outbox.submit(increment(), new Told(replies, true), TIMEOUT_NANOS);
        outbox.submit(increment(), new Told(replies, false), TIMEOUT_NANOS);
        other.submit(increment(), new Told(others, false), TIMEOUT_NANOS);
        outbox.sendTo(proposer);
        other.sendTo(proposer);
        proposer.flush();
        log.applyNext();
        assertEquals(List.of("broken", "APPLIED(2)"), replies);
        assertEquals(List.of("APPLIED(3)"), others);
        assertTrue(outbox.isEmpty() && other.isEmpty());
    }

    @Test
    void when_one_session_cannot_be_told_then_it_is_closed_and_others_are_told() {
        List<String> closed = new ArrayList<>();
        ForwardSession broken = session(new ForwardSession.Peer() {
            @Override
            public void send(ForwardReply reply) {
                throw new IllegalStateException("no way back");
            }

            @Override
            public void close() {
                closed.add("closed");
            }
        });
        submit();
        outbox.sendTo(link, 1);
        Outbox other = newOutbox(OTHER_ORIGIN);
        other.submit(increment(), new Told(replies, false), TIMEOUT_NANOS);
        broken.onForward(onTheLink.get(0));
        other.sendTo(proposer);
        proposer.flush();
        log.applyNext();
        log.applyNext();
        assertEquals(List.of("closed"), closed);
        assertEquals(List.of("APPLIED(2)"), replies);
    }

    @Test
    void what_is_with_the_leader_is_bounded_in_bytes_and_outcomes_let_more_go() {
        int count = 3 * Limits.FORWARD_BYTES_IN_FLIGHT_MAX / Limits.INLINE_VALUE_BYTES_MAX;
        for (int i = 0; i < count; i++) {
            assertTrue(outbox.submit(large(), new Told(replies, false), TIMEOUT_NANOS));
        }
        outbox.sendTo(link, 1);
        List<CommandRecord> sent = records();
        long bytes = sent.stream().mapToLong(CommandRecord::getSerializedSize).sum();
        assertTrue(bytes >= Limits.FORWARD_BYTES_IN_FLIGHT_MAX, "the link is kept busy");
        assertTrue(bytes < Limits.FORWARD_BYTES_IN_FLIGHT_MAX + 2L * Limits.INLINE_VALUE_BYTES_MAX, bytes + " bytes");
        int before = sent.size();

        outbox.onResults(5, List.of(result(1), result(2), result(3)));
        assertTrue(room > 0, "more may be sent");
        outbox.sendTo(link, 1);
        assertEquals(before + 3, records().size());
        outbox.sendTo(link, 1);
        assertEquals(before + 3, records().size(), "nothing is sent twice");
    }

    @Test
    void a_link_that_takes_no_more_is_sent_no_more() {
        submit();
        outbox.sendTo(
                new PeerLinks.Link() {
                    @Override
                    public void send(Forward forward) {
                        onTheLink.add(forward);
                    }

                    @Override
                    public boolean isWritable() {
                        return false;
                    }

                    @Override
                    public void close() {}
                },
                1);
        assertTrue(onTheLink.isEmpty());
        outbox.sendTo(link, 1);
        assertEquals(1, records().size());
    }

    @Test
    void after_a_refusal_one_command_is_sent_until_it_has_an_outcome_then_all() {
        for (int i = 0; i < 5; i++) {
            submit();
        }
        outbox.sendTo(link, 1);
        assertEquals(5, records().size());
        outbox.onNotTaken(1, List.of(1L, 2L, 3L, 4L, 5L));
        assertEquals(1, notTaken);
        onTheLink.clear();
        outbox.rewind();
        outbox.sendTo(link, 1);
        outbox.sendTo(link, 1);
        assertEquals(
                List.of(1L), records().stream().map(CommandRecord::getSequence).toList());
        assertEquals(0, taken);
        outbox.onResults(5, List.of(result(1)));
        assertEquals(1, taken);
        outbox.sendTo(link, 1);
        assertEquals(
                List.of(1L, 2L, 3L, 4L, 5L),
                records().stream().map(CommandRecord::getSequence).toList());
    }

    @Test
    void a_refusal_that_is_said_twice_proves_nothing_about_the_next_attempt() {
        submit();
        outbox.sendTo(link, 1);
        outbox.onNotLogged(List.of(1L));
        outbox.onNotLogged(List.of(1L));
        outbox.rewind();
        outbox.sendTo(link, 1);
        outbox.expire(TIMEOUT_NANOS);
        assertEquals(List.of("timeout"), replies);
    }

    @Test
    void what_waits_for_a_leader_is_bounded_in_bytes() {
        int taken = 0;
        while (outbox.submit(large(), new Told(replies, false), TIMEOUT_NANOS)) {
            taken++;
        }
        assertEquals(Limits.OUTBOX_BYTES_MAX / Limits.INLINE_VALUE_BYTES_MAX, taken);
        outbox.expire(TIMEOUT_NANOS);
        assertTrue(outbox.submit(large(), new Told(replies, false), 2 * TIMEOUT_NANOS), "there is room again");
    }

    @Test
    void a_connection_of_which_much_waits_in_the_leader_is_not_read_until_half_of_it_is_in_the_log() {
        List<Boolean> reading = new ArrayList<>();
        ForwardSession session = session(new ForwardSession.Peer() {
            @Override
            public void send(ForwardReply reply) {}

            @Override
            public void setReading(boolean whether) {
                reading.add(whether);
            }
        });
        long held = 0;
        for (long sequence = 1; held < Limits.SESSION_BYTES_MAX; sequence++) {
            assertEquals(List.of(), reading);
            CommandRecord record =
                    large().setOrigin(ORIGIN).setSequence(sequence).build();
            held += record.getSerializedSize();
            session.onForward(Forward.newBuilder()
                    .setTerm(1)
                    .setSettled(Settled.newBuilder().setOrigin(ORIGIN).setBelow(1))
                    .addRecords(record)
                    .build());
        }
        assertEquals(List.of(false), reading);
        log.applyNext();
        assertEquals(List.of(false), reading);
        while (!log.proposed.isEmpty()) {
            log.applyNext();
        }
        assertEquals(List.of(false, true), reading);
    }

    private List<CommandRecord> records() {
        return onTheLink.stream()
                .flatMap(forward -> forward.getRecordsList().stream())
                .toList();
    }

    private static CommandRecord.Builder large() {
        return CommandRecord.newBuilder()
                .setSet(SetCommand.newBuilder()
                        .setKey(ByteString.copyFromUtf8("k"))
                        .setValue(UnsafeByteOperations.unsafeWrap(new byte[Limits.INLINE_VALUE_BYTES_MAX])));
    }

    private static Result result(long sequence) {
        return Result.newBuilder().setSequence(sequence).setNumber(1).build();
    }

    /** Writes down what it is told, and throws then if it is to. */
    private static final class Told extends Pending {

        private final List<String> told;
        private final boolean throwing;

        Told(List<String> told, boolean throwing) {
            this.told = told;
            this.throwing = throwing;
        }

        @Override
        public void onOutcome(Outcome outcome, long index) {
            if (throwing) {
                throw new IllegalStateException("planted");
            }
            told.add(outcome.toString());
        }

        @Override
        public void onFailure(ErrorCode code) {
            told.add(code.wireName());
        }

        @Override
        public void onBroken(RuntimeException thrown) {
            told.add("broken");
        }
    }
}
