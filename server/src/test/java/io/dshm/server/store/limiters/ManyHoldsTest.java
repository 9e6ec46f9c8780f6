package io.dshm.server.store.limiters;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Limits;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What an account keeps for the next call changes nothing that anybody sees, and the next call is short. */
class ManyHoldsTest {

    private static final int ROUNDS = 20;
    private static final int CALLS = 120;

    /** Some objects. The work of one call for each hold allocated some hundred thousand, or copied that much. */
    private static final long CALL_BYTES_MAX = 4_000;

    /** One list of holds, copied a few times. */
    private static final long CHANGE_BYTES_MAX = 200_000;

    private static final com.sun.management.ThreadMXBean THREADS =
            (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();

    private static byte[] id(String name) {
        return name.getBytes(StandardCharsets.US_ASCII);
    }

    private static Quota quota(Algorithm algorithm, long limit, long periodMillis) {
        return new Quota(limit, periodMillis, hasBurst(algorithm) && limit > 0 ? limit - 1 : 0);
    }

    private static boolean hasBurst(Algorithm algorithm) {
        return algorithm == Algorithm.GCRA || algorithm == Algorithm.LEAKY;
    }

    @ParameterizedTest
    @EnumSource
    void what_is_kept_changes_no_outcome_and_no_state(Algorithm algorithm) {
        long seed = References.seed();
        Random random = new Random(seed);
        for (int round = 0; round < ROUNDS; round++) {
            new Story(algorithm, random, "seed " + seed + ", round " + round).run();
        }
    }

    /** The same calls on a limiter that keeps what it found out, and on one that is made anew for each call. */
    private static final class Story {
        private final Algorithm algorithm;
        private final Random random;
        private final String name;
        private final List<Quota> quotas;
        private final long tokensMax;
        private final long ttlMax;
        private long clock;
        private TokenLimiter kept;
        private TokenLimiter renewed;
        private int names;

        Story(Algorithm algorithm, Random random, String name) {
            this.algorithm = algorithm;
            this.random = random;
            this.name = name;
            boolean large = random.nextInt(3) == 0;
            this.tokensMax = large ? Quota.TOKENS_MAX / 100 : 1 + random.nextInt(50);
            this.ttlMax = random.nextBoolean() ? 1_000 : large ? Quota.PERIOD_MILLIS_MAX : 100_000;
            this.quotas = IntStream.range(0, 3).mapToObj(i -> anyQuota(large)).toList();
            this.clock = random.nextInt(1_000_000);
            this.kept = start();
            this.renewed = made(kept);
        }

        private Quota anyQuota(boolean large) {
            long limit =
                    large ? random.nextLong(Quota.TOKENS_MAX + 1) : random.nextInt(8) == 0 ? 0 : random.nextInt(20_000);
            long period = large ? 1 + random.nextLong(Quota.PERIOD_MILLIS_MAX) : 1 + random.nextInt(100_000);
            return quota(algorithm, limit, period);
        }

        /** Sometimes so full, as by true costs beyond the limit, that no more can be counted. */
        private TokenLimiter start() {
            Quota quota = quotas.get(0);
            if (!hasBurst(algorithm) || random.nextInt(4) > 0) {
                return algorithm.fresh(quota, clock);
            }
            long used = Meter.USED_MAX - random.nextLong(40 * tokensMax);
            Holds reserved = Holds.NONE;
            Holds shares = Holds.NONE;
            for (int i = 0; i < 40; i++) {
                long end = clock + 1 + random.nextLong(ttlMax);
                reserved = reserved.with(id("r" + names++), random.nextLong(1 + tokensMax), end);
                shares = shares.with(id("s" + i), 1 + random.nextLong(tokensMax), end + random.nextInt(3));
            }
            return Account.restore(Meter.restore(algorithm, quota, clock, used, 0), reserved, shares);
        }

        void run() {
            for (int i = 0; i < 100; i++) {
                reserve();
                grant();
            }
            for (int call = 0; call < CALLS; call++) {
                clock += random.nextInt(3) == 0 ? random.nextLong(1 + ttlMax / 20) : 0;
                switch (random.nextInt(7)) {
                    case 0 -> reserve();
                    case 1 -> grant();
                    case 2 -> settle();
                    case 3 -> giveBack();
                    case 4 -> take(1 + random.nextLong(tokensMax));
                    case 5 -> take(-1 - random.nextLong(tokensMax));
                    default -> take(0);
                }
                assertEquals(renewed.remainingAt(clock), kept.remainingAt(clock), name);
                long past = clock - random.nextLong(1 + Math.min(clock, ttlMax));
                assertEquals(made(kept).remainingAt(past), kept.remainingAt(past), name);
            }
        }

        private Quota anyQuota() {
            return quotas.get(random.nextInt(6) / 3 * random.nextInt(3));
        }

        private void take(long cost) {
            Quota quota = anyQuota();
            become(kept.take(quota, clock, cost), made(renewed).take(quota, clock, cost), quota);
        }

        private void reserve() {
            Quota quota = anyQuota();
            byte[] id = id("r" + (random.nextInt(10) == 0 ? random.nextInt(names + 1) : names++));
            long cost = random.nextInt(5) == 0 ? 0 : random.nextLong(1 + tokensMax);
            long end = clock + 1 + random.nextLong(ttlMax);
            become(
                    Account.of(kept).reserve(quota, clock, id, cost, end),
                    Account.of(made(renewed)).reserve(quota, clock, id, cost, end),
                    quota);
        }

        private void grant() {
            Quota quota = anyQuota();
            byte[] holder = id("s" + random.nextInt(40));
            long want = 1 + random.nextLong(tokensMax);
            Account.Granting granting = Account.of(kept).grant(quota, clock, holder, want, 1);
            Account.Granting other = Account.of(made(renewed)).grant(quota, clock, holder, want, 1);
            assertEquals(other == null, granting == null, name);
            if (granting != null && other != null) {
                assertEquals(other.share(), granting.share(), name);
                if (granting.share().granted() > 0) {
                    become(granting.after(), other.after());
                }
            }
        }

        private void settle() {
            byte[] id = id("r" + random.nextInt(1 + names));
            long cost = random.nextLong(1 + tokensMax);
            Taking taking = Account.of(kept).settle(clock, id, cost);
            Taking other = Account.of(made(renewed)).settle(clock, id, cost);
            assertEquals(other == null, taking == null, name);
            if (taking != null && other != null) {
                become(taking, other, null);
            }
        }

        private void giveBack() {
            byte[] holder = id("s" + random.nextInt(40));
            long unused = random.nextLong(3 * tokensMax);
            become(
                    Account.of(kept).giveBack(clock, holder, unused),
                    Account.of(made(renewed)).giveBack(clock, holder, unused));
        }

        private void become(Taking taking, Taking other, @Nullable Quota quota) {
            Decision decision = taking.decision();
            assertEquals(other.decision(), decision, name);
            become(taking.after(), other.after());
            if (decision != null && quota != null && kept instanceof Account account) {
                Account now = (Account) made(account.at(clock));
                if (now.reserved().tokens() + now.shares().tokens() > 0) {
                    long unused = spentOneByOne(now, now.tokens().renumbered(quota, clock));
                    assertEquals(Math.max(0, unused - clock), decision.resetMillis(), name);
                }
            }
        }

        private void become(TokenLimiter after, TokenLimiter other) {
            kept = simplest(after);
            renewed = simplest(made(other));
            assertEquals(state(made(other)), state(after), name);
            assertEquals(other.bytes(), after.bytes(), name);
            assertEquals(renewed.bytes(), kept.bytes(), name);
            if (after instanceof Account account) {
                long last = Math.max(
                        account.reserved().lastEndMillis(), account.shares().lastEndMillis());
                Account again = (Account) made(account);
                assertEquals(Math.max(last, spentOneByOne(again, again.tokens())), account.freshAtMillis(), name);
            }
        }
    }

    private static TokenLimiter simplest(TokenLimiter limiter) {
        return limiter instanceof Account account
                        && account.reserved().size() + account.shares().size() == 0
                ? account.tokens()
                : limiter;
    }

    /** By the definition: all that is held becomes used, each at its own instant. */
    private static long spentOneByOne(Account account, PlainLimiter limiter) {
        PlainLimiter after = limiter;
        Holds reserved = account.reserved();
        Holds shares = account.shares();
        int reservation = 0;
        int share = 0;
        while (reservation < reserved.size() || share < shares.size()) {
            boolean ofShares = reservation == reserved.size()
                    || (share < shares.size() && shares.endMillis(share) < reserved.endMillis(reservation));
            Holds holds = ofShares ? shares : reserved;
            int place = ofShares ? share++ : reservation++;
            if (holds.number(place) > 0) {
                after = after.spend(holds.endMillis(place) - 1, holds.number(place));
            }
        }
        return after.freshAtMillis();
    }

    /** The same, made from nothing but what a snapshot holds. */
    private static TokenLimiter made(TokenLimiter limiter) {
        if (limiter instanceof Account account) {
            return Account.restore(
                    (PlainLimiter) made(account.tokens()), made(account.reserved()), made(account.shares()));
        }
        if (limiter instanceof SlidingLog log) {
            int count = log.grantCount();
            long[] instants =
                    IntStream.range(0, count).mapToLong(log::grantMillis).toArray();
            long[] amounts =
                    IntStream.range(0, count).mapToLong(log::grantAmount).toArray();
            return SlidingLog.restore(
                    log.limit(), log.periodMillis(), log.keepMillis(), instants, log.hasAmounts() ? amounts : null);
        }
        Meter meter = (Meter) limiter;
        return Meter.restore(meter.algorithm(), meter.quota(), meter.atMillis(), meter.used(), meter.more());
    }

    private static Holds made(Holds holds) {
        Holds made = Holds.NONE;
        for (int place = 0; place < holds.size(); place++) {
            made = made.with(holds.id(place), holds.number(place), holds.endMillis(place));
        }
        assertEquals(made.bytes(), holds.bytes());
        assertEquals(made.tokens(), holds.tokens());
        return made;
    }

    private static List<Long> state(TokenLimiter limiter) {
        List<Long> numbers = new ArrayList<>();
        limiter.forEachNumber(Long.MIN_VALUE / 2, numbers::add);
        return numbers;
    }

    @ParameterizedTest
    @EnumSource
    void a_call_does_not_look_at_each_hold_again(Algorithm algorithm) {
        Quota quota = quota(algorithm, 1_000_000_000, 3_600_000);
        Account account = full(algorithm, quota);
        for (long clock : new long[] {100, 20_000}) {
            assertSmall("a look at " + clock, () -> account.take(quota, clock, 0));
            assertSmall("a refused call at " + clock, () -> account.take(quota, clock, 999_999_999));
        }
        Quota[] other = {quota};
        assertSmall("a look with other numbers", () -> {
            other[0] = quota(algorithm, other[0].limit() + 1, 3_600_000);
            account.take(other[0], 100, 0);
        });
        TokenLimiter[] taken = {account};
        assertSmall("a call that takes", () -> {
            taken[0] = taken[0].take(quota, 100, 1).after();
            taken[0].freshAtMillis();
            taken[0].bytes();
        });
        if (algorithm != Algorithm.LOG) {
            assertSmall("a read", () -> account.remainingAt(20_000));
        }
    }

    @ParameterizedTest
    @EnumSource
    void what_many_shares_of_a_holder_leave_is_given_back_in_one_step(Algorithm algorithm) {
        Quota quota = quota(algorithm, 1_000_000_000, 3_600_000);
        TokenLimiter full = full(algorithm, quota);
        long before = THREADS.getCurrentThreadAllocatedBytes();
        Account left = (Account) ((Account) full).giveBack(100, id("s"), 1_999);
        long bytes = THREADS.getCurrentThreadAllocatedBytes() - before;
        assertTrue(bytes < CHANGE_BYTES_MAX, bytes + " bytes");
        assertEquals(1, left.shares().size());
        assertArrayEquals(id("s"), left.shares().id(0));
        assertEquals(1, left.shares().number(0));
    }

    /** As many reservations and shares of two tokens as there can be, made at the instant 0. */
    private static Account full(Algorithm algorithm, Quota quota) {
        Account account = Account.of(algorithm.fresh(quota, 0));
        for (int i = 0; i < Limits.HOLDERS_MAX; i++) {
            account = (Account)
                    account.reserve(quota, 0, id("r" + i), 2, 5_000 + i).after();
            Account.Granting granting = account.grant(quota, 0, id("s"), 2, 1);
            account = granting == null ? account : granting.after();
        }
        assertEquals(
                2 * Limits.HOLDERS_MAX,
                account.reserved().size() + account.shares().size());
        return account;
    }

    /** When it is repeated: the first one may find out something for the others. */
    private static void assertSmall(String what, Runnable call) {
        call.run();
        long least = Long.MAX_VALUE;
        for (int i = 0; i < 5; i++) {
            long before = THREADS.getCurrentThreadAllocatedBytes();
            call.run();
            least = Math.min(least, THREADS.getCurrentThreadAllocatedBytes() - before);
        }
        assertTrue(least < CALL_BYTES_MAX, what + " allocates " + least + " bytes");
    }
}
