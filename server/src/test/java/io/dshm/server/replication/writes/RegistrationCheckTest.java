package io.dshm.server.replication.writes;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.dshm.proto.Formats;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.Forward;
import io.dshm.proto.wire.ForwardReply;
import io.dshm.proto.wire.RegisterNode;
import io.dshm.proto.wire.Result;
import io.dshm.proto.wire.Settled;
import io.dshm.server.replication.contracts.FakeLog;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** A name belongs to the process at the member's address: the leader asks it before it proposes a registration. */
class RegistrationCheckTest {

    private static final long TERM = 3;

    private final FakeLog log = new FakeLog();
    private final Proposer proposer = Proposers.waitingForNobody(log, log.stateMachine.memory());
    private final List<RegisterNode> asked = new ArrayList<>();
    private final CompletableFuture<Boolean> answer = new CompletableFuture<>();
    private final List<ForwardReply> replies = new ArrayList<>();

    private ForwardSession session(int clusterFormat) {
        proposer.setTerm(TERM);
        RegistrationCheck.Members members = (registration, timeoutMillis) -> {
            asked.add(registration);
            return answer;
        };
        return new ForwardSession(
                proposer,
                proposer::flush,
                replies::add,
                Runnable::run,
                new RegistrationCheck(members, () -> clusterFormat));
    }

    private static Forward registration(int format, long... sequences) {
        Forward.Builder forward = Forward.newBuilder()
                .setTerm(TERM)
                .setSettled(Settled.newBuilder().setBelow(1));
        for (long sequence : sequences) {
            forward.addRecords(CommandRecord.newBuilder()
                    .setSequence(sequence)
                    .setRegisterNode(RegisterNode.newBuilder()
                            .setNode("n2")
                            .setFolder(5)
                            .setFormat(format)
                            .addOrigins(21)));
        }
        return forward.build();
    }

    private List<Result.Outcome> outcomes() {
        return replies.stream()
                .flatMap(reply -> reply.getResultsList().stream())
                .map(Result::getOutcome)
                .toList();
    }

    @Test
    void when_the_member_says_that_it_is_its_own_then_it_is_proposed() {
        session(Formats.BOUNDS).onForward(registration(Formats.BOUNDS, 1));
        assertEquals(List.of(), log.sizes(), "not before it has answered");
        answer.complete(true);
        assertEquals(List.of(1), log.sizes());
        assertEquals(5, asked.get(0).getFolder());
    }

    @Test
    void when_the_member_does_not_know_it_then_it_reaches_no_log() {
        session(Formats.BOUNDS).onForward(registration(Formats.BOUNDS, 1));
        answer.complete(false);
        assertEquals(List.of(), log.sizes());
        assertEquals(List.of(Result.Outcome.EXISTS), outcomes());
    }

    @Test
    void when_the_member_does_not_answer_then_it_is_asked_another_time() {
        session(Formats.BOUNDS).onForward(registration(Formats.BOUNDS, 1));
        answer.completeExceptionally(new IOException("no answer"));
        assertEquals(List.of(), log.sizes());
        assertEquals(List.of(Result.Outcome.BUSY), outcomes());
    }

    @Test
    void when_many_come_at_once_then_one_is_asked_about() {
        session(Formats.BOUNDS).onForward(registration(Formats.BOUNDS, 1, 2, 3));
        assertEquals(1, asked.size());
        assertEquals(List.of(Result.Outcome.BUSY, Result.Outcome.BUSY), outcomes());
    }

    @Test
    void when_this_node_leads_no_longer_then_the_registration_goes_to_the_next_leader() {
        session(Formats.BOUNDS).onForward(registration(Formats.BOUNDS, 1));
        proposer.setTerm(0);
        answer.complete(true);
        assertEquals(List.of(), log.sizes());
        assertEquals(TERM, replies.get(0).getRefusedTerm());
        assertEquals(List.of(1L), replies.get(0).getNotLoggedList());
    }

    @Test
    void nodes_of_the_first_format_cannot_answer_and_are_not_asked_before_the_switch() {
        session(Formats.FIRST).onForward(registration(0, 1));
        assertEquals(List.of(1), log.sizes());
        assertEquals(List.of(), asked);
        session(Formats.FIRST).onForward(registration(Formats.BOUNDS, 1));
        assertEquals(1, asked.size(), "who claims to be new can answer");
        session(Formats.BOUNDS).onForward(registration(0, 1));
        assertEquals(2, asked.size());
    }
}
