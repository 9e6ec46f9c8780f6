package io.dshm.server.statemachine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.TypedValue;
import io.dshm.proto.wire.WriteCondition;
import io.dshm.server.store.Entry;
import io.dshm.server.store.ListValue;
import io.dshm.server.store.Typed;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TypedWritesTest {

    private static final WriteCondition ABSENT =
            WriteCondition.newBuilder().setAbsent(true).build();
    private static final WriteCondition PRESENT =
            WriteCondition.newBuilder().setPresent(true).build();

    private final Log log = new Log();
    private final StateMachine stateMachine = StateMachineTest.newStateMachine();

    private Outcome run(CommandRecord.Builder record) {
        return log.run(stateMachine, record);
    }

    private Outcome.Kind kind(CommandRecord.Builder record) {
        return run(record).kind();
    }

    private static WriteCondition version(long version) {
        return WriteCondition.newBuilder().setVersion(version).build();
    }

    private static CommandRecord.Builder put(String key, String value, WriteCondition condition) {
        return Log.put(key, Log.string(value), 0, condition);
    }

    private @Nullable Entry entry(String key) {
        Key wireKey = Key.of(key);
        return stateMachine.store().get(wireKey.bytes(), wireKey.hash());
    }

    private Typed typed(String key) {
        Entry entry = entry(key);
        if (entry == null) {
            throw new AssertionError(key + " is absent");
        }
        return entry.typed();
    }

    @Test
    void a_condition_decides_by_what_is_there() {
        assertEquals(Outcome.Kind.NOT_FOUND, kind(put("k", "a", PRESENT)));
        assertEquals(Outcome.Kind.NOT_FOUND, kind(put("k", "a", version(1))));
        long version = run(put("k", "a", ABSENT)).number();
        assertEquals(Outcome.Kind.EXISTS, kind(put("k", "b", ABSENT)));
        assertEquals(Outcome.Kind.EXISTS, kind(put("k", "b", version(version + 1))));
        long next = run(put("k", "c", version(version))).number();
        assertTrue(next > version);
        assertEquals(Outcome.Kind.EXISTS, kind(Log.remove("k", version(version))));
        assertEquals(Outcome.Kind.APPLIED, kind(Log.remove("k", version(next))));
        assertEquals(Outcome.Kind.NOT_FOUND, kind(Log.remove("k", PRESENT)));
        assertEquals(Outcome.Kind.APPLIED, kind(Log.remove("k", WriteCondition.getDefaultInstance())));
    }

    @Test
    void a_refused_write_gives_no_version() {
        long version = run(put("k", "a", ABSENT)).number();
        run(put("k", "b", ABSENT));
        run(Log.incrNumber("k", 1));
        assertEquals(version + 1, run(put("k", "c", PRESENT)).number());
    }

    @Test
    void an_expired_entry_is_absent_for_all_but_expire_and_purge() {
        run(Log.put("k", 1, 2));
        run(Log.push("l", true, "x"));
        run(Log.expire("l", 2));
        log.passSeconds(2);
        assertEquals(Outcome.Kind.NOT_FOUND, kind(Log.incrNumber("k", 1)));
        assertEquals(Outcome.Kind.NOT_FOUND, kind(put("k", "x", PRESENT)));
        assertEquals(Outcome.Kind.NOT_FOUND, kind(Log.remove("k", PRESENT)));
        assertEquals(Outcome.Kind.NOT_FOUND, kind(Log.pop("l", true)));
        assertEquals(1, run(Log.push("l", true, "y")).number(), "a new list");
        assertEquals(Outcome.Kind.APPLIED, kind(Log.expire("k", 10)));
        assertEquals(2.0, run(Log.incrNumber("k", 1)).real());
    }

    @Test
    void an_expired_entry_is_revived_until_a_minute_later_and_not_after() {
        run(Log.put("in time", 1, 2));
        run(Log.put("late", 1, 2));
        run(Log.set("plain", "v", 2));
        log.passSeconds(61.999);
        assertEquals(Outcome.Kind.APPLIED, kind(Log.expire("in time", 0)));
        assertEquals(Outcome.Kind.NOT_FOUND, kind(Log.expire("plain", 0)));
        log.passSeconds(0.001);
        assertEquals(Outcome.Kind.NOT_FOUND, kind(Log.expire("late", 0)));
        assertEquals(2.0, run(Log.incrNumber("in time", 1)).real());
    }

    @Test
    void a_purge_removes_and_counts_what_is_expired_and_kept() {
        run(Log.put("stale", 1, 2));
        run(Log.put("alive", 1, 3));
        run(Log.set("plain", "v", 2));
        log.passSeconds(2);
        assertEquals(
                1, run(Log.purge("stale", "stale", "alive", "plain", "absent")).number());
        assertNull(entry("stale"));
        assertEquals(Outcome.Kind.NOT_FOUND, kind(Log.expire("stale", 0)));
    }

    @Test
    void a_limiter_cannot_be_made_to_expire() {
        run(Log.rateLimiter("l", 5, 60));
        assertEquals(Outcome.Kind.BAD_REQUEST, kind(Log.expire("l", 1)));
        assertEquals(Outcome.Kind.NOT_A_NUMBER, kind(Log.incrNumber("l", 1)));
        assertEquals(Outcome.Kind.NOT_A_LIST, kind(Log.push("l", true, 1)));
    }

    @Test
    void a_number_counts_in_doubles_and_keeps_deadline_and_flags() {
        run(Log.put("k", TypedValue.newBuilder().setNumber(0.1).setFlags(-1), 60, ABSENT));
        assertEquals(0.1 + 0.2, run(Log.incrNumber("k", 0.2, 9, 1)).real());
        assertEquals(-1, typed("k").flags());
        log.passSeconds(59);
        assertEquals(
                Double.POSITIVE_INFINITY,
                run(Log.incrNumber("k", Double.POSITIVE_INFINITY)).real());
        assertEquals(
                Double.NaN, run(Log.incrNumber("k", Double.NEGATIVE_INFINITY)).real());
        log.passSeconds(1);
        assertEquals(3.5, run(Log.incrNumber("k", 3, 0.5, 1)).real());
        assertEquals(0, typed("k").flags());
        log.passSeconds(1);
        assertEquals(Outcome.Kind.NOT_FOUND, kind(Log.incrNumber("k", 1)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"5", "-0.5e1", "inf"})
    void a_plain_number_counts_and_is_typed_from_then_on(String plain) {
        run(Log.set("k", plain, 0));
        assertEquals(
                Double.parseDouble(plain.replace("inf", "Infinity")) + 1,
                run(Log.incrNumber("k", 1)).real());
        assertTrue(typed("k").value() instanceof Double);
    }

    @Test
    void a_typed_number_counts_for_a_plain_increment_as_far_as_all_integers_are_doubles() {
        run(Log.put("k", TypedValue.newBuilder().setNumber(0x1p53 - 2).setFlags(3), 0, ABSENT));
        assertEquals((1L << 53) - 1, run(Log.incr("k", 1, 0)).number());
        assertEquals(Outcome.Kind.OVERFLOW, kind(Log.incr("k", 1, 0)));
        assertEquals(new Typed(0x1p53 - 1, 3), typed("k"));
        run(Log.put("k", 0.5, 0));
        assertEquals(0.5, run(Log.incr("k", 1, 0)).real());
        assertEquals(0.5, typed("k").value());
    }

    @Test
    void a_typed_string_and_a_boolean_are_to_a_plain_increment_what_their_bytes_are() {
        run(Log.put("s", Log.string("41").setFlags(3), 0, ABSENT));
        assertEquals(42, run(Log.incr("s", 1, 0)).number());
        assertEquals(3, typed("s").flags());
        assertArrayEquals(
                "42".getBytes(StandardCharsets.US_ASCII), (byte[]) typed("s").value());
        run(Log.put("b", TypedValue.newBuilder().setBoolean(true), 0, ABSENT));
        assertArrayEquals(
                "true".getBytes(StandardCharsets.US_ASCII),
                run(Log.incr("b", 1, 0)).value());
        run(Log.push("l", true, 1));
        assertEquals(Outcome.Kind.BAD_REQUEST, kind(Log.incr("l", 1, 0)));
    }

    @Test
    void a_touch_moves_the_deadline_of_a_typed_entry() {
        run(Log.put("k", 1, 1));
        run(Log.touch("k", 10));
        log.passSeconds(9);
        assertEquals(2.0, run(Log.incrNumber("k", 1)).real());
    }

    @Test
    void a_list_keeps_its_order_and_the_types_of_its_elements() {
        run(Log.push("l", false, "b"));
        run(Log.push("l", false, 2.5));
        assertEquals(3, run(Log.push("l", true, "a")).number());
        assertEquals(2.5, run(Log.pop("l", false)).real());
        assertArrayEquals(new byte[] {'a'}, run(Log.pop("l", true)).value());
        assertArrayEquals(new byte[] {'b'}, run(Log.pop("l", true)).value());
        assertNull(entry("l"));
        assertEquals(Outcome.Kind.NOT_FOUND, kind(Log.pop("l", true)));
    }

    @Test
    void a_list_does_not_grow_beyond_what_a_snapshot_can_take() {
        String element = "x".repeat(Limits.ELEMENT_BYTES_MAX);
        int fit = Limits.LIST_BYTES_MAX / (Limits.ELEMENT_BYTES_MAX + 48);
        for (int i = 0; i < fit; i++) {
            assertEquals(Outcome.Kind.APPLIED, kind(Log.push("l", true, element)));
        }
        assertEquals(Outcome.Kind.TOO_LARGE, kind(Log.push("l", true, element)));
        assertEquals(fit, ((ListValue) typed("l").value()).size());
    }

    @Test
    void several_writes_take_effect_all_or_none() {
        long version = run(put("k", "a", ABSENT)).number();
        Outcome failed = run(Log.multi(
                Log.remove("k", PRESENT), Log.incr("n", 5, 0), Log.rateLimiter("r", 1, 60), put("n", "x", ABSENT)));
        assertEquals(Outcome.Kind.EXISTS, failed.kind());
        assertEquals(4, failed.number());
        assertNull(entry("n"));
        assertNull(entry("r"));
        assertEquals(0, run(Log.rateLimiter("r", 1, 60)).number(), "the token was not taken");
        assertEquals(version + 2, run(put("k", "b", version(version))).number());

        Outcome applied = run(Log.multi(
                Log.remove("k", PRESENT),
                put("k", "c", ABSENT),
                Log.incrNumber("n", 1, 0.5, 0),
                Log.rateLimiter("r", 1, 60)));
        List<Outcome> each = applied.several();
        assertEquals(4, each.size());
        assertEquals(1.5, each.get(2).real());
        assertEquals(-1, each.get(3).number(), "a refused token is no error");
        assertEquals(
                each.get(1).number(),
                java.util.Objects.requireNonNull(entry("k")).version());
    }

    @Test
    void a_multi_whose_outcome_would_be_too_large_is_not_applied() {
        String element = "x".repeat(Limits.ELEMENT_BYTES_MAX);
        int many = Limits.MULTI_OUTCOME_BYTES_MAX / Limits.ELEMENT_BYTES_MAX + 1;
        CommandRecord.Builder[] pops = new CommandRecord.Builder[many];
        for (int i = 0; i < many; i++) {
            run(Log.push("l", true, element));
            pops[i] = Log.pop("l", true);
        }
        Outcome failed = run(Log.multi(pops));
        assertEquals(Outcome.Kind.TOO_LARGE, failed.kind());
        assertEquals(many, failed.number());
        assertEquals(many, ((ListValue) typed("l").value()).size());
    }

    @Test
    void a_large_value_is_published_if_the_condition_holds_then() {
        run(Log.chunk(1, 6, 0, "abc"));
        run(Log.chunk(1, 6, 3, "def"));
        assertEquals(Outcome.Kind.APPLIED, kind(Log.putChunked("k", 1, 6, ABSENT)));
        assertArrayEquals("abcdef".getBytes(StandardCharsets.US_ASCII), (byte[])
                typed("k").value());
        run(Log.chunk(2, 3, 0, "xyz"));
        assertEquals(Outcome.Kind.EXISTS, kind(Log.putChunked("k", 2, 3, ABSENT)));
        assertEquals(Outcome.Kind.CHUNKS_MISSING, kind(Log.putChunked("k", 2, 3, PRESENT)));
    }
}
