package io.dshm.server.statemachine;

import com.google.protobuf.ByteString;
import io.dshm.proto.Key;
import io.dshm.proto.Policy;
import io.dshm.proto.text.Policies;
import io.dshm.proto.wire.LimitAlgorithm;
import io.dshm.proto.wire.TakeAllCommand;
import io.dshm.proto.wire.TakeCommand;
import io.dshm.server.store.Entry;
import io.dshm.server.store.limiters.Algorithm;
import io.dshm.server.store.limiters.Decision;
import io.dshm.server.store.limiters.Quota;
import io.dshm.server.store.limiters.Taking;
import io.dshm.server.store.limiters.TokenLimiter;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What TAKE and TAKE_ALL do to the entries. A limiter that is as good as new has no entry.
 *
 * <p>Confined to the thread that applies. {@code clockMillis} is the cluster clock of the entry being applied.
 */
final class Takes {

    private final Entries entries;

    Takes(Entries entries) {
        this.entries = entries;
    }

    Outcome take(TakeCommand command, long clockMillis) {
        return onLimit(command, clockMillis, (limit, quota) -> {
            Taking taking = limit.before().take(quota, clockMillis, command.getCost());
            Decision decision = taking.decision();
            if (decision == null) {
                return Outcome.TOO_LARGE;
            }
            put(limit, taking.after(), clockMillis);
            return Outcome.decision(decision);
        });
    }

    /**
     * A limiter that is there, or a new one.
     *
     * @param entry null where there is none
     */
    record Limit(Key key, @Nullable Entry entry, TokenLimiter before) {}

    /** What is done with a limiter, by the numbers of a call. */
    @FunctionalInterface
    interface Call {
        Outcome on(Limit limit, Quota quota);
    }

    /** Does it with the limiter that a command names, by its numbers or those of its policy. */
    Outcome onLimit(TakeCommand command, long clockMillis, Call call) {
        if (command.getPolicyKey().isEmpty()) {
            Quota quota = new Quota(command.getLimit(), command.getPeriodMillis(), command.getBurst());
            return onLimit(command, algorithm(command.getAlgorithm()), quota, clockMillis, call);
        }
        Entry entry = entries.find(Writes.key(command.getPolicyKey()), clockMillis);
        if (entry == null) {
            return Outcome.NOT_FOUND;
        }
        byte[] value = stringOf(entry);
        Policy policy = value == null ? null : Policies.parse(value);
        if (policy == null) {
            return Outcome.BAD_REQUEST;
        }
        Quota quota = new Quota(policy.limit(), policy.periodMillis(), policy.burst());
        return onLimit(command, algorithm(policy.algorithm()), quota, clockMillis, call);
    }

    private Outcome onLimit(TakeCommand command, Algorithm algorithm, Quota quota, long clockMillis, Call call) {
        Key key = Writes.key(command.getKey());
        Entry entry = entries.find(key, clockMillis);
        if (entry != null && !isOf(algorithm, entry)) {
            return Outcome.BAD_REQUEST;
        }
        TokenLimiter before = entry == null ? algorithm.fresh(quota, clockMillis) : (TokenLimiter) entry.limiter();
        return call.on(new Limit(key, entry, before), quota);
    }

    /**
     * Does it with the limiter that is there, whatever its numbers and algorithm.
     *
     * @param absent the outcome where there is none
     */
    Outcome onExisting(ByteString keyBytes, long clockMillis, Outcome absent, Function<Limit, Outcome> call) {
        Key key = Writes.key(keyBytes);
        Entry entry = entries.find(key, clockMillis);
        if (entry == null) {
            return absent;
        }
        return entry.isLimiter() && entry.limiter() instanceof TokenLimiter before
                ? call.apply(new Limit(key, entry, before))
                : Outcome.BAD_REQUEST;
    }

    /** Puts a limiter in the place of what it was. */
    void put(Limit limit, TokenLimiter after, long clockMillis) {
        if (after == limit.before()) {
            return;
        }
        long freshAtMillis = after.freshAtMillis();
        if (freshAtMillis > clockMillis) {
            entries.put(limit.key(), Entry.of(after, freshAtMillis, entries.nextVersion()));
        } else if (limit.entry() != null) {
            entries.remove(limit.key());
        }
    }

    /** If one that is no shadow is refused, none takes anything, and each says how its own limit stands. */
    Outcome takeAll(TakeAllCommand command, long clockMillis) {
        List<Outcome> outcomes = new ArrayList<>();
        boolean refused = false;
        entries.begin();
        for (TakeCommand take : command.getTakesList()) {
            Outcome outcome = take(take, clockMillis);
            Decision decision = outcome.decision();
            if (decision == null) {
                entries.abandon();
                return outcome.ofCommand(outcomes.size() + 1);
            }
            refused |= !decision.allowed() && !take.getShadow();
            outcomes.add(outcome);
        }
        if (!refused) {
            entries.commit();
            return Outcome.several(outcomes);
        }
        entries.abandon();
        for (int i = 0; i < outcomes.size(); i++) {
            TakeCommand look = command.getTakes(i).toBuilder().setCost(0).build();
            Decision untouched = Objects.requireNonNull(take(look, clockMillis).decision());
            Decision decision = Objects.requireNonNull(outcomes.get(i).decision());
            outcomes.set(i, Outcome.decision(untouched.saying(decision.allowed(), decision.retryMillis())));
        }
        return Outcome.several(outcomes);
    }

    private static boolean isOf(Algorithm algorithm, Entry entry) {
        return entry.isLimiter() && entry.limiter() instanceof TokenLimiter limiter && limiter.algorithm() == algorithm;
    }

    private static byte @Nullable [] stringOf(Entry entry) {
        if (entry.isLarge()) {
            return null;
        }
        if (entry.isPlain()) {
            return entry.value();
        }
        return entry.isTyped() && entry.typed().held() instanceof byte[] string ? string : null;
    }

    static Algorithm algorithm(LimitAlgorithm algorithm) {
        return switch (algorithm) {
            case FIXED -> Algorithm.FIXED;
            case LOG -> Algorithm.LOG;
            case COUNTER -> Algorithm.COUNTER;
            case GCRA -> Algorithm.GCRA;
            case LEAKY -> Algorithm.LEAKY;
            case UNRECOGNIZED -> throw new IllegalArgumentException("an unknown algorithm");
        };
    }

    private static Algorithm algorithm(io.dshm.proto.Algorithm algorithm) {
        return switch (algorithm) {
            case FIXED -> Algorithm.FIXED;
            case LOG -> Algorithm.LOG;
            case COUNTER -> Algorithm.COUNTER;
            case GCRA -> Algorithm.GCRA;
            case LEAKY -> Algorithm.LEAKY;
        };
    }

    static LimitAlgorithm toWire(Algorithm algorithm) {
        return switch (algorithm) {
            case FIXED -> LimitAlgorithm.FIXED;
            case LOG -> LimitAlgorithm.LOG;
            case COUNTER -> LimitAlgorithm.COUNTER;
            case GCRA -> LimitAlgorithm.GCRA;
            case LEAKY -> LimitAlgorithm.LEAKY;
        };
    }
}
