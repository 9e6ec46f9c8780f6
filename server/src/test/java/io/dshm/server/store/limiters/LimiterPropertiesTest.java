package io.dshm.server.store.limiters;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What all algorithms promise, for random numbers, costs and instants; a failure prints its seed. */
class LimiterPropertiesTest {

    private static final int ROUNDS = 400;
    private static final int CALLS = 40;

    @ParameterizedTest
    @EnumSource(Algorithm.class)
    void decisions_are_those_of_the_definition_and_no_window_holds_too_much(Algorithm algorithm) {
        forEachRound((random, context) -> {
            Quota quota = quota(algorithm, random);
            References reference = References.of(algorithm, quota);
            long clock = start(random);
            TokenLimiter limiter = algorithm.fresh(quota, clock);
            for (int i = 0; i < CALLS; i++) {
                clock += step(quota, random);
                long cost = cost(quota, random);
                boolean expected = reference.admits(clock, cost);
                Taking taking = take(limiter, quota, clock, cost);
                assertEquals(expected, decision(taking).allowed(), context + ", call " + i);
                limiter = taking.after();
                if (expected) {
                    reference.grants.add(new References.Grant(clock, cost));
                    assertTrue(reference.lastWindowHolds(), context + ", call " + i);
                }
                limiter = random.nextInt(8) == 0 ? restored(limiter) : limiter;
            }
        });
    }

    @ParameterizedTest
    @EnumSource(Algorithm.class)
    void remaining_reset_and_retry_are_exact_whatever_was_called_before(Algorithm algorithm) {
        forEachRound((random, context) -> {
            List<Quota> quotas = List.of(quota(algorithm, random), quota(algorithm, random));
            long clock = start(random);
            TokenLimiter limiter = algorithm.fresh(quotas.get(0), clock);
            for (int i = 0; i < CALLS; i++) {
                Quota quota = quotas.get(random.nextInt(4) / 3);
                clock += step(quota, random);
                long cost = random.nextInt(6) == 0 ? -cost(quota, random) : cost(quota, random);
                Taking taking = take(limiter, quota, clock, cost);
                limiter = taking.after();
                requireExact(decision(taking), limiter, quota, clock, cost, context + ", call " + i + " of " + cost);
            }
        });
    }

    private static void requireExact(
            Decision decision, TokenLimiter after, Quota quota, long clock, long cost, String context) {
        if (quota.limit() == 0) {
            return;
        }
        assertTrue(decision.remaining() >= 0 && decision.remaining() <= decision.limit(), context);
        assertEquals(decision.remaining(), after.remainingAt(clock), context);
        if (decision.remaining() < Quota.TOKENS_MAX) {
            assertAllowed(false, after, quota, clock, decision.remaining() + 1, context);
        }
        if (decision.remaining() > 0) {
            assertAllowed(true, after, quota, clock, Math.min(Quota.TOKENS_MAX, decision.remaining()), context);
        }
        if (decision.resetMillis() < Long.MAX_VALUE / 2) {
            assertEquals(decision.limit(), after.remainingAt(clock + decision.resetMillis()), context);
            assertTrue(
                    decision.resetMillis() == 0
                            || after.remainingAt(clock + decision.resetMillis() - 1) < decision.limit(),
                    context);
        }
        if (decision.allowed()) {
            assertEquals(0, decision.retryMillis(), context);
        } else if (decision.retryMillis() < 0) {
            assertTrue(cost > decision.limit(), context);
        } else if (decision.retryMillis() < Long.MAX_VALUE / 2) {
            assertTrue(decision.retryMillis() > 0, context);
            assertAllowed(true, after, quota, clock + decision.retryMillis(), cost, context + " after retry");
            assertAllowed(false, after, quota, clock + decision.retryMillis() - 1, cost, context + " before retry");
        }
    }

    private static void assertAllowed(
            boolean allowed, TokenLimiter limiter, Quota quota, long clock, long cost, String context) {
        assertEquals(allowed, decision(take(limiter, quota, clock, cost)).allowed(), context);
    }

    private static Taking take(TokenLimiter limiter, Quota quota, long clock, long cost) {
        // As the state machine does it: what is as good as new is not there.
        TokenLimiter found =
                limiter.freshAtMillis() <= clock ? limiter.algorithm().fresh(quota, clock) : limiter;
        return found.take(quota, clock, cost);
    }

    private static Decision decision(Taking taking) {
        return Objects.requireNonNull(taking.decision());
    }

    static TokenLimiter restored(TokenLimiter limiter) {
        if (limiter instanceof Meter meter) {
            return Meter.restore(meter.algorithm(), meter.quota(), meter.atMillis(), meter.used(), meter.more());
        }
        SlidingLog log = (SlidingLog) limiter;
        long[] instants = new long[log.grantCount()];
        long[] amounts = new long[log.grantCount()];
        for (int i = 0; i < instants.length; i++) {
            instants[i] = log.grantMillis(i);
            amounts[i] = log.grantAmount(i);
        }
        return SlidingLog.restore(
                log.limit(), log.periodMillis(), log.keepMillis(), instants, log.hasAmounts() ? amounts : null);
    }

    private static Quota quota(Algorithm algorithm, Random random) {
        long limit = 1 + upTo(random, random.nextBoolean() ? 10 : Quota.TOKENS_MAX - 1);
        long period = 1 + upTo(random, random.nextBoolean() ? 20 : Quota.PERIOD_MILLIS_MAX - 1);
        boolean bursts = algorithm == Algorithm.GCRA || algorithm == Algorithm.LEAKY;
        return new Quota(limit, period, bursts ? upTo(random, random.nextBoolean() ? 10 : Quota.TOKENS_MAX) : 0);
    }

    private static long upTo(Random random, long max) {
        // Of all magnitudes.
        return (random.nextLong() >>> 1 >>> random.nextInt(Long.SIZE - 1)) % (max + 1);
    }

    private static long start(Random random) {
        return random.nextInt(1000) + (random.nextBoolean() ? 1_800_000_000_000L : 0);
    }

    private static long step(Quota quota, Random random) {
        return switch (random.nextInt(4)) {
            case 0 -> 0;
            case 1 -> 1;
            case 2 -> upTo(random, 3 * quota.periodMillis());
            default -> upTo(random, quota.periodMillis() / Math.min(quota.limit(), 10) + 1);
        };
    }

    private static long cost(Quota quota, Random random) {
        long most = quota.limit() + quota.burst();
        return switch (random.nextInt(4)) {
            case 0 -> 1;
            case 1 -> Math.min(Quota.TOKENS_MAX, quota.limit());
            default -> Math.max(1, Math.min(Quota.TOKENS_MAX, upTo(random, most / (1 + random.nextInt(4)) + 1)));
        };
    }

    private interface Round {
        void run(Random random, String context);
    }

    private static void forEachRound(Round round) {
        long seed = References.seed();
        for (int i = 0; i < ROUNDS; i++) {
            round.run(new Random(seed + i), "seed " + (seed + i));
        }
    }
}
