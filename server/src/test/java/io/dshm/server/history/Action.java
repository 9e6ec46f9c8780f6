package io.dshm.server.history;

import io.dshm.proto.Algorithm;
import java.util.List;

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

    /** What is done to a limit's tokens or permits, under a key that holds no value. */
    sealed interface OfLimit extends Action {}

    record RateLimiter(String key, int capacity, long durationMillis) implements OfLimit {}

    /** Gives back where the cost is below 0; with {@code share}, the node may decide from its share. */
    record Take(String key, Algorithm algorithm, long limit, long periodMillis, long burst, long cost, boolean share)
            implements OfLimit {}

    /** All or none. A history has its takes one by one, see {@link TakeChecker}. */
    record TakeAll(List<Take> takes) implements OfLimit {
        @Override
        public String key() {
            return takes.get(0).key();
        }
    }

    record Reserve(Take take, String hold, long ttlMillis) implements OfLimit {
        @Override
        public String key() {
            return take.key();
        }
    }

    record Settle(String key, String hold, long cost) implements OfLimit {}

    /** The take's cost is what is wanted. */
    record Grant(Take take, String holder, long min) implements OfLimit {
        @Override
        public String key() {
            return take.key();
        }
    }

    record Return(String key, String holder, long unused) implements OfLimit {}

    record Acquire(String key, long limit, String holder, long ttlMillis) implements OfLimit {}

    record Release(String key, String holder) implements OfLimit {}

    /** Empties the region of that name. */
    record Flush(String key) implements Action {}
}
