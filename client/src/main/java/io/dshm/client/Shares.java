package io.dshm.client;

import io.dshm.proto.Policy;
import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Tokens that were fetched ahead, by key. Thread-safe, and without a lock where they are spent.
 *
 * <p>What keeps it exact: each share has a holder that no other has, so what is given back late is never taken from
 * another share. Tokens leave a share by one step, whether they are spent or given back. A share's time counts from
 * before it was asked for, and is looked at after tokens have left it.
 */
final class Shares {

    /** What this clock and the cluster's may differ by, and the nanoseconds in which they are read. */
    private static final double DRIFT = 0.01;

    private static final long MARGIN_NANOS = 5_000_000;

    /** Tokens asked for without a share within a second, from which on a key is worth one. */
    private static final int HOT = 10;

    private static final long SECOND_NANOS = 1_000_000_000;

    /**
     * Asked for is what was needed and some more, but no more than so many times that, nor than this part of the limit.
     */
    private static final double RESERVE = 1.25;

    private static final int GROWTH_MAX = 4;
    private static final double PART_MAX = 0.25;

    /** The next share is fetched when less than this part of the tokens is left, or of the life. */
    private static final double LOW = 0.25;

    /** When it is looked whether too many are left, and when all that are left are given back: parts of the life. */
    private static final double LOOK_AT = 0.5;

    private static final double END_AT = 0.85;

    /** Keys that are looked after; others are asked for one by one. */
    private static final int KEYS_MAX = 10_000;

    private final DshmClient client;
    private final Core core;
    private final Policy policy;
    private final ConcurrentHashMap<String, OfKey> keys = new ConcurrentHashMap<>();
    private volatile boolean closed;

    Shares(DshmClient client, Core core, Policy policy) {
        this.client = client;
        this.core = core;
        this.policy = policy;
    }

    /** What is known about a key. */
    private static final class OfKey {
        final String key;
        final AtomicBoolean fetching = new AtomicBoolean();
        final AtomicLong missed = new AtomicLong();
        volatile @Nullable Tokens tokens;
        volatile long missedSinceNanos = System.nanoTime();
        volatile long pausedUntilNanos = missedSinceNanos;

        OfKey(String key) {
            this.key = key;
        }

        /** Counts what was asked for without a share, in the second since the first of it. */
        long miss(long cost, long nowNanos) {
            if (nowNanos - missedSinceNanos > SECOND_NANOS) {
                missedSinceNanos = nowNanos;
                missed.set(0);
            }
            return missed.addAndGet(cost);
        }
    }

    /** One share. */
    private static final class Tokens {
        final String holder;
        final long beganNanos;
        final long endsNanos;
        final AtomicLong left;
        volatile long granted;

        Tokens(String holder, long beganNanos, Share share) {
            this.holder = holder;
            this.beganNanos = beganNanos;
            this.endsNanos = beganNanos + (long) (share.life().toNanos() * (1 - DRIFT)) - MARGIN_NANOS;
            this.left = new AtomicLong(share.granted());
            this.granted = share.granted();
        }

        /** How many are left then; -1 if there were too few, and none was taken. */
        long takeOut(long count) {
            long before;
            do {
                before = left.get();
                if (before < count) {
                    return -1;
                }
            } while (!left.compareAndSet(before, before - count));
            return before - count;
        }

        boolean isOver(long nowNanos) {
            return nowNanos - endsNanos >= 0;
        }

        boolean isLow(long leftNow, long nowNanos) {
            return leftNow <= (long) (granted * LOW) || endsNanos - nowNanos < (endsNanos - beganNanos) * LOW;
        }

        Duration until(double part, long nowNanos) {
            return Duration.ofNanos(Math.max(0, beganNanos + (long) ((endsNanos - beganNanos) * part) - nowNanos));
        }
    }

    /** Takes tokens of the key's share; false if it has too few, and then the cluster has to be asked. */
    boolean spend(String key, long cost) {
        OfKey of = keys.get(key);
        if (of == null) {
            of = newKey(key);
            if (of == null) {
                return false;
            }
        }
        Tokens tokens = of.tokens;
        if (tokens != null) {
            long left = tokens.takeOut(cost);
            // The time is looked at afterwards: this process may have stood still.
            long now = System.nanoTime();
            if (left >= 0 && !tokens.isOver(now)) {
                if (tokens.isLow(left, now)) {
                    fetch(of, 0);
                }
                return true;
            }
        }
        long missed = of.miss(cost, System.nanoTime());
        if (tokens != null || missed >= HOT) {
            fetch(of, missed);
        }
        return false;
    }

    private @Nullable OfKey newKey(String key) {
        if (closed || keys.size() >= KEYS_MAX) {
            return null;
        }
        OfKey of = keys.computeIfAbsent(key, OfKey::new);
        // A key that nobody asks for any more is forgotten.
        core.schedule(() -> forget(of), Duration.ofSeconds(2));
        return of;
    }

    private void forget(OfKey of) {
        long now = System.nanoTime();
        Tokens tokens = of.tokens;
        boolean inUse = tokens != null && !tokens.isOver(now);
        if (!inUse && !of.fetching.get() && now - of.missedSinceNanos > SECOND_NANOS) {
            keys.remove(of.key, of);
        } else {
            core.schedule(() -> forget(of), Duration.ofSeconds(2));
        }
    }

    private void fetch(OfKey of, long missed) {
        long began = System.nanoTime();
        if (closed || began - of.pausedUntilNanos < 0 || !of.fetching.compareAndSet(false, true)) {
            return;
        }
        Tokens before = of.tokens;
        if (before != null && !before.isOver(began) && !before.isLow(before.left.get(), began)) {
            of.fetching.set(false); // another thread was faster
            return;
        }
        long want = wanted(before, missed, began);
        String holder = Lock.newHolder();
        // Where little is left of the limit, it is better left there for all.
        client.grant(of.key, policy, holder, want, (want + 1) / 2).whenComplete((share, failure) -> {
            long now = System.nanoTime();
            if (failure == null && share.granted() > 0) {
                Tokens tokens = new Tokens(holder, began, share);
                if (!tokens.isOver(now)) {
                    of.tokens = tokens;
                    core.schedule(() -> atHalf(of, tokens), tokens.until(LOOK_AT, now));
                    if (closed) {
                        atEnd(of, tokens);
                    }
                }
            }
            if (failure != null || share.granted() < want) {
                of.pausedUntilNanos = now + Math.min(SECOND_NANOS, policy.periodMillis() * 100_000);
            }
            of.fetching.set(false);
        });
    }

    private long wanted(@Nullable Tokens before, long missed, long nowNanos) {
        double want = (double) missed * GROWTH_MAX;
        if (before != null) {
            double used = (double) before.granted - before.left.get() + missed;
            double life = (double) before.endsNanos - before.beganNanos;
            want = Math.min(
                    used / Math.max(nowNanos - before.beganNanos, 1_000_000) * life * RESERVE, used * GROWTH_MAX);
        }
        long most = Math.max((long) (policy.limit() * PART_MAX), 1);
        return Math.min(Math.max((long) Math.ceil(want), HOT), most);
    }

    /** In the middle of its life: gives back what will not be needed. */
    private void atHalf(OfKey of, Tokens tokens) {
        long left = tokens.left.get();
        long granted = tokens.granted;
        long excess = left - (long) Math.ceil((granted - left) * RESERVE);
        if (excess > 0 && excess * 4 >= granted && tokens.takeOut(excess) >= 0) {
            tokens.granted = granted - excess;
            client.giveBack(of.key, tokens.holder, excess);
        }
        core.schedule(() -> atEnd(of, tokens), tokens.until(END_AT, System.nanoTime()));
    }

    /** Gives back all that is left. What gets lost, or comes too late, counts as spent. */
    private void atEnd(OfKey of, Tokens tokens) {
        long left = tokens.left.getAndSet(0);
        if (left > 0) {
            client.giveBack(of.key, tokens.holder, left);
        }
    }

    void close() {
        closed = true;
        keys.values().forEach(of -> {
            Tokens tokens = of.tokens;
            if (tokens != null) {
                atEnd(of, tokens);
            }
        });
    }
}
