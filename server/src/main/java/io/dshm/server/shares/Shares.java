package io.dshm.server.shares;

import io.dshm.proto.Algorithm;
import io.dshm.proto.Command;
import io.dshm.proto.ErrorCode;
import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.proto.Policy;
import io.dshm.proto.Reply;
import io.dshm.server.replication.contracts.ReplyListener;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The shares of limits that one lane holds: see the package's description. Confined to the lane's thread.
 *
 * <p>How many tokens it holds of a limit follows the demand. Once {@value #HOT} were asked for within a second, a share
 * is worth its two records of the log. It is asked for as many as the last share's use says, and a quarter more, but
 * for at most {@value #GROWTH_MAX} times as many as before and a quarter of the limit. The next one is asked for when a
 * quarter of the tokens, or of the time, is left. What a share's first half has shown not to be needed goes back, and
 * so does what is left at the end. Where less than half of what is wanted is left of the limit, none is granted, and
 * the log decides for all for a while.
 */
public final class Shares {

    /** Prefix of holders' names; a random number of the lane and a sequence follow. */
    private static final String HOLDER = "share-";

    static final int HOT = 10;
    static final int GROWTH_MAX = 4;
    private static final long PART_OF_LIMIT = 4;

    private static final long NANOS_PER_MILLI = 1_000_000;
    static final long SECOND_NANOS = 1_000 * NANOS_PER_MILLI;

    /** The pause after too little was left: a tenth of the period, at most this long. */
    private static final long PAUSE_NANOS_MAX = SECOND_NANOS;

    private static final long PERIODS_A_PAUSE = 10;

    /** A share that can be used for less than this is not worth asking for. */
    private static final long USED_NANOS_MIN = 20 * NANOS_PER_MILLI;

    /** The lives of shares that the log grants; see {@code Account}. */
    private static final long LIVES_A_PERIOD = 10;

    private static final long LIFE_MILLIS_MAX = 10_000;

    /** What shares need from their node. */
    public interface Cluster {

        /** Has the log decide, as for a client with that credential; the reply comes later, on this thread. */
        void submit(Command.Write write, long credential, ReplyListener listener);

        /** Runs a task later, on this thread. */
        void after(long nanos, Runnable task);

        /** The policy under that key, as far as this node knows; null if there is none. */
        @Nullable
        Policy policy(Key key);
    }

    private final Cluster cluster;
    private final LongSupplier bootNanos;
    private final String holderPrefix;
    private final Map<Key, KeyShares> keys = new HashMap<>();
    private final ShareCounts counts = new ShareCounts();
    private long holders;
    private boolean tidying;
    private boolean closed;

    /**
     * Without any share.
     *
     * @param bootNanos a {@link BootTime}
     * @param random a number that no other lane of the cluster has had in any start
     */
    public Shares(Cluster cluster, LongSupplier bootNanos, long random) {
        this.cluster = cluster;
        this.bootNanos = bootNanos;
        this.holderPrefix = HOLDER + Long.toHexString(random) + "-";
    }

    /**
     * Decides, if there is a share for it.
     *
     * @param credential of the client: if it loses the right, no share is fetched, and what is left of one is lost
     * @return the share from which it was taken; null if the log has to decide
     */
    public @Nullable Share take(Command.Take take, long credential) {
        Share share = spend(take, credential);
        counts.decided(share != null);
        return share;
    }

    /** What has been decided and asked for. Any thread. */
    public ShareCounts counts() {
        return counts;
    }

    private @Nullable Share spend(Command.Take take, long credential) {
        Policy policy = take.policy();
        if (closed
                || take.cost() <= 0
                || isLong(take.key())
                || isLong(take.policyKey())
                || (policy != null && policy.algorithm() == Algorithm.LEAKY)) {
            return null;
        }
        long now = bootNanos.getAsLong();
        KeyShares key = keys.get(take.key());
        if (key == null) {
            if (keys.size() >= Limits.SHARED_KEYS_MAX) {
                return null;
            }
            key = new KeyShares(take);
            keys.put(take.key(), key);
            tidyLater();
        }
        if (!key.isOf(take)) {
            return null;
        }
        key.askedBy(credential);
        Share share = key.spend(take.cost(), now);
        if (key.needsOne(now)) {
            fetch(key, now);
        }
        return share;
    }

    private static boolean isLong(@Nullable Key key) {
        return key != null && key.bytes().length > Limits.SHARED_KEY_BYTES_MAX;
    }

    private void fetch(KeyShares key, long now) {
        Policy policy = key.take().policy();
        Key policyKey = key.take().policyKey();
        if (policyKey != null) {
            policy = cluster.policy(policyKey);
        }
        if (policy == null || policy.algorithm() == Algorithm.LEAKY || usedNanos(policy) < USED_NANOS_MIN) {
            key.pauseUntil(now + PAUSE_NANOS_MAX);
            return;
        }
        long want = Math.min(key.wanted(now, usedNanos(policy)), Math.max(1, takenAtOnce(policy) / PART_OF_LIMIT));
        Command.Take grant = new Command.Take(key.take().key(), key.take().policy(), policyKey, want, false);
        Key holder = Key.of((holderPrefix + holders++).getBytes(StandardCharsets.US_ASCII));
        key.fetching();
        Policy asked = policy;
        cluster.submit(new Command.Grant(grant, holder, (want + 1) / 2), key.credential(), new ReplyListener() {
            @Override
            public void onReply(Reply reply) {
                onGranted(key, asked, holder, want, now, reply);
            }

            @Override
            public void onBroken(RuntimeException thrown) {
                counts.failed();
                key.fetched(null);
            }
        });
    }

    /** How long a share of that limit can be used at most. In a fixed window it ends with the window. */
    private static long usedNanos(Policy policy) {
        long period = policy.periodMillis();
        long life = policy.algorithm() == Algorithm.FIXED ? period : period / LIVES_A_PERIOD;
        return Share.usedNanos(Math.min(life, LIFE_MILLIS_MAX));
    }

    private static long takenAtOnce(Policy policy) {
        return policy.algorithm().hasBurst() ? policy.burst() + 1 : policy.limit();
    }

    private void onGranted(KeyShares key, Policy policy, Key holder, long want, long asked, Reply reply) {
        long now = bootNanos.getAsLong();
        Granted granted = Granted.of(reply);
        if (granted == null) {
            counts.failed();
            key.fetched(null);
            key.pauseUntil(now + PAUSE_NANOS_MAX);
            if (reply instanceof Reply.Failure failure && failure.code().effect() == ErrorCode.Effect.UNKNOWN) {
                giveBack(key, holder, want);
            }
            return;
        }
        long pause = Math.min(policy.periodMillis() * NANOS_PER_MILLI / PERIODS_A_PAUSE, PAUSE_NANOS_MAX);
        if (granted.tokens() < want) {
            key.pauseUntil(now + pause);
        }
        if (granted.tokens() == 0) {
            counts.refused();
            key.fetched(null);
            return;
        }
        counts.granted();
        Share share = new Share(
                holder,
                granted.tokens(),
                granted.limit(),
                granted.remaining(),
                resetMillis(policy, granted.lifeMillis()),
                asked,
                granted.lifeMillis());
        if (closed || share.endNanos() - now < USED_NANOS_MIN) {
            // The rest of a fixed window is too short, or the reply was too late.
            key.fetched(null);
            key.pauseUntil(asked + granted.lifeMillis() * NANOS_PER_MILLI);
            giveBack(key, share, share.left());
            return;
        }
        key.fetched(share);
        cluster.after((share.endNanos() - share.beganNanos()) / 2 - (now - asked), () -> atHalf(key, share));
        cluster.after(share.endNanos() - now, () -> atEnd(key, share));
    }

    /** The longest time until the limit is free again: if all is used now, and the share at its end. */
    private static long resetMillis(Policy policy, long lifeMillis) {
        long period = policy.periodMillis();
        return switch (policy.algorithm()) {
            case FIXED -> period;
            case LOG -> lifeMillis + period;
            case COUNTER -> lifeMillis + 2 * period;
            case GCRA, LEAKY ->
                lifeMillis + (long) Math.ceil((double) period * takenAtOnce(policy) / Math.max(1, policy.limit()));
        };
    }

    private void atHalf(KeyShares key, Share share) {
        long used = share.spent();
        long excess = share.left() - (used + used / 4);
        if (excess >= Math.max(1, share.granted() / PART_OF_LIMIT)) {
            giveBack(key, share, excess);
        }
    }

    private void atEnd(KeyShares key, Share share) {
        giveBack(key, share, share.left());
        key.forget(share);
    }

    /** Takes the tokens from the share first: if the message is lost, they count as spent. */
    private void giveBack(KeyShares key, Share share, long tokens) {
        if (tokens > 0) {
            share.takeBack(tokens);
            giveBack(key, share.holder(), tokens);
        }
    }

    private void giveBack(KeyShares key, Key holder, long tokens) {
        cluster.submit(new Command.Return(key.take().key(), holder, tokens), key.credential(), reply -> {});
    }

    /** Gives all shares back; from now on the log decides. */
    public void close() {
        closed = true;
        keys.values().forEach(key -> key.all().forEach(share -> atEnd(key, share)));
        keys.clear();
    }

    /** How many keys it knows, for a test. */
    int size() {
        return keys.size();
    }

    private void tidyLater() {
        if (!tidying) {
            tidying = true;
            cluster.after(SECOND_NANOS, this::tidy);
        }
    }

    /** Forgets keys that nobody asks for any more. */
    private void tidy() {
        tidying = false;
        long now = bootNanos.getAsLong();
        keys.values().removeIf(key -> key.isIdle(now));
        if (!keys.isEmpty()) {
            tidyLater();
        }
    }
}
