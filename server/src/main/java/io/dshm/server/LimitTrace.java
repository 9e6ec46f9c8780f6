package io.dshm.server;

import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.server.counters.Printable;
import io.dshm.server.frontend.Refusals;
import io.dshm.server.frontend.Refusals.Refusal;
import io.dshm.server.store.Entry;
import io.dshm.server.store.Store;
import io.dshm.server.store.limiters.Account;
import io.dshm.server.store.limiters.Algorithm;
import io.dshm.server.store.limiters.Holds;
import io.dshm.server.store.limiters.Limiter;
import io.dshm.server.store.limiters.Permits;
import io.dshm.server.store.limiters.PlainLimiter;
import io.dshm.server.store.limiters.Quota;
import io.dshm.server.store.limiters.SlidingLog;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Why a limit decides as it does: its numbers, what was used of it when, and whom this node has refused last. */
final class LimitTrace {

    private static final int NAME_CHARACTERS_MAX = 256;

    private LimitTrace() {}

    /**
     * As names and values, in the order in which they are to be shown.
     *
     * @param clockMillis the cluster's clock
     * @param loops what each event loop remembers
     */
    static Map<String, Object> of(Key key, Store store, long clockMillis, List<Refusals> loops) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("key", name(key.bytes()));
        fields.put("clusterTimeMillis", clockMillis);
        Entry entry = store.get(key.bytes(), key.hash());
        if (entry == null || entry.isExpiredAt(clockMillis)) {
            fields.put("kind", "unused");
        } else if (entry.isLimiter()) {
            describe(entry.limiter(), clockMillis, fields);
        } else {
            fields.put("kind", "no limit");
        }
        long refused = 0;
        List<Refusal> newest = new ArrayList<>();
        for (Refusals loop : loops) {
            refused += loop.count(key);
            newest.addAll(loop.of(key));
        }
        fields.put("refused", refused);
        newest.sort(Comparator.comparingLong(Refusal::millis).reversed());
        fields.put(
                "refusals",
                newest.stream()
                        .limit(Limits.REFUSALS_OF_A_KEY_MAX)
                        .map(LimitTrace::of)
                        .toList());
        return fields;
    }

    private static Map<String, Object> of(Refusal refusal) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("millis", refusal.millis());
        fields.put("client", refusal.client().toString());
        fields.put("command", refusal.what().name());
        fields.put("cost", refusal.cost());
        Key policy = refusal.policy();
        fields.put("policy", policy == null ? "" : name(policy.bytes()));
        fields.put("reply", refusal.details());
        return fields;
    }

    private static void describe(Limiter limiter, long clockMillis, Map<String, Object> fields) {
        if (limiter instanceof Permits permits) {
            fields.put("kind", "permits");
            fields.put("limit", permits.limit());
            fields.put("remaining", permits.remainingAt(clockMillis));
            fields.put("holders", held(permits.holders(), clockMillis, null));
            return;
        }
        Account account = limiter instanceof Account held ? held : null;
        PlainLimiter tokens = account == null ? (PlainLimiter) limiter : account.tokens();
        Quota quota = tokens.quota();
        fields.put("kind", tokens.algorithm().name().toLowerCase(Locale.ROOT));
        fields.put("limit", quota.limit());
        fields.put("periodMillis", quota.periodMillis());
        if (tokens.algorithm() == Algorithm.GCRA || tokens.algorithm() == Algorithm.LEAKY) {
            fields.put("burst", quota.burst());
        }
        fields.put("remaining", limiter.remainingAt(clockMillis));
        fields.put("unusedInMillis", Math.max(0, limiter.freshAtMillis() - clockMillis));
        if (tokens instanceof SlidingLog log) {
            fields.put("uses", uses(log));
        }
        if (account != null) {
            fields.put("reserved", held(account.reserved(), clockMillis, "tokens"));
            fields.put("shares", held(account.shares(), clockMillis, "tokens"));
        }
    }

    /** The newest first. */
    private static List<Map<String, Object>> uses(SlidingLog log) {
        List<Map<String, Object>> newest = new ArrayList<>();
        int count = log.grantCount();
        for (int place = count - 1; place >= Math.max(0, count - Limits.USES_SHOWN_MAX); place--) {
            Map<String, Object> use = new LinkedHashMap<>();
            use.put("millis", log.grantMillis(place));
            use.put("cost", log.grantAmount(place));
            newest.add(use);
        }
        return newest;
    }

    /** Who ends last, first. */
    private static List<Map<String, Object>> held(Holds holds, long clockMillis, @Nullable String number) {
        List<Map<String, Object>> last = new ArrayList<>();
        for (int place = holds.size() - 1;
                place >= holds.endedAt(clockMillis) && last.size() < Limits.USES_SHOWN_MAX;
                place--) {
            Map<String, Object> hold = new LinkedHashMap<>();
            hold.put("holder", name(holds.id(place)));
            if (number != null) {
                hold.put(number, Math.max(0, holds.number(place)));
            }
            hold.put("endsInMillis", holds.endMillis(place) - clockMillis);
            last.add(hold);
        }
        return last;
    }

    private static String name(byte[] bytes) {
        return Printable.of(bytes, NAME_CHARACTERS_MAX);
    }
}
