package io.dshm.proto;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A key: 1 to {@link Limits#LONG_KEY_BYTES_MAX} bytes, the region included, with its hash.
 *
 * <p>The hash has a seed of its own in every process or data folder ({@link KeySeed}), so that clients who choose keys
 * cannot choose collisions. It must therefore never reach the log, a snapshot or another node; only
 * the order that follows from it does.
 */
public final class Key {

    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private static final long SEED = KeySeed.take();

    private static final long MULTIPLIER = 0x9E3779B97F4A7C15L;

    private final byte[] bytes;
    private final int hash;

    private Key(byte[] bytes) {
        this.bytes = bytes;
        this.hash = hashOf(bytes, bytes.length);
    }

    /**
     * A key of these bytes, which the caller must not change afterwards.
     *
     * @throws IllegalArgumentException if there are none or too many
     */
    public static Key of(byte[] bytes) {
        if (bytes.length == 0 || bytes.length > Limits.LONG_KEY_BYTES_MAX) {
            throw new IllegalArgumentException(
                    "a key has 1 to " + Limits.LONG_KEY_BYTES_MAX + " bytes, not " + bytes.length);
        }
        return new Key(bytes);
    }

    /** A key of this text's UTF-8 bytes; see {@link #of(byte[])}. */
    public static Key of(String text) {
        return of(text.getBytes(StandardCharsets.UTF_8));
    }

    /**
     * Whether a key, or the name of a region, may contain this byte: no space and no control character, because both
     * are words of a line. Bytes above 0x7F are anyone's letters.
     */
    public static boolean mayContain(byte character) {
        return (character < 0 || character > ' ') && character != 0x7F;
    }

    /** The bytes themselves, not a copy: not to be changed. */
    public byte[] bytes() {
        return bytes;
    }

    /** How many bytes stand before the first colon, which are the name of the key's region: 0 is the default region. */
    public int regionBytes() {
        for (int at = 0; at < bytes.length; at++) {
            if (bytes[at] == ':') {
                return at;
            }
        }
        return 0;
    }

    /** Whether both are keys of one region. */
    public boolean isOfRegionOf(Key other) {
        return Arrays.equals(bytes, 0, regionBytes(), other.bytes, 0, other.regionBytes());
    }

    /** The hash, well mixed in all its bits. */
    public int hash() {
        return hash;
    }

    /** The {@link #hash} of a key of so many of these bytes, the first ones. */
    public static int hashOf(byte[] bytes, int length) {
        long state = SEED ^ (length * MULTIPLIER);
        int at = 0;
        for (; at + Long.BYTES <= length; at += Long.BYTES) {
            state = mix(state ^ (long) LONGS.get(bytes, at));
        }
        long tail = 0;
        for (; at < length; at++) {
            tail = (tail << Byte.SIZE) | (bytes[at] & 0xFF);
        }
        state = mix(state ^ tail);
        return (int) (state ^ (state >>> Integer.SIZE));
    }

    private static long mix(long state) {
        return Math.multiplyHigh(state, MULTIPLIER) ^ Long.rotateLeft(state * MULTIPLIER, 29) ^ SEED;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Key that && hash == that.hash && Arrays.equals(bytes, that.bytes);
    }

    @Override
    public int hashCode() {
        return hash;
    }

    @Override
    public String toString() {
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
