package io.dshm.server;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.server.frontend.Refusals;
import io.dshm.server.store.Entry;
import io.dshm.server.store.Store;
import io.dshm.server.store.limiters.Algorithm;
import io.dshm.server.store.limiters.Limiter;
import io.dshm.server.store.limiters.Permits;
import io.dshm.server.store.limiters.Quota;
import io.dshm.server.store.limiters.TokenLimiter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** What operators are told of a limit. */
class LimitTraceTest {

    private static final Key KEY = Key.of("api:42");
    private static final long NOW = 1_000_000;

    private final Store store = new Store();

    private Map<String, Object> traced(Limiter limiter) {
        store.put(KEY.bytes(), KEY.hash(), Entry.of(limiter, Entry.NEVER, 1));
        return LimitTrace.of(KEY, store, NOW, List.of(new Refusals(() -> NOW)));
    }

    private static TokenLimiter used(Algorithm algorithm, Quota quota, int times) {
        TokenLimiter limiter = algorithm.fresh(quota, NOW - times);
        for (int i = 0; i < times; i++) {
            limiter = limiter.take(quota, NOW - times + i, 2).after();
        }
        return limiter;
    }

    @Test
    void a_log_is_told_with_its_newest_uses() {
        Map<String, Object> fields = traced(used(Algorithm.LOG, new Quota(100, 60_000, 0), 30));
        assertEquals("log", fields.get("kind"));
        assertEquals(100L, fields.get("limit"));
        assertEquals(60_000L, fields.get("periodMillis"));
        assertEquals(40L, fields.get("remaining"));
        assertEquals(59_999L, fields.get("unusedInMillis"));
        List<?> uses = (List<?>) Objects.requireNonNull(fields.get("uses"));
        assertEquals(Limits.USES_SHOWN_MAX, uses.size());
        assertEquals(Map.of("millis", NOW - 1, "cost", 2L), uses.get(0));
        assertEquals(0L, fields.get("refused"));
        assertEquals(List.of(), fields.get("refusals"));
    }

    @Test
    void only_algorithms_with_a_burst_tell_one() {
        assertEquals(
                5L, traced(used(Algorithm.GCRA, new Quota(100, 60_000, 5), 1)).get("burst"));
        Map<String, Object> fixed = traced(used(Algorithm.FIXED, new Quota(100, 60_000, 0), 1));
        assertEquals(98L, fixed.get("remaining"));
        assertEquals(false, fixed.containsKey("burst"));
    }

    @Test
    void permits_are_told_with_their_holders_that_have_not_ended() {
        Permits permits = Permits.NONE
                .with(3, "gone".getBytes(StandardCharsets.UTF_8), 1, NOW)
                .with(3, "web\n1".getBytes(StandardCharsets.UTF_8), 2, NOW + 500);
        Map<String, Object> fields = traced(permits);
        assertEquals("permits", fields.get("kind"));
        assertEquals(2L, fields.get("remaining"));
        assertEquals(List.of(Map.of("holder", "web\\x0a1", "endsInMillis", 500L)), fields.get("holders"));
    }

    @Test
    void a_key_without_a_limit_says_so() {
        assertEquals(
                "unused",
                LimitTrace.of(Key.of("nothing"), store, NOW, List.of()).get("kind"));
        Key value = Key.of("value");
        store.put(value.bytes(), value.hash(), Entry.of(new byte[1], Entry.NEVER, 2));
        assertEquals("no limit", LimitTrace.of(value, store, NOW, List.of()).get("kind"));
    }
}
