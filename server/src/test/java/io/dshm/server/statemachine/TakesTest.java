package io.dshm.server.statemachine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Formats;
import io.dshm.proto.Key;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.LimitAlgorithm;
import io.dshm.proto.wire.WriteCondition;
import io.dshm.server.store.Entry;
import io.dshm.server.store.EntryBytes;
import io.dshm.server.store.limiters.Decision;
import io.dshm.server.store.limiters.SlidingLog;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** TAKE, as the log applies it. */
class TakesTest {

    private static final LimitAlgorithm FIXED = LimitAlgorithm.FIXED;

    private final StateMachine stateMachine = StateMachineTest.newStateMachine();
    private final Log log = new Log();

    @BeforeEach
    void switchFormat() {
        log.append(Log.switchFormat(Formats.BOUNDS));
        log.applyTo(stateMachine);
    }

    private Outcome run(CommandRecord.Builder record) {
        return log.run(stateMachine, record);
    }

    private Decision take(LimitAlgorithm algorithm, long limit, long periodMillis, long cost) {
        return decide(Log.take("t", algorithm, limit, periodMillis, cost));
    }

    private Decision decide(CommandRecord.Builder record) {
        return Objects.requireNonNull(run(record).decision());
    }

    private @Nullable Entry entry(String name) {
        Key key = Key.of(name);
        return stateMachine.store().get(key.bytes(), key.hash());
    }

    @ParameterizedTest
    @EnumSource(names = {"FIXED", "LOG", "COUNTER", "GCRA", "LEAKY"})
    void a_limit_admits_its_limit_and_no_more(LimitAlgorithm algorithm) {
        for (int left = 2; left >= 0; left--) {
            Decision decision = take(algorithm, 3, 3000, 1);
            assertTrue(decision.allowed());
            assertEquals(left, decision.remaining());
            assertEquals(3, decision.limit());
            assertEquals(0, decision.retryMillis());
        }
        long before = version("t");
        Decision refused = take(algorithm, 3, 3000, 1);
        assertTrue(!refused.allowed() && refused.remaining() == 0 && refused.retryMillis() > 0, refused::toString);
        assertEquals(before, version("t"), "a refused call writes nothing");
        log.passSeconds(refused.retryMillis() / 1000.0);
        assertTrue(take(algorithm, 3, 3000, 1).allowed());
    }

    @ParameterizedTest
    @EnumSource(names = {"FIXED", "LOG", "COUNTER", "GCRA", "LEAKY"})
    void a_refused_call_with_other_numbers_makes_them_the_keys(LimitAlgorithm algorithm) {
        assertTrue(take(algorithm, 4, 60_000, 4).allowed());
        int before = left("t");
        assertTrue(!take(algorithm, 9, 60_000, 6).allowed());
        assertEquals(0, before);
        assertEquals(5, left("t"), "by the numbers of the refused call");
    }

    private long version(String name) {
        return Objects.requireNonNull(entry(name)).version();
    }

    private int left(String name) {
        Entry entry = Objects.requireNonNull(entry(name));
        return (int) Objects.requireNonNull(entry.limiter()).remainingAt(stateMachine.clockMillis());
    }

    @Test
    void a_gcra_key_takes_hardly_more_than_a_counter() {
        long empty = stateMachine.store().bytes();
        run(Log.take("k", LimitAlgorithm.GCRA, 100, 60_000, 1));
        long gcra = stateMachine.store().bytes() - empty;
        run(Log.incr("c", 1, 0));
        long counter = stateMachine.store().bytes() - empty - gcra;
        assertTrue(gcra <= counter + 20, gcra + " bytes, and a counter " + counter);
    }

    @ParameterizedTest
    @EnumSource(names = {"FIXED", "LOG", "COUNTER", "GCRA", "LEAKY"})
    void costs_refunds_and_looks(LimitAlgorithm algorithm) {
        assertEquals(10, take(algorithm, 10, 60_000, 0).remaining());
        assertNull(entry("t"), "a look makes no key");
        assertEquals(10, take(algorithm, 10, 60_000, -3).remaining());
        assertNull(entry("t"), "nothing was given back to nothing");
        assertEquals(3, take(algorithm, 10, 60_000, 7).remaining());
        assertEquals(3, take(algorithm, 10, 60_000, 0).remaining());
        assertTrue(!take(algorithm, 10, 60_000, 4).allowed());
        assertEquals(Decision.NEVER, take(algorithm, 10, 60_000, 11).retryMillis());
        assertEquals(5, take(algorithm, 10, 60_000, -2).remaining());
        Decision back = take(algorithm, 10, 60_000, -100);
        assertEquals(10, back.remaining());
        assertEquals(0, back.resetMillis());
        assertNull(entry("t"), "it is as good as new");
    }

    @ParameterizedTest
    @EnumSource(names = {"FIXED", "LOG", "COUNTER", "GCRA", "LEAKY"})
    void other_numbers_keep_what_was_used(LimitAlgorithm algorithm) {
        take(algorithm, 100, 3_600_000, 60);
        assertEquals(140, take(algorithm, 200, 3_600_000, 0).remaining());
        assertEquals(0, take(algorithm, 50, 3_600_000, 0).remaining());
        assertTrue(!take(algorithm, 60, 3_600_000, 1).allowed());
        assertEquals(139, take(algorithm, 200, 7_200_000, 1).remaining());
        Decision none = take(algorithm, 0, 1000, 1);
        assertEquals(new Decision(false, 0, 0, 0, Decision.NEVER, Decision.NO_DELAY), none);
        assertEquals(138, take(algorithm, 200, 7_200_000, 1).remaining());
    }

    @Test
    void a_leaky_bucket_says_how_long_to_wait() {
        // As lua-resty-limit-req: the first at once, and each one more in a row a tenth of a second later.
        for (int i = 0; i < 3; i++) {
            assertEquals(i * 100L, decide(leaky(2)).delayMillis());
        }
        Decision refused = decide(leaky(2));
        assertTrue(!refused.allowed());
        assertEquals(100, refused.retryMillis());
        log.passSeconds(0.05);
        assertEquals(50, decide(leaky(2)).retryMillis());
    }

    private static CommandRecord.Builder leaky(long burst) {
        CommandRecord.Builder record = Log.take("t", LimitAlgorithm.LEAKY, 10, 1000, 1);
        record.getTakeBuilder().setBurst(burst);
        return record;
    }

    @Test
    void a_key_is_of_one_algorithm() {
        take(LimitAlgorithm.GCRA, 5, 1000, 1);
        assertEquals(
                Outcome.Kind.BAD_REQUEST,
                run(Log.take("t", LimitAlgorithm.LEAKY, 5, 1000, 1)).kind());
        assertEquals(Outcome.Kind.BAD_REQUEST, run(Log.rateLimiter("t", 5, 1)).kind());
        assertEquals(Outcome.Kind.BAD_REQUEST, run(Log.incr("t", 1, 0)).kind());
        run(Log.set("v", "1", 0));
        assertEquals(
                Outcome.Kind.BAD_REQUEST, run(Log.take("v", FIXED, 5, 1000, 1)).kind());
        run(Log.rateLimiter("l", 5, 60));
        Decision same = decide(Log.take("l", LimitAlgorithm.LOG, 5, 60_000, 2));
        assertEquals(2, same.remaining(), "RATE_LIMITER's algorithm is log");
        assertEquals(1, run(Log.rateLimiter("l", 5, 60)).number());
    }

    @Test
    void a_policy_is_read_where_it_is_applied() {
        assertEquals(Outcome.Kind.NOT_FOUND, run(Log.take("t", "api", 1)).kind());
        run(Log.put("policies::api", "fixed 3 60", 0));
        assertEquals(2, decide(Log.take("t", "api", 1)).remaining());
        run(Log.set("policies::api", "fixed 10 60", 0));
        assertEquals(8, decide(Log.take("t", "api", 1)).remaining(), "what was used stays used");
        run(Log.put("policies::api", "gcra 10 60", 0));
        assertEquals(Outcome.Kind.BAD_REQUEST, run(Log.take("t", "api", 1)).kind());
        run(Log.put("policies::api", "gcra 10 60 burst=4", 0));
        assertEquals(5, decide(Log.take("u", "api", 0)).limit());
        for (String wrong :
                new String[] {"", "fixed", "fixed 3", "fixed 3 0", "fixed 3 60 burst=1", "gcra 3 60 burst="}) {
            run(Log.put("policies::api", wrong, 0));
            assertEquals(Outcome.Kind.BAD_REQUEST, run(Log.take("u", "api", 1)).kind(), wrong);
        }
        run(Log.put("policies::api", 5, 0));
        assertEquals(Outcome.Kind.BAD_REQUEST, run(Log.take("u", "api", 1)).kind());
    }

    @Test
    void a_repeat_is_answered_like_the_first_time() {
        CommandRecord.Builder record = log.next(Log.take("t", LimitAlgorithm.GCRA, 5, 1000, 2));
        log.append(record);
        String first = log.applyTo(stateMachine)[0].toString();
        log.append(record);
        assertEquals(first, log.applyTo(stateMachine)[0].toString());
        assertEquals(3, take(LimitAlgorithm.GCRA, 5, 1000, 0).remaining());
    }

    @Test
    void outcomes_travel_whole() {
        Outcome outcome = run(leaky(1));
        assertEquals(outcome.decision(), Outcome.fromWire(outcome.toWire(7)).decision());
        Outcome refused = run(Log.take("t", LimitAlgorithm.LEAKY, 10, 1000, 50));
        assertEquals(refused.decision(), Outcome.fromWire(refused.toWire(7)).decision());
    }

    @Test
    void a_MULTI_takes_all_or_none() {
        WriteCondition present = WriteCondition.newBuilder().setPresent(true).build();
        assertEquals(
                Outcome.Kind.NOT_FOUND,
                run(Log.multi(Log.take("t", FIXED, 5, 1000, 2), Log.remove("no", present)))
                        .kind());
        assertNull(entry("t"));
        Outcome both = run(Log.multi(Log.take("t", FIXED, 5, 1000, 2), Log.take("t", FIXED, 5, 1000, 2)));
        assertEquals(1, Objects.requireNonNull(both.several().get(1).decision()).remaining());
    }

    private List<Decision> takeAll(CommandRecord.Builder... takes) {
        return run(Log.takeAll(takes)).several().stream()
                .map(one -> Objects.requireNonNull(one.decision()))
                .toList();
    }

    @Test
    void a_TAKE_ALL_takes_of_all_limits_or_of_none() {
        List<Decision> both =
                takeAll(Log.take("r:a", FIXED, 2, 1_000_000, 2), Log.take("r:b", LimitAlgorithm.GCRA, 5, 60_000, 1));
        assertEquals(List.of(0L, 4L), both.stream().map(Decision::remaining).toList());
        List<Decision> none =
                takeAll(Log.take("r:b", LimitAlgorithm.GCRA, 5, 60_000, 2), Log.take("r:a", FIXED, 2, 1_000_000, 1));
        assertEquals(List.of(true, false), none.stream().map(Decision::allowed).toList());
        assertEquals(List.of(4L, 0L), none.stream().map(Decision::remaining).toList());
        assertTrue(none.get(1).retryMillis() > 0);
        assertEquals(
                4, decide(Log.take("r:b", LimitAlgorithm.GCRA, 5, 60_000, 0)).remaining());
    }

    @Test
    void in_a_TAKE_ALL_each_sees_what_those_before_it_take() {
        List<Decision> twice = takeAll(Log.take("t", FIXED, 3, 1000, 2), Log.take("t", FIXED, 3, 1000, 2));
        assertEquals(List.of(true, false), twice.stream().map(Decision::allowed).toList());
        assertEquals(List.of(3L, 3L), twice.stream().map(Decision::remaining).toList());
        assertNull(entry("t"));
    }

    @Test
    void a_shadow_in_a_TAKE_ALL_refuses_nobody() {
        take(FIXED, 1, 1_000_000, 1);
        List<Decision> decisions =
                takeAll(Log.shadow(Log.take("t", FIXED, 1, 1_000_000, 1)), Log.take("u", FIXED, 3, 1_000_000, 1));
        assertEquals(
                List.of(false, true), decisions.stream().map(Decision::allowed).toList());
        assertEquals(2, decide(Log.take("u", FIXED, 3, 1_000_000, 0)).remaining());
    }

    @Test
    void an_error_in_a_TAKE_ALL_is_that_of_all() {
        run(Log.set("s", "value", 0));
        Outcome outcome = run(Log.takeAll(Log.take("t", FIXED, 3, 1000, 1), Log.take("s", FIXED, 3, 1000, 1)));
        assertEquals("BAD_REQUEST(2)", outcome.toString());
        assertEquals("NOT_FOUND(1)", run(Log.takeAll(Log.take("t", "none", 1))).toString());
        assertNull(entry("t"));
    }

    @ParameterizedTest
    @EnumSource(names = {"FIXED", "LOG", "COUNTER", "GCRA", "LEAKY"})
    void a_limiter_goes_away_when_it_is_as_good_as_new(LimitAlgorithm algorithm) {
        long resetMillis = take(algorithm, 5, 60_000, 3).resetMillis();
        assertEquals(
                log.nowMillis() + resetMillis,
                Objects.requireNonNull(entry("t")).expiresAtMillis());
        log.passSeconds((resetMillis - 1) / 1000.0);
        assertTrue(take(algorithm, 5, 60_000, 0).remaining() < 5);
        log.passSeconds(0.001);
        assertEquals(5, take(algorithm, 5, 60_000, 0).remaining());
    }

    @Test
    void a_bucket_takes_hardly_more_memory_than_a_counter() {
        run(Log.incr("a key of 16 byte", 1, 0));
        take(LimitAlgorithm.GCRA, 5, 60_000, 3);
        byte[] key = "a key of 16 byte".getBytes(StandardCharsets.US_ASCII);
        long counter = EntryBytes.of(key, Objects.requireNonNull(entry("a key of 16 byte")));
        long bucket = EntryBytes.of(key, Objects.requireNonNull(entry("t")));
        assertTrue(bucket <= counter + 20, bucket + " and " + counter);
    }

    @Test
    void a_log_keeps_so_many_grants_and_no_more() {
        long[] grants = new long[SlidingLog.GRANTS_MAX];
        Arrays.fill(grants, log.nowMillis());
        SlidingLog full = SlidingLog.restore(2_000_000, 60_000, 60_000, grants);
        Key key = Key.of("t");
        stateMachine.store().put(key.bytes(), key.hash(), Entry.of(full, full.freshAtMillis(), 100_000));
        assertEquals(
                Outcome.Kind.TOO_LARGE,
                run(Log.take("t", LimitAlgorithm.LOG, 2_000_000, 60_000, 1)).kind());
        assertNotNull(decide(Log.take("t", LimitAlgorithm.LOG, 2_000_000, 60_000, -1)));
        assertTrue(take(LimitAlgorithm.LOG, 2_000_000, 60_000, 1).allowed());
    }
}
