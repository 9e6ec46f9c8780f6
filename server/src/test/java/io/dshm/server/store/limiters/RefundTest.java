package io.dshm.server.store.limiters;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What is given back to a sliding window log that is called with several periods. */
class RefundTest {

    private static final Quota SECOND = new Quota(100, 1_000, 0);
    private static final Quota MINUTE = new Quota(10, 60_000, 0);

    @Test
    void a_refund_in_a_short_period_leaves_a_longer_one_what_it_has_beyond() {
        SlidingLog log = SlidingLog.of(10, 60_000);
        log = allowed(log, MINUTE, 0, 6);
        log = allowed(log, SECOND, 10_000, 4);
        log = allowed(log, SECOND, 10_000, -3);
        assertEquals(99, remaining(log, SECOND, 10_000));
        assertEquals(3, remaining(log, MINUTE, 10_000), "6 are from before the second");
        assertFalse(take(log, MINUTE, 10_000, 4).allowed());
        log = allowed(log, MINUTE, 10_000, 3);
        assertEquals(0, remaining(log, MINUTE, 59_999));
        assertEquals(6, remaining(log, MINUTE, 60_000));
        assertEquals(10, remaining(log, MINUTE, 70_000));
    }

    @Test
    void what_is_given_back_of_a_long_period_is_older_than_a_short_one() {
        SlidingLog log = SlidingLog.of(10, 60_000);
        log = allowed(log, MINUTE, 0, 5);
        log = allowed(log, SECOND, 10_000, 5);
        log = allowed(log, MINUTE, 10_000, -5);
        assertEquals(95, remaining(log, SECOND, 10_000));
        assertEquals(5, remaining(log, MINUTE, 10_000));
    }

    /** Against a list of all that was taken, of which nothing is ever forgotten. */
    @Test
    void no_call_is_granted_more_than_its_limit_in_its_period_whatever_others_name() {
        for (int round = 0; round < 300; round++) {
            compare(References.seed() + round, 200, 40, 50, 10);
        }
    }

    /** The same with so many grants that they are in several arrays. */
    @Test
    void many_grants() {
        long seed = References.seed();
        compare(seed, 120_000, 60_000, 50_000, 4_000);
        compare(seed + 1, 120_000, 60_000, 50_000, 1);
    }

    private static void compare(long seed, int steps, int periodMax, int limitMax, int refundMax) {
        Random random = new Random(seed);
        Quota longest = new Quota(limitMax, periodMax, 0);
        List<Quota> quotas = new ArrayList<>(List.of(longest));
        for (int i = 0; i < 3; i++) {
            quotas.add(new Quota(1 + random.nextInt(limitMax), 1 + random.nextInt(periodMax), 0));
        }
        boolean many = steps > 1_000;
        int costMax = many ? refundMax == 1 ? 1 : 3 : 6;
        SlidingLog log = SlidingLog.of(longest.limit(), longest.periodMillis());
        Taken taken = new Taken();
        long clock = 0;
        for (int step = 0; step < steps; step++) {
            clock += random.nextInt(3) / 2;
            Quota quota = quotas.get(random.nextInt(quotas.size()));
            boolean refunds = random.nextInt(many ? 300 : 5) == 0;
            long cost = refunds ? -1 - random.nextInt(refundMax) : 1 + random.nextInt(costMax);
            String context = "repeat with -Ddshm.seed=" + seed + ", step " + step + ", " + cost + " by " + quota;
            boolean looks = !many || refunds || random.nextInt(500) == 0;
            if (looks) {
                // What is written into a view that is not the newest meets no other.
                assertTrue(log.spend(clock, 1 + costMax / 2).grantCount() > 0, context);
            }
            Taking taking = log.take(quota, clock, cost);
            boolean allowed = Objects.requireNonNull(taking.decision()).allowed();
            log = (SlidingLog) taking.after();
            if (looks) {
                assertEquals(cost < 0 || taken.within(quota, clock) + cost <= quota.limit(), allowed, context);
            }
            if (cost < 0) {
                taken.giveBack(quota, clock, -cost);
            } else if (allowed) {
                taken.add(clock, cost);
            }
            taken.forget(clock - periodMax);
            if (looks) {
                for (Quota each : quotas) {
                    long left = Math.max(0, each.limit() - taken.within(each, clock));
                    assertEquals(left, remaining(log, each, clock), context);
                }
            }
            if (random.nextInt(steps / 5) == 0) {
                assertEquals(taken.list(), listOf(log, clock - periodMax), context);
                log = (SlidingLog) LimiterPropertiesTest.restored(log);
            }
        }
        assertEquals(taken.list(), listOf(log, clock - periodMax), "seed " + seed);
    }

    private static final class Taken {

        private Deque<long[]> grants = new ArrayDeque<>();

        void add(long clock, long cost) {
            grants.addLast(new long[] {clock, cost});
        }

        long within(Quota quota, long clock) {
            return grants.stream()
                    .filter(grant -> clock - grant[0] < quota.periodMillis())
                    .mapToLong(grant -> grant[1])
                    .sum();
        }

        void giveBack(Quota quota, long clock, long tokens) {
            long left = tokens;
            for (long[] grant : grants) {
                if (clock - grant[0] < quota.periodMillis()) {
                    long given = Math.min(left, grant[1]);
                    grant[1] -= given;
                    left -= given;
                }
            }
            grants = new ArrayDeque<>(
                    grants.stream().filter(grant -> grant[1] > 0).toList());
        }

        void forget(long before) {
            while (!grants.isEmpty() && grants.getFirst()[0] <= before) {
                grants.removeFirst();
            }
        }

        List<List<Long>> list() {
            return grants.stream().map(grant -> List.of(grant[0], grant[1])).toList();
        }
    }

    private static List<List<Long>> listOf(SlidingLog log, long before) {
        List<List<Long>> list = new ArrayList<>();
        for (int i = 0; i < log.grantCount(); i++) {
            if (log.grantMillis(i) > before) {
                list.add(List.of(log.grantMillis(i), log.grantAmount(i)));
            }
        }
        return list;
    }

    private static SlidingLog allowed(SlidingLog log, Quota quota, long clock, long cost) {
        Taking taking = log.take(quota, clock, cost);
        assertTrue(Objects.requireNonNull(taking.decision()).allowed());
        return (SlidingLog) taking.after();
    }

    private static Decision take(SlidingLog log, Quota quota, long clock, long cost) {
        return Objects.requireNonNull(log.take(quota, clock, cost).decision());
    }

    private static long remaining(SlidingLog log, Quota quota, long clock) {
        return take(log, quota, clock, 0).remaining();
    }
}
