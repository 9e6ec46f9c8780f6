package io.dshm.server.shares;

import io.dshm.proto.Command;
import io.dshm.proto.Limits;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The shares of one key, and what is known of the demand for it. Confined to its lane's thread. */
final class KeyShares {

    private static final long IDLE_NANOS = 5 * Shares.SECOND_NANOS;
    private static final double MORE = 1.25;

    /** A take of the limit; its cost means nothing. */
    private final Command.Take take;

    /** Of the client that asked last. */
    private long credential;

    private @Nullable Share current;

    /** Takes over when the current one is used up or over. */
    private @Nullable Share next;

    private boolean fetching;
    private boolean paused;
    private long pauseEndNanos;

    /** Tokens that were asked for and not there, since an instant that is at most a second ago. */
    private long missed;

    private long missedSinceNanos;
    private long usedNanos;

    /** Tokens a nanosecond, as the last share was used, and when that was seen. */
    private double rate;

    private long rateNanos;

    KeyShares(Command.Take take) {
        this.take = take;
    }

    Command.Take take() {
        return take;
    }

    void askedBy(long client) {
        credential = client;
    }

    long credential() {
        return credential;
    }

    /** Whether it is the same limit. */
    boolean isOf(Command.Take other) {
        return Objects.equals(take.policy(), other.policy()) && Objects.equals(take.policyKey(), other.policyKey());
    }

    /** The share from which that cost was taken; null if there is none with so many tokens. */
    @Nullable
    Share spend(long cost, long now) {
        usedNanos = now;
        Share share = current;
        if (share == null || share.isOver(now) || share.left() < cost) {
            if (next != null && (share == null || share.isOver(now) || share.left() < next.left())) {
                // What is left in the one before goes back at its end.
                current = next;
                next = null;
            }
            share = current;
        }
        if (share == null || share.isOver(now) || !share.spend(cost)) {
            miss(cost, now);
            return null;
        }
        return share;
    }

    private void miss(long cost, long now) {
        if (now - missedSinceNanos > Shares.SECOND_NANOS) {
            missed = 0;
            missedSinceNanos = now;
        }
        missed += cost;
    }

    boolean needsOne(long now) {
        if (fetching || next != null || (paused && now - pauseEndNanos < 0)) {
            return false;
        }
        Share share = current;
        if (share == null || share.isOver(now)) {
            return missed >= Shares.HOT;
        }
        long used = share.spent();
        long quarter = (share.endNanos() - share.beganNanos()) / 4;
        return share.left() <= share.granted() / 4 || (used >= Shares.HOT && now - (share.endNanos() - quarter) >= 0);
    }

    /**
     * How many tokens to ask for: what was needed lately, and a quarter more.
     *
     * @param lengthNanos for how long
     */
    long wanted(long now, long lengthNanos) {
        double want = (double) missed * Shares.GROWTH_MAX;
        Share share = current;
        if (share != null) {
            long used = share.spent() + missed;
            rate = (double) used / Math.max(1, now - share.beganNanos());
            rateNanos = now;
            want = Math.max(want, Math.min(rate * lengthNanos * MORE, (double) used * Shares.GROWTH_MAX));
        } else if (rate > 0 && now - rateNanos < Shares.SECOND_NANOS) {
            // A window has turned.
            want = Math.max(want, rate * lengthNanos * MORE);
        }
        return (long) Math.min(Math.max(want, Shares.HOT), Limits.TOKENS_MAX);
    }

    void pauseUntil(long nanos) {
        paused = true;
        pauseEndNanos = nanos;
    }

    void fetching() {
        fetching = true;
        missed = 0;
    }

    void fetched(@Nullable Share share) {
        fetching = false;
        if (current == null) {
            current = share;
        } else {
            next = share;
        }
    }

    /** It is over, or all of it went back. */
    void forget(Share share) {
        if (current == share) {
            current = next;
            next = null;
        } else if (next == share) {
            next = null;
        }
    }

    List<Share> all() {
        List<Share> all = new ArrayList<>(2);
        if (current != null) {
            all.add(current);
        }
        if (next != null) {
            all.add(next);
        }
        return all;
    }

    boolean isIdle(long now) {
        return !fetching && current == null && now - usedNanos > IDLE_NANOS;
    }
}
