package io.dshm.server.store;

import io.dshm.server.store.limiters.SlidingLog;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * The hash behind {@link Store#digestOf}: 64 bits, the same in every process and for ever, because nodes of different
 * versions compare their digests, and operators compare a backup's with a cluster's. Not for hash tables, since anyone
 * can make collisions.
 */
final class Digest {

    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private static final long START = 0x9E3779B97F4A7C15L;
    private static final long MULTIPLIER = 0xD6E8FEB86659FD93L;

    /** Which kind of content follows. */
    private static final long VALUE = 1;

    private static final long LIMITER = 2;
    private static final long STRING = 3;
    private static final long NUMBER = 4;
    private static final long BOOLEAN = 5;
    private static final long LIST = 6;
    private static final long OTHER_LIMITER = 7;

    private long state = START;

    private Digest() {}

    static long of(byte[] key, Entry entry, long clockMillis) {
        Digest digest = new Digest();
        digest.add(key);
        digest.add(entry.expiresAtMillis());
        digest.add(entry.version());
        if (entry.isLimiter()) {
            digest.add(entry.limiter() instanceof SlidingLog ? LIMITER : OTHER_LIMITER);
            entry.limiter().forEachNumber(clockMillis, digest::add);
        } else if (entry.isTyped()) {
            digest.add(entry.typed().flags());
            digest.add(entry.typed().value());
        } else {
            digest.add(VALUE);
            digest.add(entry.value());
        }
        return digest.state;
    }

    /** A typed value, or an element of a list. */
    private void add(Object value) {
        if (value instanceof byte[] string) {
            add(STRING);
            add(string);
        } else if (value instanceof Double number) {
            add(NUMBER);
            add(Double.doubleToLongBits(number));
        } else if (value instanceof Boolean truth) {
            add(BOOLEAN);
            add(truth ? 1 : 0);
        } else if (value instanceof ListValue list) {
            add(LIST);
            add(list.size());
            list.elements().forEach(this::add);
        } else {
            throw new IllegalArgumentException("no value: " + value.getClass());
        }
    }

    private void add(byte[] bytes) {
        // The length first: it says where the bytes end, and what follows them begins.
        add(bytes.length);
        int at = 0;
        for (; at + Long.BYTES <= bytes.length; at += Long.BYTES) {
            add((long) LONGS.get(bytes, at));
        }
        long rest = 0;
        for (; at < bytes.length; at++) {
            rest = (rest << Byte.SIZE) | (bytes[at] & 0xFF);
        }
        add(rest);
    }

    /** Adds 64 bits. For a given state it is one to one, and every bit of the word affects every bit of the state. */
    private void add(long word) {
        long mixed = (state ^ word) * MULTIPLIER;
        mixed = (mixed ^ (mixed >>> 32)) * MULTIPLIER;
        state = (mixed ^ (mixed >>> 32)) + START;
    }
}
