package io.dshm.server.store.limiters;

import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * A limiter of which something is held: by reservations, whose true cost is told later, and by shares, which their
 * holders spend by themselves. At every moment: used + reserved + shares &lt;= limit, but for what a reservation cost
 * in the end beyond what it held.
 *
 * <p>What is held counts as long as it is held. When its time is up it becomes used, as if at the last instant before:
 * so whenever a holder has spent it in truth, every window that holds that moment counts it, without any look at a
 * holder's clock. Ends are handled by the next call, in their order and each at its own instant, so that it does not
 * matter when that call comes.
 *
 * <p><b>Threads.</b> Those of {@link TokenLimiter}: {@link #remainingAt} and the parts for snapshots may be read by any
 * thread.
 */
public final class Account implements TokenLimiter {

    /**
     * The number of a reservation that is settled: it is remembered until its time is up, so that a repeat changes
     * nothing.
     */
    static final long SETTLED = -1;

    /** What it takes beside the limiter and what is held. */
    public static final long BYTES = 40;

    /** The longest life of a share: what a dead holder had is lost for no longer. */
    static final long LIFE_MILLIS_MAX = 10_000;

    /**
     * The life of a share of a sliding window is so many times shorter than the window, so that what is lost by it is
     * little.
     */
    static final long LIVES_A_PERIOD = 10;

    /**
     * From so many holds on, what was found out about all of them is kept for the next call: many calls come at one
     * instant, those of a MULTI for instance. To look through fewer takes a few microseconds at most, and what is kept
     * takes little memory beside so many.
     */
    private static final int MANY_HOLDS = 32;

    /** Stands for an account in a digest, beside the {@linkplain Algorithm#code algorithms}. */
    private static final int CODE = 101;

    private final PlainLimiter tokens;

    /** Their numbers are tokens, or {@link #SETTLED}. */
    private final Holds reserved;

    /** Their numbers are tokens. A holder may have several. */
    private final Holds shares;

    /** The same account at a later instant, which the next call at that instant or after it begins with. */
    private record Later(long clockMillis, Account account) {}

    /** Null where that is not kept. Threads may see different ones: each is right, and its parts are final. */
    private @Nullable Later later;

    /** The instant at which a bucket with these numbers is empty in which there is nothing but what is held. */
    private record HeldOut(long limit, long periodMillis, long instantMillis) {}

    /** For the numbers that were last asked for; null where that is not kept. The same holds for threads. */
    private @Nullable HeldOut heldOut;

    private Account(PlainLimiter tokens, Holds reserved, Holds shares) {
        this.tokens = tokens;
        this.reserved = reserved;
        this.shares = shares;
    }

    /** As it was, from a snapshot. */
    public static Account restore(PlainLimiter tokens, Holds reserved, Holds shares) {
        return new Account(tokens, reserved, shares);
    }

    /** That limiter, of which nothing is held if it is none of these. */
    public static Account of(TokenLimiter limiter) {
        return limiter instanceof Account account
                ? account
                : new Account((PlainLimiter) limiter, Holds.NONE, Holds.NONE);
    }

    /** The same with another limiter, of which the same is held. */
    private Account with(PlainLimiter other) {
        Account account = new Account(other, reserved, shares);
        account.heldOut = heldOut;
        return account;
    }

    /** The plain limiter, where nothing is held any more. */
    private TokenLimiter simplest() {
        return reserved.size() + shares.size() == 0 ? tokens : this;
    }

    public PlainLimiter tokens() {
        return tokens;
    }

    public Holds reserved() {
        return reserved;
    }

    public Holds shares() {
        return shares;
    }

    @Override
    public Algorithm algorithm() {
        return tokens.algorithm();
    }

    /** The same at that instant: what has ended by then is used. Writer thread only, if the limiter is a log. */
    public Account at(long clockMillis) {
        Later known = later;
        Account from = known == null || known.clockMillis > clockMillis ? this : known.account;
        int endedReservations = from.reserved.endedAt(clockMillis);
        int endedShares = from.shares.endedAt(clockMillis);
        if (endedReservations + endedShares == 0) {
            return from;
        }
        Account now = new Account(
                from.spent(from.tokens, endedReservations, endedShares),
                from.reserved.at(clockMillis),
                from.shares.at(clockMillis));
        if (endedReservations + endedShares >= MANY_HOLDS) {
            later = new Later(clockMillis, now);
        }
        return now;
    }

    /** That limiter after the first so many reservations and shares have become used. */
    private PlainLimiter spent(PlainLimiter limiter, int reservationCount, int shareCount) {
        PlainLimiter after = limiter;
        int reservation = 0;
        int share = 0;
        while (reservation < reservationCount || share < shareCount) {
            boolean ofShares = reservation == reservationCount
                    || (share < shareCount && shares.endMillis(share) < reserved.endMillis(reservation));
            Holds holds = ofShares ? shares : reserved;
            int place = ofShares ? share++ : reservation++;
            if (holds.number(place) > 0) {
                after = after.spend(holds.endMillis(place) - 1, holds.number(place));
            }
        }
        return after;
    }

    private long held() {
        return reserved.tokens() + shares.tokens();
    }

    @Override
    public Taking take(Quota quota, long clockMillis, long cost) {
        Account now = at(clockMillis);
        if (cost == 0) {
            return new Taking(now.standing(quota, clockMillis, true, 0), this);
        }
        if (cost > 0 && cost > now.leftBy(quota, clockMillis)) {
            return now.refused(this, quota, clockMillis, cost);
        }
        Taking taking = now.tokens.take(quota, clockMillis, cost);
        Decision decision = taking.decision();
        if (decision == null || (cost > 0 && !now.tokens.hasRoomFor(now.holds() + 1))) {
            return new Taking(null, this);
        }
        Account after = now.with((PlainLimiter) taking.after());
        return new Taking(
                after.standing(quota, clockMillis, true, 0).delayed(decision.delayMillis()), after.simplest());
    }

    private int holds() {
        return reserved.size() + shares.size();
    }

    /** What can be taken now, by these numbers. */
    private long leftBy(Quota quota, long clockMillis) {
        return look(quota, clockMillis).remaining() - held();
    }

    /** What the limiter itself says. */
    private Decision look(Quota quota, long clockMillis) {
        return decided(tokens.take(quota, clockMillis, 0));
    }

    private static Decision decided(Taking taking) {
        Decision decision = taking.decision();
        if (decision == null) {
            throw new IllegalStateException("only who takes is refused for what is remembered");
        }
        return decision;
    }

    /** How it stands by these numbers, if all that is held becomes used; and what was decided. */
    private Decision standing(Quota quota, long clockMillis, boolean allowed, long retryMillis) {
        Decision look = look(quota, clockMillis);
        long resetMillis = held() == 0
                ? look.resetMillis()
                : Math.max(0, unusedAtMillis(tokens.renumbered(quota, clockMillis)) - clockMillis);
        return new Decision(
                allowed,
                look.limit(),
                Math.max(0, look.remaining() - held()),
                resetMillis,
                retryMillis,
                look.delayMillis());
    }

    /** The numbers are those of the call from here on, as those of every limiter. */
    private Taking refused(Account before, Quota quota, long clockMillis, long cost) {
        Decision decision = standing(quota, clockMillis, false, retryMillis(quota, clockMillis, cost));
        PlainLimiter renumbered = quota.limit() == 0 ? tokens : tokens.renumbered(quota, clockMillis);
        boolean same = before == this && renumbered == tokens;
        return new Taking(decision, (same ? this : with(renumbered)).simplest());
    }

    /**
     * Until the limiter itself would admit it if all that is held stays so; where it never would, until the first end.
     */
    private long retryMillis(Quota quota, long clockMillis, long cost) {
        long wanted = held() + cost;
        Decision look = look(quota, clockMillis);
        if (cost > look.limit()) {
            return Decision.NEVER;
        }
        if (wanted <= look.limit()) {
            return decided(tokens.take(quota, clockMillis, wanted)).retryMillis();
        }
        long firstEnd = Math.min(
                reserved.size() == 0 ? Long.MAX_VALUE : reserved.endMillis(0),
                shares.size() == 0 ? Long.MAX_VALUE : shares.endMillis(0));
        return firstEnd - clockMillis;
    }

    /**
     * Takes a cost that is not known for certain yet. Writer thread only.
     *
     * @param id of the reservation: one that is there already changes nothing
     * @param cost 0 or more
     */
    public Taking reserve(Quota quota, long clockMillis, byte[] id, long cost, long endMillis) {
        Account now = at(clockMillis);
        if (now.reserved.placeOf(id) >= 0) {
            return new Taking(now.standing(quota, clockMillis, true, 0), this);
        }
        if (cost > 0 && cost > now.leftBy(quota, clockMillis)) {
            return now.refused(this, quota, clockMillis, cost);
        }
        if (!now.tokens.hasRoomFor(now.holds() + 1)) {
            return new Taking(null, this);
        }
        Decision look = now.look(quota, clockMillis);
        PlainLimiter renumbered = quota.limit() == 0 ? now.tokens : now.tokens.renumbered(quota, clockMillis);
        Account after = new Account(renumbered, now.reserved.with(id, cost, endMillis), now.shares);
        Decision decision = after.standing(quota, clockMillis, true, 0);
        boolean delays = look.delayMillis() != Decision.NO_DELAY && cost > 0;
        return new Taking(delays ? decision.delayed(look.resetMillis()) : decision, after);
    }

    /**
     * The true cost of a reservation: it is used, even beyond the limit, and nothing is held any more. Writer thread
     * only.
     *
     * @param cost 0 or more
     * @return null if there is no such reservation. One that is settled already stays as it is
     */
    public @Nullable Taking settle(long clockMillis, byte[] id, long cost) {
        Account now = at(clockMillis);
        int place = now.reserved.placeOf(id);
        if (place < 0) {
            return null;
        }
        Quota quota = now.tokens.quota();
        if (now.reserved.number(place) == SETTLED) {
            return new Taking(now.standing(quota, clockMillis, true, 0), this);
        }
        PlainLimiter used = cost == 0 ? now.tokens : now.tokens.spend(clockMillis, cost);
        Account after = new Account(used, now.reserved.withNumber(place, SETTLED), now.shares);
        return new Taking(after.standing(quota, clockMillis, true, 0), after);
    }

    /** What came of a request for a share. */
    public record Granting(GrantedShare share, Account after) {}

    /**
     * Gives a share, as many tokens as there are up to {@code want}, or none if there are fewer than {@code min}.
     * Writer thread only.
     *
     * @return null if the limiter could not remember its use
     */
    public @Nullable Granting grant(Quota quota, long clockMillis, byte[] holder, long want, long min) {
        Account now = at(clockMillis);
        Decision look = now.look(quota, clockMillis);
        long left = Math.max(0, look.remaining() - now.held());
        long granted = Math.min(want, left);
        if (granted == 0 || granted < min) {
            return new Granting(new GrantedShare(0, look.limit(), left, 0), this);
        }
        if (!now.tokens.hasRoomFor(now.holds() + 1)) {
            return null;
        }
        long lifeMillis = lifeMillis(algorithm(), quota, clockMillis);
        Account after = new Account(
                now.tokens.renumbered(quota, clockMillis),
                now.reserved,
                now.shares.with(holder, granted, clockMillis + lifeMillis));
        return new Granting(new GrantedShare(granted, look.limit(), left - granted, lifeMillis), after);
    }

    /** Of a fixed window it ends with the window at the latest. */
    private static long lifeMillis(Algorithm algorithm, Quota quota, long clockMillis) {
        long period = quota.periodMillis();
        long longest = algorithm == Algorithm.FIXED
                ? Meter.startOf(clockMillis, period) + period - clockMillis
                : Math.max(1, period / LIVES_A_PERIOD);
        return Math.min(longest, LIFE_MILLIS_MAX);
    }

    /**
     * Gives back what a holder has not spent of its shares, as far as they have not ended: of those first that end
     * first, so that what is left counts for as long as it can. Writer thread only.
     *
     * @return the limiter afterwards; this one, if the holder has nothing
     */
    public TokenLimiter giveBack(long clockMillis, byte[] holder, long unused) {
        Account now = at(clockMillis);
        Holds left = now.shares.givenBack(holder, unused);
        return left == now.shares ? this : new Account(now.tokens, now.reserved, left).simplest();
    }

    @Override
    public long remainingAt(long clockMillis) {
        if (!(tokens instanceof SlidingLog log)) {
            Account now = at(clockMillis);
            return Math.max(0, now.tokens.remainingAt(clockMillis) - now.held());
        }
        // Readers write nothing into what a log shares.
        long counted = countedAt(reserved, log.periodMillis(), clockMillis)
                + countedAt(shares, log.periodMillis(), clockMillis);
        return Math.max(0, log.remainingAt(clockMillis) - counted);
    }

    /** What is held at that instant, or has become used within so much time before it. */
    private static long countedAt(Holds holds, long periodMillis, long clockMillis) {
        long counted = holds.tokens();
        for (int place = 0; place < holds.size(); place++) {
            if (holds.endMillis(place) > clockMillis || clockMillis - (holds.endMillis(place) - 1) < periodMillis) {
                break;
            }
            counted -= Math.max(0, holds.number(place));
        }
        return counted;
    }

    /** The instant from which on that limiter has all tokens again, if all that is held becomes used. */
    private long unusedAtMillis(PlainLimiter limiter) {
        long lastUse = Math.max(reserved.lastUseMillis(), shares.lastUseMillis());
        if (lastUse == Long.MIN_VALUE) {
            return limiter.freshAtMillis();
        }
        if (limiter instanceof SlidingLog log) {
            long unused = lastUse + log.keepMillis();
            return Math.max(log.freshAtMillis(), unused < lastUse ? Long.MAX_VALUE : unused);
        }
        if (limiter instanceof TokenBucket bucket) {
            return emptyAtMillis(bucket);
        }
        // Of windows, that of the last use ends last, however much was used in it.
        return limiter.spend(lastUse, 1).freshAtMillis();
    }

    /** The instant at which that bucket is empty, if all that is held, which is something, comes into it. */
    private long emptyAtMillis(TokenBucket bucket) {
        if (bucket.used() > Meter.USED_MAX - held()) {
            // On the way there may be more than can be counted, so the order of the uses matters.
            return spent(bucket, reserved.size(), shares.size()).freshAtMillis();
        }
        long asIfAtOnce = bucket.spend(bucket.atMillis(), held()).freshAtMillis();
        return bucket.limit() == 0
                ? asIfAtOnce
                : Math.max(asIfAtOnce, heldOutMillis(bucket.limit(), bucket.periodMillis()));
    }

    private long heldOutMillis(long limit, long periodMillis) {
        HeldOut known = heldOut;
        if (known != null && known.limit == limit && known.periodMillis == periodMillis) {
            return known.instantMillis;
        }
        long instantMillis = computeHeldOutMillis(limit, periodMillis);
        if (holds() >= MANY_HOLDS) {
            heldOut = new HeldOut(limit, periodMillis, instantMillis);
        }
        return instantMillis;
    }

    /**
     * For each use there is an instant at which it and all later ones would have run out of a bucket that was empty
     * before it. The bucket is empty at the latest of these instants.
     */
    private long computeHeldOutMillis(long limit, long periodMillis) {
        int reservations = reserved.size();
        int sharesLeft = shares.size();
        long tokensFrom = 0;
        long latestMillis = 0;
        long latestTokens = 0;
        while (reservations + sharesLeft > 0) {
            boolean ofShares = reservations == 0
                    || (sharesLeft > 0 && shares.endMillis(sharesLeft - 1) >= reserved.endMillis(reservations - 1));
            Holds holds = ofShares ? shares : reserved;
            int place = ofShares ? --sharesLeft : --reservations;
            if (holds.number(place) > 0) {
                long useMillis = holds.endMillis(place) - 1;
                tokensFrom += holds.number(place);
                // The instant is later if more tokens take longer than they come earlier.
                if (latestTokens == 0
                        || Wide.isMore(tokensFrom - latestTokens, periodMillis, latestMillis - useMillis, limit)) {
                    latestMillis = useMillis;
                    latestTokens = tokensFrom;
                }
            }
        }
        long instant = latestMillis + Wide.ceil(latestTokens, periodMillis, 0, limit);
        return instant < latestMillis ? Long.MAX_VALUE : instant;
    }

    @Override
    public long freshAtMillis() {
        return Math.max(unusedAtMillis(tokens), Math.max(reserved.lastEndMillis(), shares.lastEndMillis()));
    }

    @Override
    public long bytes() {
        return BYTES + tokens.bytes() + reserved.bytes() + shares.bytes();
    }

    @Override
    public void forEachNumber(long clockMillis, LongConsumer consumer) {
        consumer.accept(CODE);
        tokens.forEachNumber(clockMillis, consumer);
        reserved.forEachNumber(consumer);
        shares.forEachNumber(consumer);
    }
}
