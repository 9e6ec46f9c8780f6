package io.dshm.server.statemachine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Formats;
import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.server.store.Entry;
import io.dshm.server.store.limiters.Permit;
import io.dshm.server.store.limiters.Permits;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** ACQUIRE and RELEASE, as the log applies them. */
class LeasesTest {

    private final StateMachine stateMachine = StateMachineTest.newStateMachine();
    private final Log log = new Log();

    @BeforeEach
    void switchFormat() {
        log.append(Log.switchFormat(Formats.BOUNDS));
        log.applyTo(stateMachine);
    }

    private Permit acquire(long limit, String holder, long ttlMillis) {
        return Objects.requireNonNull(log.run(stateMachine, Log.acquire("p", limit, holder, ttlMillis))
                .permit());
    }

    private Outcome release(String holder) {
        return log.run(stateMachine, Log.release("p", holder));
    }

    private @Nullable Entry entry() {
        Key key = Key.of("p");
        return stateMachine.store().get(key.bytes(), key.hash());
    }

    @Test
    void so_many_have_a_permit_at_a_time_and_no_more() {
        assertEquals(1, acquire(2, "a", 1000).remaining());
        assertEquals(0, acquire(2, "b", 500).remaining());
        Permit refused = acquire(2, "c", 1000);
        assertEquals(new Permit(false, 2, 0, 500, 0), refused);
        log.passSeconds(0.499);
        assertEquals(1, acquire(2, "c", 1000).retryMillis());
        log.passSeconds(0.001);
        assertTrue(acquire(2, "c", 1000).allowed());
        assertFalse(acquire(2, "b", 1000).allowed());
    }

    @Test
    void a_fence_rises_with_every_new_holder_and_stays_for_who_renews() {
        long first = acquire(1, "a", 1000).fence();
        assertEquals(first, acquire(1, "a", 9000).fence());
        release("a");
        assertNull(entry());
        long second = acquire(1, "b", 1000).fence();
        assertTrue(second > first);
        log.passSeconds(1);
        long third = acquire(1, "b", 1000).fence();
        assertTrue(third > second, "its time was up, so it is a new one");
    }

    @Test
    void who_renews_keeps_it_although_the_limit_is_lower_now() {
        acquire(2, "a", 1000);
        acquire(2, "b", 1000);
        assertEquals(0, acquire(1, "a", 1000).remaining());
        assertFalse(acquire(1, "c", 1000).allowed());
        release("a");
        assertFalse(acquire(1, "c", 1000).allowed());
        release("b");
        assertTrue(acquire(1, "c", 1000).allowed());
    }

    @Test
    void a_shorter_time_ends_earlier() {
        acquire(1, "a", Limits.PERIOD_MILLIS_MAX);
        acquire(1, "a", 1);
        log.passSeconds(0.001);
        assertTrue(acquire(1, "b", 1).allowed());
    }

    @Test
    void a_limit_of_nothing_refuses_for_ever() {
        assertEquals(new Permit(false, 0, 0, -1, 0), acquire(0, "a", 1000));
        assertNull(entry());
    }

    @Test
    void its_key_goes_away_with_the_last_permit() {
        acquire(2, "a", 1000);
        acquire(2, "b", 3000);
        assertEquals(log.nowMillis() + 3000, Objects.requireNonNull(entry()).expiresAtMillis());
        release("b");
        assertEquals(log.nowMillis() + 1000, Objects.requireNonNull(entry()).expiresAtMillis());
        assertEquals(Outcome.Kind.APPLIED, release("nobody").kind());
        release("a");
        assertNull(entry());
        assertEquals(Outcome.Kind.APPLIED, release("a").kind());
    }

    @Test
    void what_has_ended_is_dropped_by_the_next_call() {
        acquire(9, "a", 1000);
        acquire(9, "b", 5000);
        log.passSeconds(1);
        acquire(9, "c", 1000);
        Permits permits = (Permits) Objects.requireNonNull(entry()).limiter();
        assertEquals(2, permits.holders().size());
        assertEquals(7, permits.remainingAt(log.nowMillis()));
        assertEquals(8, permits.remainingAt(log.nowMillis() + 1000));
    }

    @Test
    void holders_are_bounded() {
        for (int i = 0; i < Limits.HOLDERS_MAX; i++) {
            assertTrue(acquire(1_000_000, "h" + i, 60_000).allowed());
        }
        assertEquals(
                Outcome.Kind.TOO_LARGE,
                log.run(stateMachine, Log.acquire("p", 1_000_000, "one more", 60_000))
                        .kind());
        assertTrue(acquire(1_000_000, "h0", 60_000).allowed());
    }

    @Test
    void other_entries_are_left_alone() {
        log.run(stateMachine, Log.rateLimiter("p", 5, 60));
        assertEquals(
                Outcome.Kind.BAD_REQUEST,
                log.run(stateMachine, Log.acquire("p", 5, "a", 1000)).kind());
        assertEquals(Outcome.Kind.BAD_REQUEST, release("a").kind());
        log.run(stateMachine, Log.delete("p"));
        acquire(5, "a", 1000);
        assertEquals(
                Outcome.Kind.BAD_REQUEST,
                log.run(stateMachine, Log.rateLimiter("p", 5, 60)).kind());
    }

    @Test
    void outcomes_travel_whole() {
        Outcome outcome = log.run(stateMachine, Log.acquire("p", 1, "a", 1000));
        assertEquals(outcome.permit(), Outcome.fromWire(outcome.toWire(3)).permit());
        Outcome refused = log.run(stateMachine, Log.acquire("p", 1, "b", 1000));
        assertEquals(refused.permit(), Outcome.fromWire(refused.toWire(3)).permit());
    }
}
