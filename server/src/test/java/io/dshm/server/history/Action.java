package io.dshm.server.history;

import io.dshm.proto.Algorithm;

/** What a client can ask for. Times to live of 0 mean "never expires". */
public sealed interface Action {

    /** Which consistency a read asks for. */
    enum ReadMode {
        LOCAL,
        LINEARIZABLE
    }

    /** The key concerned; of a {@link Flush} the region. */
    String key();

    record Get(String key, ReadMode mode) implements Action {}

    record Set(String key, String value, long ttlMillis) implements Action {}

    record Delete(String key) implements Action {}

    record Touch(String key, long ttlMillis) implements Action {}

    record Incr(String key, long by, long init, long initTtlMillis) implements Action {}

    record RateLimiter(String key, int capacity, long durationMillis) implements Action {}

    /** The cost is above 0. */
    record Take(String key, Algorithm algorithm, long limit, long periodMillis, long burst, long cost)
            implements Action {}

    record Acquire(String key, long limit, String holder, long ttlMillis) implements Action {}

    /** Whether the key has tokens or permits, and no value. */
    default boolean isOfLimit() {
        return this instanceof RateLimiter || this instanceof Take || this instanceof Acquire;
    }

    /** Empties the region of that name. */
    record Flush(String key) implements Action {}
}
