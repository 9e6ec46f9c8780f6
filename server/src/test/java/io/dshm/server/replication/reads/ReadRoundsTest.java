package io.dshm.server.replication.reads;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Reply;
import io.dshm.server.replication.contracts.FakeLog;
import io.dshm.server.replication.contracts.RaftLog;
import io.dshm.server.replication.contracts.ReplyListener;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Rounds over a log that the test answers for. One thread, no time but the test's. */
class ReadRoundsTest {

    private static final long DEADLINE = 1_000;

    private final FakeLog log = new FakeLog();
    private final List<Long> confirmedSince = new ArrayList<>();
    private final List<String> told = new ArrayList<>();
    private long nanos = 10;
    private final ReadRounds rounds = new ReadRounds(log, Runnable::run, () -> nanos, confirmedSince::add);

    private void add(String name) {
        rounds.add(new ReadRounds.Waiting() {
            @Override
            public long deadlineNanos() {
                return DEADLINE;
            }

            @Override
            public void onConfirmed() {
                told.add(name);
            }

            @Override
            public ReplyListener listener() {
                return reply ->
                        told.add(name + " " + ((Reply.Failure) reply).code().wireName());
            }
        });
    }

    @Test
    void a_read_never_rides_a_round_that_began_before_it() {
        add("first");
        nanos = 20;
        add("second");
        add("third");
        assertEquals(1, log.questions.size(), "one round at a time");
        nanos = 30;
        log.questions.remove().confirmed();
        assertEquals(List.of("first"), told);
        assertEquals(List.of(10L), confirmedSince);
        assertEquals(1, log.questions.size(), "those that came meanwhile share the next one");
        log.questions.remove().confirmed();
        assertEquals(List.of("first", "second", "third"), told);
        assertEquals(List.of(10L, 30L), confirmedSince);
        assertTrue(rounds.isEmpty());
        assertTrue(log.questions.isEmpty(), "nobody waits, so nobody asks");
    }

    @Test
    void when_a_round_fails_then_its_reads_ask_again_after_a_while() {
        add("read");
        log.questions.remove().failed("no leader");
        assertTrue(log.questions.isEmpty(), "not at once: it would fail again");
        assertFalse(rounds.isEmpty());
        rounds.onTimer(DEADLINE - 1);
        log.questions.remove().confirmed();
        assertEquals(List.of("read"), told);
    }

    @Test
    void when_somebody_else_leads_then_the_question_is_asked_anew_and_the_old_answer_counts_no_more() {
        add("read");
        RaftLog.ReadIndexListener old = log.questions.remove();
        rounds.onLeadership();
        assertEquals(1, log.questions.size());
        old.confirmed();
        assertEquals(List.of(), told, "its reads wait for the other one by now");
        log.questions.remove().confirmed();
        assertEquals(List.of("read"), told);
    }

    @Test
    void when_no_round_ends_in_time_then_the_reads_fail_in_whatever_round_they_are() {
        add("in the round");
        add("behind it");
        rounds.onTimer(DEADLINE);
        assertEquals(Set.of("in the round no_leader", "behind it no_leader"), Set.copyOf(told));
        assertTrue(rounds.isEmpty());
        log.questions.remove().confirmed();
        assertEquals(2, told.size(), "nobody is told twice");
    }

    @Test
    void a_round_can_be_asked_for_without_a_read() {
        rounds.request();
        rounds.request();
        assertEquals(1, log.questions.size());
        log.questions.remove().confirmed();
        assertEquals(1, log.questions.size(), "the second request came after the first round had begun");
        log.questions.remove().confirmed();
        assertEquals(2, confirmedSince.size());
        assertTrue(log.questions.isEmpty());
    }
}
