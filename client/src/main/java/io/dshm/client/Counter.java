package io.dshm.client;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/** The integer under a key, exact whoever counts where. Thread-safe. */
public final class Counter {

    private final DshmClient client;
    private final String key;

    Counter(DshmClient client, String key) {
        this.client = client;
        this.key = key;
    }

    /** Adds 1; returns the sum. */
    public CompletableFuture<Long> increment() {
        return add(1);
    }

    /** Adds; returns the sum. The counter is 0 and never expires if it is absent. */
    public CompletableFuture<Long> add(long by) {
        return client.incr(key, by);
    }

    /** The same; if the counter is absent, it lives that long from now on. */
    public CompletableFuture<Long> add(long by, Duration ttlOfNew) {
        return client.incr(key, by, 0, ttlOfNew);
    }

    /** What has been counted, as far as the node knows that is asked; 0 if the counter is absent. */
    public CompletableFuture<Long> get() {
        return client.getText(key).thenApply(count -> count.map(Long::parseLong).orElse(0L));
    }

    /** Makes it absent. */
    public CompletableFuture<Void> reset() {
        return client.delete(key);
    }
}
