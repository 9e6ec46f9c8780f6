package io.dshm.server.frontend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Command;
import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.proto.Reply;
import io.dshm.server.frontend.Refusals.Refusal;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.Comparator;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What is remembered of refusals, and that admissions leave no trace. */
class RefusalsTest {

    private static final SocketAddress CLIENT = new InetSocketAddress(InetAddress.getLoopbackAddress(), 4711);
    private static final Key KEY = Key.of("api:42");
    private static final Key POLICY = Key.of("policies:login");
    private static final Reply REFUSED =
            new Reply.Detailed(null, "allowed=0 limit=5 remaining=0 reset=60000 retry=1000");
    private static final Reply ADMITTED = new Reply.Detailed(null, "allowed=1 limit=5 remaining=4 reset=60000 retry=0");

    private long millis;
    private final Refusals refusals = new Refusals(() -> millis);

    private static Command.Take take(Key key, long cost) {
        return new Command.Take(key, null, POLICY, cost, false);
    }

    @Test
    void a_refusal_is_remembered_with_who_asked_and_what_for_and_an_admission_is_not() {
        refusals.answered(take(KEY, 1), ADMITTED, CLIENT);
        assertEquals(0, refusals.count(KEY));
        assertEquals(List.of(), refusals.of(KEY));
        millis = 7;
        refusals.answered(take(KEY, 3), REFUSED, CLIENT);
        assertEquals(1, refusals.count(KEY));
        assertEquals(
                List.of(new Refusal(
                        7,
                        CLIENT,
                        CommandKind.TAKE,
                        3,
                        POLICY,
                        "allowed=0 limit=5 remaining=0 reset=60000 retry=1000")),
                refusals.of(KEY));
        assertEquals(List.of(), refusals.of(Key.of("api:43")));
        assertEquals(List.of(KEY), refusals.keys());
    }

    @Test
    void the_newest_of_a_key_are_kept_and_all_are_counted() {
        int many = 3 * Limits.REFUSALS_OF_A_KEY_MAX + 1;
        for (millis = 1; millis <= many; millis++) {
            refusals.answered(take(KEY, 1), REFUSED, CLIENT);
        }
        assertEquals(many, refusals.count(KEY));
        List<Refusal> newest = refusals.of(KEY);
        assertEquals(Limits.REFUSALS_OF_A_KEY_MAX, newest.size());
        assertEquals(
                many - Limits.REFUSALS_OF_A_KEY_MAX + 1,
                newest.stream()
                        .min(Comparator.comparingLong(Refusal::millis))
                        .orElseThrow()
                        .millis());
    }

    @Test
    void of_several_limits_those_are_remembered_that_refused() {
        Key other = Key.of("api:other");
        refusals.answered(
                new Command.TakeAll(List.of(take(Key.of("api:first"), 1), take(KEY, 2), take(other, 4)), 0),
                new Reply.Detailed(new byte[0], "allowed=0 refused=2,3"),
                CLIENT);
        assertEquals(0, refusals.count(Key.of("api:first")));
        assertEquals(2, refusals.of(KEY).get(0).cost());
        assertEquals(4, refusals.of(other).get(0).cost());
    }

    @Test
    void permits_and_the_older_rate_limiter_refuse_as_well() {
        refusals.answered(
                new Command.Acquire(KEY, 1, Key.of("me"), 1_000),
                new Reply.Detailed(null, "allowed=0 limit=1 remaining=0 retry=10"),
                CLIENT);
        Key rate = Key.of("rate");
        refusals.answered(new Command.RateLimiter(rate, 5, 60_000), new Reply.IntegerValue(0), CLIENT);
        assertEquals(0, refusals.count(rate), "the last token");
        refusals.answered(new Command.RateLimiter(rate, 5, 60_000), new Reply.IntegerValue(-1), CLIENT);
        assertEquals(CommandKind.ACQUIRE, refusals.of(KEY).get(0).what());
        assertEquals("limit=5 period=60000", refusals.of(rate).get(0).details());
        assertFalse(Refusals.isLimited(new Command.Get(KEY, null)));
    }

    @Test
    void what_is_kept_is_bounded_however_many_keys_are_refused() {
        int many = 20 * Limits.REFUSED_KEYS_MAX;
        for (int i = 0; i < many; i++) {
            refusals.answered(take(Key.of("api:" + i), 1), REFUSED, CLIENT);
        }
        int kept = 0;
        for (int i = 0; i < many; i++) {
            kept += refusals.of(Key.of("api:" + i)).size();
        }
        assertTrue(kept <= Limits.REFUSED_KEYS_MAX && kept > Limits.REFUSED_KEYS_MAX / 2, kept + " are kept");
        Key longKey = Key.of("x".repeat(Limits.REFUSED_KEY_BYTES_MAX + 1));
        refusals.answered(take(longKey, 1), REFUSED, CLIENT);
        assertEquals(0, refusals.count(longKey));
    }
}
