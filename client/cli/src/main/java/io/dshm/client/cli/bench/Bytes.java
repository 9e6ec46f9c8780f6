package io.dshm.client.cli.bench;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Bytes on their way: those from {@link #from} to {@link #to} of an array that grows. Of one thread. */
final class Bytes {

    /**
     * A value begins with so many characters that say which write it is of, and ends with them if it is long enough.
     */
    static final int TAG_BYTES = 8;

    private static final byte[] DIGITS = "0123456789abcdefghijklmnopqrstuv".getBytes(StandardCharsets.US_ASCII);
    private static final int BITS = 5;
    private static final int FIRST_BYTES = 1024;

    byte[] array = new byte[FIRST_BYTES];
    int from;
    int to;

    private final byte[] decimal = new byte[20];

    boolean isEmpty() {
        return from == to;
    }

    int length() {
        return to - from;
    }

    void clear() {
        from = 0;
        to = 0;
    }

    /** Makes room for so many more. */
    void ensure(int more) {
        if (from == to) {
            clear();
        }
        if (array.length - to >= more) {
            return;
        }
        int length = length();
        if (array.length - length >= more && from >= length) {
            System.arraycopy(array, from, array, 0, length);
        } else {
            byte[] larger = new byte[Math.max(array.length * 2, length + more)];
            System.arraycopy(array, from, larger, 0, length);
            array = larger;
        }
        from = 0;
        to = length;
    }

    Bytes put(byte[] bytes) {
        ensure(bytes.length);
        System.arraycopy(bytes, 0, array, to, bytes.length);
        to += bytes.length;
        return this;
    }

    void put(byte[] bytes, int at, int length) {
        ensure(length);
        System.arraycopy(bytes, at, array, to, length);
        to += length;
    }

    /** Moves so many bytes from the beginning of others here. */
    void put(Bytes other, int length) {
        put(other.array, other.from, length);
        other.from += length;
    }

    /** A copy of all. */
    byte[] bytes() {
        return Arrays.copyOfRange(array, from, to);
    }

    Bytes put(int b) {
        ensure(1);
        array[to++] = (byte) b;
        return this;
    }

    /** A number of 0 or more in decimal digits. */
    Bytes decimal(long number) {
        int at = decimal.length;
        long rest = number;
        do {
            decimal[--at] = (byte) ('0' + rest % 10);
            rest /= 10;
        } while (rest != 0);
        int length = decimal.length - at;
        ensure(length);
        System.arraycopy(decimal, at, array, to, length);
        to += length;
        return this;
    }

    /** A value of that size, at least {@link #TAG_BYTES}. */
    Bytes value(long tag, int size) {
        ensure(size);
        tag(tag, to);
        if (size >= 2 * TAG_BYTES) {
            Arrays.fill(array, to + TAG_BYTES, to + size - TAG_BYTES, (byte) 'v');
            tag(tag, to + size - TAG_BYTES);
        } else {
            Arrays.fill(array, to + TAG_BYTES, to + size, (byte) 'v');
        }
        to += size;
        return this;
    }

    private void tag(long tag, int at) {
        for (int i = 0; i < TAG_BYTES; i++) {
            array[at + i] = DIGITS[(int) (tag >>> (BITS * (TAG_BYTES - 1 - i))) & (DIGITS.length - 1)];
        }
    }

    /** The tag of a value, 0 or more; -1 if it has none, or another one at its end. */
    static long tagOf(byte[] array, int at, int length) {
        if (length < TAG_BYTES) {
            return -1;
        }
        long tag = 0;
        for (int i = 0; i < TAG_BYTES; i++) {
            byte b = array[at + i];
            int digit = b >= '0' && b <= '9' ? b - '0' : b >= 'a' && b <= 'v' ? b - 'a' + 10 : -1;
            if (digit < 0 || (length >= 2 * TAG_BYTES && b != array[at + length - TAG_BYTES + i])) {
                return -1;
            }
            tag = (tag << BITS) | digit;
        }
        return tag;
    }

    /** A number of decimal digits; -1 if this is none, or has more than 18. */
    static long numberOf(byte[] array, int at, int length) {
        if (length < 1 || length > 18) {
            return -1;
        }
        long number = 0;
        for (int i = at; i < at + length; i++) {
            if (array[i] < '0' || array[i] > '9') {
                return -1;
            }
            number = number * 10 + array[i] - '0';
        }
        return number;
    }
}
