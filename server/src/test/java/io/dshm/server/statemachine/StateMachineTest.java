package io.dshm.server.statemachine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.server.store.Entry;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class StateMachineTest {

    private final Log log = new Log();
    private final StateMachine stateMachine = newStateMachine();

    static StateMachine newStateMachine() {
        return new StateMachine(new ClusterClock(System::nanoTime));
    }

    /** What a read would see at the log's time. */
    static @Nullable String read(StateMachine stateMachine, Log log, String key) {
        Key wireKey = Key.of(key);
        Entry entry = stateMachine.store().get(wireKey.bytes(), wireKey.hash());
        return entry == null || entry.isExpiredAt(log.nowMillis())
                ? null
                : entry.isPlain() ? new String(entry.value(), StandardCharsets.UTF_8) : "no plain value";
    }

    private @Nullable String read(String key) {
        return read(stateMachine, log, key);
    }

    private Outcome run(CommandRecord.Builder record) {
        return log.run(stateMachine, record);
    }

    @Test
    void when_a_command_comes_a_second_time_then_it_is_answered_like_the_first_time_and_changes_nothing() {
        CommandRecord.Builder increment = log.next(Log.incr("k", 5, 0));
        log.append(increment);
        assertEquals(5, log.applyTo(stateMachine)[0].number());
        assertEquals(6, run(Log.incr("k", 1, 0)).number());

        log.append(increment);
        assertEquals(5, log.applyTo(stateMachine)[0].number());
        assertEquals("6", read("k"));
    }

    @Test
    void when_an_origin_has_settled_then_a_late_copy_is_still_not_applied() {
        CommandRecord.Builder increment = log.next(Log.incr("k", 5, 0));
        log.append(increment);
        log.settle(2);
        log.append(increment);
        assertEquals(Outcome.Kind.ALREADY_SETTLED, log.applyTo(stateMachine)[0].kind());
        assertEquals("5", read("k"));
    }

    @Test
    void a_command_is_not_applied_before_those_before_it() {
        CommandRecord.Builder first = log.next(Log.incr("k", 1, 0));
        CommandRecord.Builder second = log.next(Log.set("k", "7", 0));
        log.append(second);
        assertEquals(Outcome.Kind.AHEAD, log.applyTo(stateMachine)[0].kind());
        log.append(first, second);
        assertEquals(Outcome.Kind.APPLIED, log.applyTo(stateMachine)[1].kind());
        assertEquals("7", read("k"));
    }

    @Test
    void many_commands_in_one_entry_do_what_they_do_in_entries_of_their_own() {
        Log single = new Log();
        StateMachine other = newStateMachine();
        CommandRecord.Builder[] together = new CommandRecord.Builder[Limits.ENTRY_COMMANDS_MAX];
        String[] expected = new String[together.length];
        for (int i = 0; i < together.length; i++) {
            together[i] = log.next(some(i));
            expected[i] = single.run(other, some(i)).toString();
        }
        log.append(together);
        Outcome[] outcomes = log.applyTo(stateMachine);
        for (int i = 0; i < together.length; i++) {
            assertEquals(expected[i], outcomes[i].toString(), "command " + i);
        }
        assertEquals(other.store().entryCount(), stateMachine.store().entryCount());
        assertEquals(other.bytes(), stateMachine.bytes());
    }

    /** A few keys, a long one among them. */
    private static CommandRecord.Builder some(int i) {
        String key = i % 7 == 0 ? "long".repeat(200) : "k" + i % 31;
        return switch (i % 11) {
            case 0, 1 -> Log.set(key, "" + i, i % 3);
            case 2 -> Log.touch(key, 1);
            case 3 -> Log.delete(key);
            case 4 -> Log.rateLimiter("l" + key, 3, 7);
            case 5 -> Log.put(key, i, i % 3);
            case 6 -> Log.expire(key, 2);
            case 7 -> Log.incrNumber(key, 0.5);
            case 8 -> Log.push("list", true, "e");
            case 9 -> Log.flushAll("r");
            default -> Log.incr(key, 1, 0);
        };
    }

    @Test
    void a_command_need_not_wait_for_one_that_its_origin_has_settled() {
        log.next(Log.incr("k", 1, 0)); // given up, and never in the log
        CommandRecord.Builder second = log.next(Log.incr("k", 10, 0));
        log.settle(2);
        log.append(second);
        assertEquals(Outcome.Kind.APPLIED, log.applyTo(stateMachine)[0].kind());
        assertEquals("10", read("k"));
    }

    @Test
    void when_a_node_starts_anew_then_commands_of_its_earlier_start_are_refused() {
        run(Log.incr("k", 1, 0));
        log.append(Log.register("n1", 1, 2, 99));
        assertEquals(Outcome.Kind.UNKNOWN_ORIGIN, run(Log.incr("k", 1, 0)).kind());
        assertEquals("1", read("k"));
    }

    @Test
    void when_a_registration_is_overtaken_by_a_later_one_then_it_is_ignored() {
        log.append(Log.register("n1", 1, 3, 99));
        log.append(Log.register("n1", 1, 2, 98));
        log.append(Log.incr("k", 1, 0).setOrigin(98).setSequence(1));
        assertEquals(Outcome.Kind.UNKNOWN_ORIGIN, log.applyTo(stateMachine)[0].kind());
        log.append(Log.incr("k", 1, 0).setOrigin(99).setSequence(1));
        assertEquals(1, log.applyTo(stateMachine)[0].number());
    }

    @Test
    void when_a_node_lost_its_folder_then_its_new_start_counts_whatever_its_number() {
        log.append(Log.register("n1", 1, 9, 98));
        log.append(Log.register("n1", 2, 1, 99));
        log.append(Log.incr("k", 1, 0).setOrigin(99).setSequence(1));
        assertEquals(1, log.applyTo(stateMachine)[0].number());
    }

    @Test
    void when_the_deadline_comes_then_a_write_sees_nothing() {
        run(Log.set("k", "10", 2));
        log.passSeconds(1.999);
        assertEquals(11, run(Log.incr("k", 1, 0)).number());
        log.passSeconds(0.001);
        assertEquals(1, run(Log.incr("k", 1, 0)).number());
    }

    @Test
    void when_a_key_is_deleted_then_the_outcome_says_whether_anything_was_there_also_to_a_repeat() {
        run(Log.set("k", "v", 2));
        CommandRecord.Builder first = log.next(Log.delete("k"));
        log.append(first);
        assertFalse(log.applyTo(stateMachine)[0].isAbsent());
        assertTrue(run(Log.delete("k")).isAbsent());
        log.append(first);
        assertFalse(log.applyTo(stateMachine)[0].isAbsent(), "the first time's outcome");

        run(Log.set("k", "v", 2));
        log.passSeconds(2);
        Outcome late = run(Log.delete("k"));
        assertTrue(late.isAbsent(), "it had expired");
        assertTrue(Outcome.fromWire(late.toWire(1)).isAbsent());
    }

    @Test
    void when_a_stamp_goes_back_then_the_clock_does_not() {
        run(Log.set("k", "v", 2));
        log.passSeconds(-3600);
        run(Log.set("other", "v", 0));
        log.passSeconds(3602);
        assertEquals(1, run(Log.incr("k", 1, 0)).number());
    }

    @Test
    void when_a_key_is_touched_then_its_deadline_moves_and_zero_takes_it_away() {
        run(Log.set("k", "v", 1));
        run(Log.touch("k", 10));
        log.passSeconds(9);
        assertEquals("v", read("k"));
        run(Log.touch("k", 0));
        log.passSeconds(1e6);
        assertEquals("v", read("k"));
        assertEquals(Outcome.Kind.APPLIED, run(Log.touch("absent", 5)).kind());
        assertNull(read("absent"));
    }

    @Test
    void when_an_increment_would_overflow_then_nothing_changes() {
        run(Log.set("max", Long.toString(Long.MAX_VALUE), 0));
        run(Log.set("min", Long.toString(Long.MIN_VALUE), 0));
        assertEquals(Outcome.Kind.OVERFLOW, run(Log.incr("max", 1, 0)).kind());
        assertEquals(Outcome.Kind.OVERFLOW, run(Log.incr("min", -1, 0)).kind());
        assertEquals(
                Outcome.Kind.OVERFLOW, run(Log.incr("new", Long.MAX_VALUE, 1)).kind());
        assertEquals(Long.toString(Long.MAX_VALUE), read("max"));
        assertNull(read("new"));
        assertEquals(-1, run(Log.incr("max", Long.MIN_VALUE, 0)).number());
    }

    @Test
    void when_a_value_is_no_integer_then_an_increment_replies_it_as_it_is() {
        run(Log.set("k", "12x", 0));
        assertEquals("12x", new String(run(Log.incr("k", 1, 0)).value(), StandardCharsets.UTF_8));
        assertEquals("12x", read("k"));
        run(Log.set("long", "x".repeat(Limits.OUTCOME_VALUE_BYTES_MAX + 1), 0));
        assertEquals(Outcome.Kind.NO_INTEGER, run(Log.incr("long", 1, 0)).kind());
    }

    @Test
    void when_a_limiter_is_asked_then_it_grants_its_capacity_in_every_window_and_vanishes_after_it() {
        assertEquals(1, run(Log.rateLimiter("l", 2, 10)).number());
        log.passSeconds(4);
        assertEquals(0, run(Log.rateLimiter("l", 2, 10)).number());
        assertEquals(-1, run(Log.rateLimiter("l", 2, 10)).number());
        log.passSeconds(6);
        assertEquals(0, run(Log.rateLimiter("l", 2, 10)).number());
        assertEquals(-1, run(Log.rateLimiter("l", 2, 10)).number());
        log.passSeconds(10);
        assertNull(read("l"));
    }

    @Test
    void when_a_key_is_of_the_other_kind_then_the_command_is_refused() {
        run(Log.rateLimiter("l", 2, 10));
        run(Log.set("v", "1", 0));
        assertEquals(Outcome.Kind.BAD_REQUEST, run(Log.incr("l", 1, 0)).kind());
        assertEquals(Outcome.Kind.BAD_REQUEST, run(Log.rateLimiter("v", 2, 10)).kind());
        run(Log.touch("l", 1));
        log.passSeconds(2);
        assertEquals("no plain value", read("l"));
        run(Log.set("l", "plain", 0));
        assertEquals("plain", read("l"));
    }

    @Test
    void when_a_region_is_flushed_then_exactly_its_keys_are_gone() {
        run(Log.set("a::1", "v", 0));
        run(Log.set("b::1", "v", 0));
        run(Log.set("plain", "v", 0));
        run(Log.flushAll("a"));
        run(Log.set("a::2", "v", 0));
        assertNull(read("a::1"));
        assertEquals("v", read("a::2"));
        assertEquals("v", read("b::1"));
        run(Log.flushAll(""));
        assertNull(read("plain"));
        assertEquals("v", read("b::1"));
    }

    @Test
    void when_a_large_value_comes_in_pieces_then_it_appears_all_at_once() {
        run(Log.chunk(1, 6, 0, "abc"));
        assertNull(read("k"));
        run(Log.incr("between", 1, 0));
        run(Log.chunk(1, 6, 3, "def"));
        assertNull(read("k"));
        assertEquals(Outcome.Kind.APPLIED, run(Log.setChunked("k", 1, 6)).kind());
        assertEquals("abcdef", read("k"));
    }

    @Test
    void when_pieces_are_missing_then_the_value_is_not_published() {
        run(Log.chunk(1, 6, 0, "abc"));
        assertEquals(Outcome.Kind.CHUNKS_MISSING, run(Log.setChunked("k", 1, 6)).kind());
        assertEquals(Outcome.Kind.CHUNKS_MISSING, run(Log.chunk(1, 6, 3, "def")).kind());
        run(Log.chunk(2, 6, 0, "abc"));
        assertTrue(stateMachine.needsTime());
        log.passSeconds(61);
        run(Log.incr("later", 1, 0));
        assertFalse(stateMachine.needsTime(), "an upload that stands still is dropped");
        assertEquals(Outcome.Kind.CHUNKS_MISSING, run(Log.chunk(2, 6, 3, "def")).kind());
    }

    @Test
    void when_an_entry_cannot_be_understood_then_nothing_goes_on() {
        assertThrows(CorruptStateException.class, () -> stateMachine.apply(1, ByteBuffer.wrap(new byte[] {1, 2, 3})));
        log.append(CommandRecord.newBuilder().setOrigin(Log.ORIGIN).setSequence(1));
        assertThrows(CorruptStateException.class, () -> log.applyTo(stateMachine));
    }

    @Test
    void when_many_commands_are_outstanding_then_all_outcomes_are_remembered() {
        List<CommandRecord.Builder> sent = new ArrayList<>();
        for (int i = 0; i < 1000; i++) {
            CommandRecord.Builder increment = log.next(Log.incr("k", 1, 0));
            sent.add(increment);
            log.append(increment);
        }
        log.applyTo(stateMachine);
        for (int i = 0; i < 1000; i++) {
            log.append(sent.get(i));
            assertEquals(i + 1, log.applyTo(stateMachine)[0].number());
        }
        assertEquals("1000", read("k"));
    }

    @Test
    void no_entry_is_applied_twice_nor_one_before_it() {
        StateMachine stateMachine = new StateMachine(new ClusterClock(System::nanoTime));
        byte[] time = io.dshm.proto.wire.LogEntry.newBuilder()
                .setStampMillis(1)
                .build()
                .toByteArray();
        stateMachine.apply(3, ByteBuffer.wrap(time));
        stateMachine.apply(5, ByteBuffer.wrap(time));
        assertThrows(CorruptStateException.class, () -> stateMachine.apply(5, ByteBuffer.wrap(time)));
        assertThrows(CorruptStateException.class, () -> stateMachine.apply(4, ByteBuffer.wrap(time)));
        assertEquals(5, stateMachine.appliedIndex());
    }
}
