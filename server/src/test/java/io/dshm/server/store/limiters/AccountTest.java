package io.dshm.server.store.limiters;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class AccountTest {

    private static final byte[] A = id("a");
    private static final byte[] B = id("b");

    private static byte[] id(String name) {
        return name.getBytes(StandardCharsets.US_ASCII);
    }

    private static Quota quota(Algorithm algorithm, long limit, long periodMillis) {
        boolean bursts = algorithm == Algorithm.GCRA || algorithm == Algorithm.LEAKY;
        return new Quota(limit, periodMillis, bursts ? limit - 1 : 0);
    }

    private static Account fresh(Algorithm algorithm, Quota quota) {
        return Account.of(algorithm.fresh(quota, 0));
    }

    private static Decision decision(Taking taking) {
        return Objects.requireNonNull(taking.decision());
    }

    /** Tokens that somebody may still spend: a share, or a reservation, as the one who has it knows it. */
    private static final class Holding {
        final byte[] id;
        final boolean isShare;
        final long endMillis;
        long left;
        long spendable;

        Holding(byte[] id, boolean isShare, long endMillis, long left) {
            this.id = id;
            this.isShare = isShare;
            this.endMillis = endMillis;
            this.left = left;
            this.spendable = left;
        }
    }

    /**
     * What is used at the moment at which it really is used never exceeds the limit in any window, whatever holders do within their
     * time, and what is admitted is what the definition admits when everything held is added to the cost.
     */
    @ParameterizedTest
    @EnumSource
    void no_window_ever_holds_more_than_the_limit_whenever_holders_spend(Algorithm algorithm) {
        long seed = References.seed();
        Random random = new Random(seed);
        for (int round = 0; round < 200; round++) {
            new Story(algorithm, random, "seed " + seed + ", round " + round).run();
        }
    }

    private static final class Story {
        private final Random random;
        private final String name;
        private final Quota quota;
        private final References charged;
        private final References used;
        private final List<Holding> holdings = new ArrayList<>();
        private TokenLimiter limiter;
        private long clock = 1_000_000;
        private int names;

        Story(Algorithm algorithm, Random random, String name) {
            this.random = random;
            this.name = name;
            this.quota = quota(algorithm, 1 + random.nextInt(12), 1 + random.nextInt(400));
            this.charged = References.of(algorithm, quota);
            this.used = References.of(algorithm, quota);
            this.limiter = algorithm.fresh(quota, clock);
        }

        private long held() {
            return holdings.stream().mapToLong(one -> one.left).sum();
        }

        private void use(long tokens) {
            if (tokens > 0) {
                used.grants.add(new References.Grant(clock, tokens));
                assertTrue(used.lastWindowHolds(), name);
            }
        }

        /** What is unspent when its time is up counts as spent at the last moment. */
        private void end() {
            holdings.stream()
                    .filter(one -> one.endMillis <= clock && one.left > 0)
                    .sorted((one, other) -> Long.compare(one.endMillis, other.endMillis))
                    .forEach(one -> charged.grants.add(new References.Grant(one.endMillis - 1, one.left)));
            holdings.removeIf(one -> one.endMillis <= clock);
        }

        void run() {
            for (int step = 0; step < 60; step++) {
                clock += random.nextInt(3) == 0 ? random.nextInt((int) quota.periodMillis() + 1) : random.nextInt(9);
                end();
                int cost = 1 + random.nextInt(5);
                switch (random.nextInt(5)) {
                    case 0 -> take(cost);
                    case 1 -> reserve(cost);
                    case 2 -> grant(cost);
                    case 3 -> settle();
                    default -> spendAndGiveBack();
                }
                long now = clock;
                long left = 0;
                while (left <= quota.limit() + quota.burst() && charged.admits(now, left + 1 + held())) {
                    left++;
                }
                assertEquals(left, limiter.remainingAt(clock), name);
            }
        }

        private boolean admits(long cost) {
            return charged.admits(clock, cost + held());
        }

        private void take(long cost) {
            boolean admits = admits(cost);
            Taking taking = limiter.take(quota, clock, cost);
            assertEquals(admits, decision(taking).allowed(), name);
            if (admits) {
                charged.grants.add(new References.Grant(clock, cost));
                use(cost);
            }
            limiter = taking.after();
        }

        private void reserve(long cost) {
            byte[] id = id("r" + names++);
            boolean admits = admits(cost);
            long endMillis = clock + 1 + random.nextInt((int) quota.periodMillis() * 2);
            Taking taking = Account.of(limiter).reserve(quota, clock, id, cost, endMillis);
            assertEquals(admits, decision(taking).allowed(), name);
            limiter = taking.after();
            if (admits) {
                holdings.add(new Holding(id, false, endMillis, cost));
            }
        }

        private void grant(long want) {
            byte[] id = id("h" + random.nextInt(3));
            Account.Granting granting =
                    Objects.requireNonNull(Account.of(limiter).grant(quota, clock, id, want, 1));
            long granted = granting.share().granted();
            assertTrue(granted == 0 || admits(granted), name);
            assertTrue(granted == want || !admits(granted + 1), name);
            if (granted > 0) {
                limiter = granting.after();
                holdings.add(new Holding(id, true, clock + granting.share().lifeMillis(), granted));
            }
        }

        private void settle() {
            List<Holding> reserved =
                    holdings.stream().filter(one -> !one.isShare).toList();
            if (!reserved.isEmpty()) {
                Holding one = reserved.get(random.nextInt(reserved.size()));
                long cost = random.nextLong(one.left + 1);
                limiter = Objects.requireNonNull(Account.of(limiter).settle(clock, one.id, cost))
                        .after();
                holdings.remove(one);
                if (cost > 0) {
                    charged.grants.add(new References.Grant(clock, cost));
                }
                use(cost);
            }
        }

        /** A holder spends some of a share now, and sometimes gives back all that it has left. */
        private void spendAndGiveBack() {
            List<Holding> shares = holdings.stream().filter(one -> one.isShare).toList();
            if (shares.isEmpty()) {
                return;
            }
            Holding one = shares.get(random.nextInt(shares.size()));
            long spends = random.nextLong(one.spendable + 1);
            use(spends);
            one.spendable -= spends;
            List<Holding> ofHolder = shares.stream()
                    .filter(other -> Arrays.equals(other.id, one.id))
                    .toList();
            if (ofHolder.size() == 1 && random.nextBoolean()) {
                long unused = one.spendable;
                limiter = unused == 0 ? limiter : ((Account) limiter).giveBack(clock, one.id, unused);
                one.left -= unused;
                one.spendable = 0;
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void at_the_edges_it_is_exact(Algorithm algorithm) {
        for (long period : new long[] {1, Quota.PERIOD_MILLIS_MAX}) {
            for (long limit : new long[] {1, Quota.TOKENS_MAX}) {
                Quota quota = quota(algorithm, limit, period);
                Account account = fresh(algorithm, quota);
                Taking all = account.reserve(quota, 0, A, limit, 1000);
                assertTrue(decision(all).allowed());
                assertEquals(0, decision(all).remaining());
                Account held = (Account) all.after();
                assertFalse(decision(held.take(quota, 0, 1)).allowed());
                assertEquals(
                        0,
                        Objects.requireNonNull(held.grant(quota, 0, B, limit, 1))
                                .share()
                                .granted());
                Taking none = Objects.requireNonNull(held.settle(0, A, 0));
                assertEquals(limit, decision(none).remaining());
            }
        }
    }

    @Test
    void what_is_not_settled_in_time_stays_spent() {
        Quota quota = new Quota(10, 1000, 0);
        Account account = (Account)
                fresh(Algorithm.LOG, quota).reserve(quota, 0, A, 10, 500).after();
        assertEquals(0, account.remainingAt(499));
        assertEquals(0, account.remainingAt(1498));
        assertEquals(10, account.remainingAt(1499));
        assertEquals(1499, account.freshAtMillis());
        assertNull(account.settle(500, A, 1));
        assertFalse(decision(account.take(quota, 1498, 1)).allowed());
        assertTrue(decision(account.take(quota, 1499, 10)).allowed());
    }

    @Test
    void a_true_cost_may_go_beyond_the_limit_and_is_counted_once() {
        Quota quota = new Quota(10, 1000, 0);
        Account account = (Account)
                fresh(Algorithm.FIXED, quota).reserve(quota, 0, A, 1, 500).after();
        Account settled =
                (Account) Objects.requireNonNull(account.settle(100, A, 14)).after();
        assertEquals(0, settled.remainingAt(100));
        Taking again = Objects.requireNonNull(settled.settle(200, A, 3));
        assertSame(settled, again.after());
        assertTrue(decision(again).allowed());
        assertEquals(10, settled.remainingAt(1000));
    }

    @Test
    void what_is_given_back_is_taken_also_where_more_is_held_than_left() {
        Quota quota = quota(Algorithm.FIXED, 10, 1000);
        Account held = (Account)
                fresh(Algorithm.FIXED, quota).reserve(quota, 0, A, 9, 500).after();
        Account settled = (Account)
                Objects.requireNonNull(held.reserve(quota, 0, B, 1, 500).after());
        Taking beyond = Objects.requireNonNull(settled.settle(0, B, 8));
        Taking refund = beyond.after().take(quota, 0, -2);
        assertTrue(decision(refund).allowed());
        assertEquals(0, decision(refund).remaining());
        Taking all = refund.after().take(quota, 0, -6);
        assertEquals(1, decision(all).remaining());
    }

    @Test
    void the_same_reservation_is_made_once() {
        Quota quota = new Quota(10, 1000, 0);
        Account account = (Account)
                fresh(Algorithm.FIXED, quota).reserve(quota, 0, A, 8, 500).after();
        Taking again = account.reserve(quota, 0, A, 8, 900);
        assertTrue(decision(again).allowed());
        assertSame(account, again.after());
        assertEquals(2, account.remainingAt(0));
    }

    @Test
    void a_share_of_a_fixed_window_ends_with_it() {
        Quota quota = new Quota(10, 1000, 0);
        Account.Granting granting =
                Objects.requireNonNull(fresh(Algorithm.FIXED, quota).grant(quota, 900, A, 6, 1));
        assertEquals(new GrantedShare(6, 10, 4, 100), granting.share());
        assertEquals(4, granting.after().remainingAt(999));
        assertEquals(10, granting.after().remainingAt(1000));
        assertEquals(1000, granting.after().freshAtMillis());
    }

    @Test
    void a_share_is_not_more_than_there_is_and_none_if_that_is_too_little() {
        Quota quota = new Quota(10, 1000, 0);
        Account account =
                Account.of(fresh(Algorithm.LOG, quota).take(quota, 0, 7).after());
        assertEquals(
                new GrantedShare(0, 10, 3, 0),
                Objects.requireNonNull(account.grant(quota, 0, A, 9, 4)).share());
        assertEquals(
                new GrantedShare(3, 10, 0, 100),
                Objects.requireNonNull(account.grant(quota, 0, A, 9, 3)).share());
    }

    @Test
    void what_is_given_back_too_late_or_too_much_is_not_given_back() {
        Quota quota = quota(Algorithm.GCRA, 10, 1000);
        Account account = Objects.requireNonNull(fresh(Algorithm.GCRA, quota).grant(quota, 0, A, 6, 1))
                .after();
        assertSame(account, account.giveBack(0, B, 5));
        assertEquals(10, account.giveBack(50, A, 1_000_000).remainingAt(50));
        TokenLimiter late = account.giveBack(100, A, 6);
        assertEquals(4, late.remainingAt(100));
    }

    @Test
    void without_anything_held_it_is_the_plain_limiter_again() {
        Quota quota = new Quota(10, 1000, 0);
        Account account = Objects.requireNonNull(fresh(Algorithm.FIXED, quota).grant(quota, 0, A, 6, 1))
                .after();
        assertTrue(account.giveBack(1, A, 6) instanceof FixedWindow);
        assertTrue(account.take(quota, 1000, 1).after() instanceof FixedWindow);
    }
}
