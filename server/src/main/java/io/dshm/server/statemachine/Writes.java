package io.dshm.server.statemachine;

import com.google.protobuf.ByteString;
import io.dshm.proto.Doubles;
import io.dshm.proto.Formats;
import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.proto.wire.DeleteCommand;
import io.dshm.proto.wire.FlushAllCommand;
import io.dshm.proto.wire.IncrCommand;
import io.dshm.proto.wire.RateLimiterCommand;
import io.dshm.proto.wire.SetChunkedCommand;
import io.dshm.proto.wire.SetCommand;
import io.dshm.proto.wire.TouchCommand;
import io.dshm.server.store.Entry;
import io.dshm.server.store.Typed;
import io.dshm.server.store.limiters.SlidingLog;
import java.nio.charset.StandardCharsets;

/**
 * What the plain writes do to the entries; for the others see {@link TypedWrites}. An entry is absent from its deadline
 * on.
 *
 * <p>Confined to the thread that applies. {@code clockMillis} is the cluster clock of the entry being applied.
 */
final class Writes {

    private final Entries entries;

    Writes(Entries entries) {
        this.entries = entries;
    }

    Outcome set(SetCommand command, long clockMillis) {
        put(key(command.getKey()), command.getValue().toByteArray(), deadline(command.getTtlMillis(), clockMillis));
        return Outcome.APPLIED;
    }

    /** @param value see {@link PendingUploads#complete} */
    Outcome set(SetChunkedCommand command, Object value, long clockMillis) {
        long expiresAtMillis = deadline(command.getTtlMillis(), clockMillis);
        entries.put(key(command.getKey()), Entry.ofPlain(value, expiresAtMillis, entries.nextVersion()));
        return Outcome.APPLIED;
    }

    Outcome touch(TouchCommand command, long clockMillis) {
        Key key = key(command.getKey());
        Entry entry = entries.find(key, clockMillis);
        if (entry != null && !entry.isLimiter()) {
            long expiresAtMillis = deadline(command.getTtlMillis(), clockMillis);
            entries.put(key, entry.withExpiresAt(expiresAtMillis, entries.nextVersion()));
        }
        return Outcome.APPLIED;
    }

    Outcome delete(DeleteCommand command, long clockMillis) {
        Key key = key(command.getKey());
        boolean absent = entries.find(key, clockMillis) == null;
        entries.remove(key);
        return absent ? Outcome.ABSENT : Outcome.APPLIED;
    }

    Outcome incr(IncrCommand command, long clockMillis) {
        Key key = key(command.getKey());
        Entry entry = entries.find(key, clockMillis);
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
        if (entry.isLarge()) {
            return Outcome.NO_INTEGER;
        }
        return entry.isTyped() ? incrTyped(key, entry, command.getBy()) : incrPlain(key, entry, command.getBy());
    }

    private Outcome incrPlain(Key key, Entry entry, long by) {
        byte[] value = entry.value();
        if (!Decimal.isLong(value)) {
            return unchanged(value);
        }
        long old = Decimal.toLong(value);
        long sum = old + by;
        if (overflows(old, by, sum)) {
            return Outcome.OVERFLOW;
        }
        put(key, Decimal.toBytes(sum), entry.expiresAtMillis());
        return Outcome.number(sum);
    }

    /**
     * As if it were its plain value, but it keeps type and flags, and a number stays within the integers of doubles.
     */
    private Outcome incrTyped(Key key, Entry entry, long by) {
        Typed typed = entry.typed();
        if (typed.isList()) {
            return Outcome.BAD_REQUEST;
        }
        if (typed.held() instanceof Boolean truth) {
            return unchanged(truth.toString().getBytes(StandardCharsets.US_ASCII));
        }
        long old;
        if (typed.held() instanceof Double number) {
            if (!Doubles.isInteger(number)) {
                return Outcome.real(number);
            }
            old = number.longValue();
        } else {
            byte[] string = (byte[]) typed.held();
            if (!Decimal.isLong(string)) {
                return unchanged(string);
            }
            old = Decimal.toLong(string);
        }
        long sum = old + by;
        boolean isNumber = typed.held() instanceof Double;
        if (overflows(old, by, sum) || (isNumber && !Doubles.isInteger((double) sum))) {
            return Outcome.OVERFLOW;
        }
        Typed summed = typed.withValue(isNumber ? (Object) (double) sum : Decimal.toBytes(sum));
        entries.put(key, Entry.of(summed, entry.expiresAtMillis(), entries.nextVersion()));
        return Outcome.number(sum);
    }

    private static Outcome unchanged(byte[] value) {
        return value.length <= Limits.OUTCOME_VALUE_BYTES_MAX ? Outcome.value(value) : Outcome.NO_INTEGER;
    }

    /** @param format the cluster's; before {@link Formats#BOUNDS}, a call keeps no more than it needs itself */
    Outcome rateLimiter(RateLimiterCommand command, int format, long clockMillis) {
        Key key = key(command.getKey());
        Entry entry = entries.find(key, clockMillis);
        long capacity = command.getCapacity();
        long durationMillis = command.getDurationMillis();
        if (entry != null && !(entry.isLimiter() && entry.limiter() instanceof SlidingLog)) {
            return Outcome.BAD_REQUEST;
        }
        SlidingLog limiter = entry == null ? SlidingLog.of(capacity, durationMillis) : (SlidingLog) entry.limiter();
        long keepMillis = format < Formats.BOUNDS ? durationMillis : Math.max(limiter.keepMillis(), durationMillis);
        SlidingLog granted = limiter.grant(clockMillis, capacity, durationMillis, keepMillis);
        if (granted != null) {
            put(key, granted);
            return Outcome.number(granted.remainingAt(clockMillis));
        }
        if (format >= Formats.BOUNDS && entry != null && capacity > 0 && keepMillis > limiter.keepMillis()) {
            // Calls like this one will need what made it be refused.
            put(key, limiter.keepingFor(keepMillis));
        }
        return Outcome.number(-1);
    }

    private void put(Key key, SlidingLog limiter) {
        entries.put(key, Entry.of(limiter, limiter.freshAtMillis(), entries.nextVersion()));
    }

    Outcome flushAll(FlushAllCommand command) {
        entries.flush(command.getRegion().toByteArray());
        return Outcome.APPLIED;
    }

    private void put(Key key, byte[] value, long expiresAtMillis) {
        entries.put(key, Entry.of(value, expiresAtMillis, entries.nextVersion()));
    }

    static Key key(ByteString bytes) {
        return Key.of(bytes.toByteArray());
    }

    static long deadline(long ttlMillis, long clockMillis) {
        return ttlMillis == 0 ? Entry.NEVER : clockMillis + ttlMillis;
    }

    private static boolean overflows(long a, long b, long sum) {
        return ((a ^ sum) & (b ^ sum)) < 0;
    }
}
