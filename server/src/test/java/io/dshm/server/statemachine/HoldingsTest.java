package io.dshm.server.statemachine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Formats;
import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.LimitAlgorithm;
import io.dshm.server.store.Entry;
import io.dshm.server.store.limiters.Decision;
import io.dshm.server.store.limiters.GrantedShare;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** RESERVE, SETTLE, GRANT and RETURN, as the log applies them; what they decide is tested with {@code Account}. */
class HoldingsTest {

    private final StateMachine stateMachine = StateMachineTest.newStateMachine();
    private final Log log = new Log();

    @BeforeEach
    void switchFormat() {
        log.append(Log.switchFormat(Formats.BOUNDS));
        log.applyTo(stateMachine);
    }

    private static CommandRecord.Builder some(long cost) {
        return Log.take("t", LimitAlgorithm.LOG, 10, 60_000, cost);
    }

    private Outcome run(CommandRecord.Builder record) {
        return log.run(stateMachine, record);
    }

    private Decision decide(CommandRecord.Builder record) {
        return Objects.requireNonNull(run(record).decision());
    }

    private GrantedShare grant(String holder, long want) {
        return Objects.requireNonNull(run(Log.grant(some(want), holder, 1)).share());
    }

    private @Nullable Entry entry() {
        Key key = Key.of("t");
        return stateMachine.store().get(key.bytes(), key.hash());
    }

    @Test
    void used_and_reserved_and_shares_are_never_more_than_the_limit() {
        assertTrue(decide(some(2)).allowed());
        assertEquals(4, decide(Log.reserve(some(4), "x", 5000)).remaining());
        assertEquals(new GrantedShare(4, 10, 0, 6000), grant("n", 7));
        assertFalse(decide(some(1)).allowed());
        assertFalse(decide(Log.reserve(some(1), "y", 5000)).allowed());
        assertEquals(0, grant("m", 1).granted());
        run(Log.giveBack("t", "n", 3));
        assertEquals(3, decide(some(0)).remaining());
        assertEquals(6, decide(Log.settle("t", "x", 1)).remaining());
    }

    @Test
    void a_repeat_with_its_identity_gives_back_once() {
        grant("n", 8);
        CommandRecord.Builder giveBack = log.next(Log.giveBack("t", "n", 3));
        log.append(giveBack);
        log.append(giveBack);
        log.applyTo(stateMachine);
        assertEquals(5, decide(some(0)).remaining());
    }

    @Test
    void a_key_lives_as_long_as_something_is_held() {
        decide(Log.reserve(Log.take("t", LimitAlgorithm.FIXED, 10, 1, 0), "x", 60_000));
        assertEquals(log.nowMillis() + 60_000, Objects.requireNonNull(entry()).expiresAtMillis());
        log.passSeconds(59.999);
        assertEquals(
                10,
                Objects.requireNonNull(run(Log.settle("t", "x", 0)).decision()).remaining());
        log.passSeconds(0.001);
        assertEquals(Outcome.Kind.NOT_FOUND, run(Log.settle("t", "x", 1)).kind());
    }

    @Test
    void what_is_given_back_leaves_nothing_behind() {
        grant("n", 8);
        run(Log.giveBack("t", "n", 8));
        assertNull(entry());
        assertEquals(Outcome.Kind.APPLIED, run(Log.giveBack("t", "n", 8)).kind());
    }

    @Test
    void a_RATE_LIMITER_does_not_count_beside_what_is_held() {
        grant("n", 8);
        assertEquals(Outcome.Kind.BAD_REQUEST, run(Log.rateLimiter("t", 10, 60)).kind());
        run(Log.giveBack("t", "n", 8));
        assertEquals(9, run(Log.rateLimiter("t", 10, 60)).number());
    }

    @Test
    void reservations_and_shares_are_bounded() {
        for (int i = 0; i < Limits.HOLDERS_MAX; i++) {
            CommandRecord.Builder one = Log.take("t", LimitAlgorithm.GCRA, 1_000_000, 60_000, 1);
            decide(Log.reserve(one, "x" + i, 60_000));
            run(Log.grant(one, "n", 1));
        }
        CommandRecord.Builder more = Log.take("t", LimitAlgorithm.GCRA, 1_000_000, 60_000, 1);
        assertEquals(
                Outcome.Kind.TOO_LARGE, run(Log.reserve(more, "more", 60_000)).kind());
        assertEquals(Outcome.Kind.TOO_LARGE, run(Log.grant(more, "n", 1)).kind());
        assertTrue(decide(Log.reserve(more, "x0", 60_000)).allowed());
        assertTrue(decide(more).allowed());
    }

    @Test
    void outcomes_travel_whole() {
        Outcome outcome = run(Log.grant(some(7), "n", 1));
        assertEquals(outcome.share(), Outcome.fromWire(outcome.toWire(3)).share());
    }

    @Test
    void a_policy_says_the_numbers_of_reservations_and_shares_too() {
        run(Log.put("policies::api", "fixed 5 1000", 0));
        assertEquals(3, decide(Log.reserve(Log.take("t", "api", 2), "x", 1000)).remaining());
        assertEquals(
                3,
                Objects.requireNonNull(
                                run(Log.grant(Log.take("t", "api", 9), "n", 1)).share())
                        .granted());
    }
}
