package io.dshm.server.statemachine;

import com.google.protobuf.ByteString;
import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.proto.wire.DeleteCommand;
import io.dshm.proto.wire.FlushAllCommand;
import io.dshm.proto.wire.IncrCommand;
import io.dshm.proto.wire.RateLimiterCommand;
import io.dshm.proto.wire.SetCommand;
import io.dshm.proto.wire.TouchCommand;
import io.dshm.server.store.Entry;
import io.dshm.server.store.Limiter;
import io.dshm.server.store.Store;
import org.jspecify.annotations.Nullable;

/**
 * What each write does to the store. An entry is absent from its deadline on.
 *
 * <p>Confined to the thread that applies. {@code clockMillis} is the cluster clock of the entry being applied.
 */
final class Writes {

    private final Store store;
    private long lastVersion;

    Writes(Store store) {
        this(store, 0);
    }

    Writes(Store store, long lastVersion) {
        this.store = store;
        this.lastVersion = lastVersion;
    }

    /** The number of the last write. */
    long lastVersion() {
        return lastVersion;
    }

    Outcome set(SetCommand command, long clockMillis) {
        return set(command.getKey(), command.getTtlMillis(), command.getValue().toByteArray(), clockMillis);
    }

    /** @param value is kept, not copied */
    Outcome set(ByteString keyBytes, long ttlMillis, byte[] value, long clockMillis) {
        put(key(keyBytes), value, deadline(ttlMillis, clockMillis));
        return Outcome.APPLIED;
    }

    Outcome touch(TouchCommand command, long clockMillis) {
        Key key = key(command.getKey());
        Entry entry = find(key, clockMillis);
        if (entry != null && !entry.isLimiter()) {
            put(key, entry.value(), deadline(command.getTtlMillis(), clockMillis));
        }
        return Outcome.APPLIED;
    }

    Outcome delete(DeleteCommand command, long clockMillis) {
        Key key = key(command.getKey());
        boolean absent = find(key, clockMillis) == null;
        lastVersion++;
        store.remove(key.bytes(), key.hash());
        return absent ? Outcome.ABSENT : Outcome.APPLIED;
    }

    Outcome incr(IncrCommand command, long clockMillis) {
        Key key = key(command.getKey());
        Entry entry = find(key, clockMillis);
        if (entry == null) {
            long sum = command.getInit() + command.getBy();
            if (overflows(command.getInit(), command.getBy(), sum)) {
                return Outcome.OVERFLOW;
            }
            put(key, Decimal.toBytes(sum), deadline(command.getInitTtlMillis(), clockMillis));
            return Outcome.number(sum);
        }
        if (entry.isLimiter()) {
            return Outcome.BAD_REQUEST;
        }
        byte[] value = entry.value();
        if (!Decimal.isLong(value)) {
            return value.length <= Limits.OUTCOME_VALUE_BYTES_MAX ? Outcome.value(value) : Outcome.NO_INTEGER;
        }
        long old = Decimal.toLong(value);
        long sum = old + command.getBy();
        if (overflows(old, command.getBy(), sum)) {
            return Outcome.OVERFLOW;
        }
        put(key, Decimal.toBytes(sum), entry.expiresAtMillis());
        return Outcome.number(sum);
    }

    Outcome rateLimiter(RateLimiterCommand command, long clockMillis) {
        Key key = key(command.getKey());
        Entry entry = find(key, clockMillis);
        int capacity = Math.toIntExact(command.getCapacity());
        if (entry != null && !entry.isLimiter()) {
            return Outcome.BAD_REQUEST;
        }
        Limiter limiter = entry == null ? Limiter.of(capacity, command.getDurationMillis()) : entry.limiter();
        Limiter granted = limiter.grant(clockMillis, capacity, command.getDurationMillis());
        if (granted == null) {
            return Outcome.number(-1);
        }
        store.put(key.bytes(), key.hash(), Entry.of(granted, granted.windowEndMillis(), ++lastVersion));
        return Outcome.number(granted.tokensLeftAt(clockMillis));
    }

    Outcome flushAll(FlushAllCommand command) {
        store.flushRegion(command.getRegion().toByteArray(), ++lastVersion);
        return Outcome.APPLIED;
    }

    private @Nullable Entry find(Key key, long clockMillis) {
        Entry entry = store.get(key.bytes(), key.hash());
        return entry == null || entry.isExpiredAt(clockMillis) ? null : entry;
    }

    private void put(Key key, byte[] value, long expiresAtMillis) {
        store.put(key.bytes(), key.hash(), Entry.of(value, expiresAtMillis, ++lastVersion));
    }

    private static Key key(ByteString bytes) {
        return Key.of(bytes.toByteArray());
    }

    private static long deadline(long ttlMillis, long clockMillis) {
        return ttlMillis == 0 ? Entry.NEVER : clockMillis + ttlMillis;
    }

    private static boolean overflows(long a, long b, long sum) {
        return ((a ^ sum) & (b ^ sum)) < 0;
    }
}
