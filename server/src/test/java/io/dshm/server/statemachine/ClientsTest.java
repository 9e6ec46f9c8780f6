package io.dshm.server.statemachine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.dshm.proto.Limits;
import io.dshm.proto.wire.CommandRecord;
import org.junit.jupiter.api.Test;

/** Commands that a client may send again, through whichever node: each has a number of its node and one of its own. */
class ClientsTest {

    private static final long CLIENT = 77;

    private final Log log = new Log();
    private final StateMachine stateMachine = StateMachineTest.newStateMachine();

    private Outcome run(long client, long sequence, CommandRecord.Builder record) {
        return log.run(stateMachine, record.setClient(client).setClientSequence(sequence));
    }

    private Outcome run(long sequence, CommandRecord.Builder record) {
        return run(CLIENT, sequence, record);
    }

    @Test
    void a_command_that_comes_through_two_nodes_takes_effect_once() {
        assertEquals(5, run(1, Log.incr("k", 5, 0)).number());
        assertEquals(6, run(2, Log.incr("k", 1, 0)).number());
        assertEquals(5, run(1, Log.incr("k", 5, 0)).number());
        assertEquals(11, run(78, 1, Log.incr("k", 5, 0)).number(), "of another client");
    }

    @Test
    void an_element_that_was_taken_off_is_told_again() {
        run(1, Log.push("l", true, "a"));
        run(2, Log.push("l", true, "b"));
        assertArrayEquals(new byte[] {'b'}, run(3, Log.pop("l", true)).value());
        assertArrayEquals(new byte[] {'b'}, run(3, Log.pop("l", true)).value());
        assertArrayEquals(new byte[] {'a'}, run(4, Log.pop("l", true)).value());
    }

    @Test
    void commands_may_come_in_any_order_within_the_window() {
        assertEquals(1, run(Limits.CLIENT_OUTCOMES_MAX, Log.incr("k", 1, 0)).number());
        assertEquals(2, run(1, Log.incr("k", 1, 0)).number());
        assertEquals(1, run(Limits.CLIENT_OUTCOMES_MAX, Log.incr("k", 1, 0)).number());
        assertEquals(3, run(Limits.CLIENT_OUTCOMES_MAX + 1, Log.incr("k", 1, 0)).number());
        assertEquals(Outcome.Kind.ALREADY_SETTLED, run(1, Log.incr("k", 1, 0)).kind());
        assertEquals(4, run(2, Log.incr("k", 1, 0)).number());
        assertEquals(5, run(999_999_999_999_999_999L, Log.incr("k", 1, 0)).number());
        assertEquals(Outcome.Kind.ALREADY_SETTLED, run(2, Log.incr("k", 1, 0)).kind());
    }

    @Test
    void a_value_that_did_not_arrive_whole_may_be_sent_again() {
        assertEquals(
                Outcome.Kind.CHUNKS_MISSING, run(1, Log.setChunked("k", 1, 3)).kind());
        log.run(stateMachine, Log.chunk(2, 3, 0, "abc"));
        assertEquals(Outcome.Kind.APPLIED, run(1, Log.setChunked("k", 2, 3)).kind());
        log.run(stateMachine, Log.chunk(3, 3, 0, "abc"));
        assertEquals(Outcome.Kind.APPLIED, run(1, Log.setChunked("k", 3, 3)).kind());
        assertEquals(
                Outcome.Kind.CHUNKS_MISSING,
                log.run(stateMachine, Log.setChunked("k", 3, 3)).kind(),
                "the pieces that came again are not kept");
    }

    @Test
    void a_long_outcome_is_not_remembered_and_not_applied_again() {
        String element = "x".repeat(Limits.OUTCOME_VALUE_BYTES_MAX + 1);
        run(1, Log.push("l", true, element));
        run(2, Log.push("l", true, element));
        assertEquals(Outcome.Kind.APPLIED, run(3, Log.pop("l", true)).kind());
        assertEquals(Outcome.Kind.ALREADY_SETTLED, run(3, Log.pop("l", true)).kind());
        assertEquals(2, run(4, Log.push("l", true, "y")).number());
    }

    @Test
    void a_client_is_known_for_as_long_after_its_last_command_as_was_said() {
        run(1, Log.incr("k", 1, 0));
        log.passSeconds(Limits.CLIENT_IDLE_MILLIS / 1000.0);
        assertEquals(1, run(1, Log.incr("k", 1, 0)).number(), "known");
        log.passSeconds(Limits.CLIENT_IDLE_MILLIS / 1000.0);
        assertEquals(1, run(1, Log.incr("k", 1, 0)).number(), "asked again meanwhile");
        log.passSeconds(Limits.CLIENT_IDLE_MILLIS / 1000.0 + 0.001);
        assertEquals(2, run(1, Log.incr("k", 1, 0)).number(), "forgotten");
    }

    @Test
    void when_there_is_no_room_then_a_newcomer_is_refused_and_nobody_forgotten() {
        for (int client = 0; client < Limits.CLIENTS_MAX; client++) {
            assertEquals(client + 1, run(client, 1, Log.incr("k", 1, 0)).number());
        }
        assertEquals(
                Outcome.Kind.BUSY,
                run(Limits.CLIENTS_MAX, 1, Log.incr("k", 1, 0)).kind());
        assertEquals(1, run(0, 1, Log.incr("k", 1, 0)).number());
        log.passSeconds(Limits.CLIENT_IDLE_MILLIS / 1000.0 + 0.001);
        assertEquals(
                Limits.CLIENTS_MAX + 1,
                run(Limits.CLIENTS_MAX, 1, Log.incr("k", 1, 0)).number());
    }

    @Test
    void several_writes_count_as_one() {
        CommandRecord.Builder both = Log.multi(Log.incr("a", 1, 0), Log.incr("b", 1, 0));
        assertEquals(2, run(1, both).several().size());
        assertEquals(2, run(1, both).several().size());
        assertEquals(2, run(2, Log.incr("a", 1, 0)).number());
    }
}
