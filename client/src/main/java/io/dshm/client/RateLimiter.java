package io.dshm.client;

import io.dshm.proto.Algorithm;
import io.dshm.proto.Policy;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/**
 * Limits of one policy, one for each key. Each decision is exact: the cluster checks and charges in one step.
 * Thread-safe.
 *
 * <p>{@link #withShares} decides most of them here: of a key that is asked for often, a part of the limit is fetched
 * ahead and spent without a round trip. No more than the limit is ever admitted, by all together; but what has been
 * fetched and is not needed is missing elsewhere until it is given back, some seconds at most. So it is for limits that
 * are well above what one program needs within a second.
 */
public final class RateLimiter implements AutoCloseable {

    private final DshmClient client;
    private final Core core;
    private final Policy policy;
    private final @Nullable Shares shares;
    private final @Nullable Boolean otherwise;

    RateLimiter(DshmClient client, Core core, Policy policy) {
        this(client, core, policy, null, null);
    }

    private RateLimiter(
            DshmClient client, Core core, Policy policy, @Nullable Shares shares, @Nullable Boolean otherwise) {
        this.client = client;
        this.core = core;
        this.policy = policy;
        this.shares = shares;
        this.otherwise = otherwise;
    }

    /**
     * The same from shares.
     *
     * @throws IllegalArgumentException for the algorithm {@code leaky}: a share cannot tell each call how long to wait
     */
    public RateLimiter withShares() {
        if (policy.algorithm() == Algorithm.LEAKY) {
            throw new IllegalArgumentException("a share cannot tell each call how long to wait");
        }
        return new RateLimiter(client, core, policy, new Shares(client, core, policy), otherwise);
    }

    /** The same, which admits, or refuses, where the cluster cannot say in time; unless set, the future fails then. */
    public RateLimiter otherwise(boolean admit) {
        return new RateLimiter(client, core, policy, shares, admit);
    }

    /** Takes a token; returns whether there was one. */
    public CompletableFuture<Boolean> take(String key) {
        return take(key, 1);
    }

    /**
     * Takes tokens, or none where there are too few; returns whether they were taken.
     *
     * @param cost 1 or more
     */
    public CompletableFuture<Boolean> take(String key, long cost) {
        if (cost < 1) {
            throw new IllegalArgumentException("a cost of 1 or more, not " + cost);
        }
        if (shares != null && shares.spend(key, cost)) {
            return CompletableFuture.completedFuture(true);
        }
        CompletableFuture<Boolean> decided = decide(key, cost).thenApply(Decision::allowed);
        Boolean instead = otherwise;
        return instead == null
                ? decided
                : decided.handle((allowed, failure) -> {
                    if (failure == null) {
                        return allowed;
                    }
                    Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
                    if (cause instanceof UnavailableException || cause instanceof UnknownOutcomeException) {
                        return instead;
                    }
                    throw new CompletionException(cause);
                });
    }

    /** Asks the cluster, also where there is a share; tells all about the decision. */
    public CompletableFuture<Decision> decide(String key, long cost) {
        return client.take(key, policy, cost);
    }

    /** Gives all shares back. Without shares there is nothing to close. */
    @Override
    public void close() {
        if (shares != null) {
            shares.close();
        }
    }
}
