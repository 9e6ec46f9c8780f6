package io.dshm.proto.text;

import io.dshm.proto.Limits;
import io.netty.buffer.ByteBuf;

/** Numbers as decimal digits in bytes, read and written without strings. */
final class Decimals {

    /** What the methods that read a number of 0 or more return where there is none. */
    static final long UNREADABLE = -1;

    private static final int MILLIS_DIGITS = 3;
    private static final int LONG_CHARS_MAX = 20;

    private Decimals() {}

    /** The number in {@code bytes[from, to)}, 1 to {@link Limits#COUNT_DIGITS_MAX} digits; or {@link #UNREADABLE}. */
    static long count(byte[] bytes, int from, int to) {
        if (from >= to || to - from > Limits.COUNT_DIGITS_MAX) {
            return UNREADABLE;
        }
        long number = 0;
        for (int at = from; at < to; at++) {
            if (!isDigit(bytes[at])) {
                return UNREADABLE;
            }
            number = number * 10 + (bytes[at] - '0');
        }
        return number;
    }

    /**
     * The seconds in {@code bytes[from, to)}, whole or with a fraction, as milliseconds; or {@link #UNREADABLE}. What
     * is less than a millisecond counts as one, so that only zero seconds are 0; more than {@link
     * Limits#TTL_MILLIS_MAX} is that.
     */
    static long secondsAsMillis(byte[] bytes, int from, int to) {
        if (to - from > Limits.NUMBER_CHARS_MAX) {
            return UNREADABLE;
        }
        int point = from;
        while (point < to && bytes[point] != '.') {
            point++;
        }
        long seconds = count(bytes, from, point);
        long millis = point == to ? 0 : fractionAsMillis(bytes, point + 1, to);
        if (seconds == UNREADABLE || millis == UNREADABLE) {
            return UNREADABLE;
        }
        return seconds > Limits.TTL_MILLIS_MAX / 1000
                ? Limits.TTL_MILLIS_MAX
                : Math.min(Limits.TTL_MILLIS_MAX, seconds * 1000 + millis);
    }

    private static long fractionAsMillis(byte[] bytes, int from, int to) {
        if (from == to) {
            return UNREADABLE;
        }
        long millis = 0;
        boolean more = false;
        for (int at = from; at < to; at++) {
            if (!isDigit(bytes[at])) {
                return UNREADABLE;
            }
            if (at < from + MILLIS_DIGITS) {
                millis = millis * 10 + (bytes[at] - '0');
            } else {
                more |= bytes[at] != '0';
            }
        }
        for (int digits = to - from; digits < MILLIS_DIGITS; digits++) {
            millis *= 10;
        }
        return more ? millis + 1 : millis;
    }

    /** Whether {@code bytes[from, to)} is an integer of 64 bits, with a sign or without. */
    static boolean isLong(byte[] bytes, int from, int to) {
        int at = from < to && isSign(bytes[from]) ? from + 1 : from;
        if (at >= to || to - from > Limits.NUMBER_CHARS_MAX) {
            return false;
        }
        long least = bytes[from] == '-' ? Long.MIN_VALUE : -Long.MAX_VALUE;
        long negative = 0;
        for (; at < to; at++) {
            if (!isDigit(bytes[at])) {
                return false;
            }
            int digit = bytes[at] - '0';
            if (negative < least / 10 || negative * 10 < least + digit) {
                return false;
            }
            negative = negative * 10 - digit;
        }
        return true;
    }

    /** The integer in {@code bytes[from, to)}, which {@link #isLong} has found to be one. */
    static long toLong(byte[] bytes, int from, int to) {
        long negative = 0; // because there is one negative number more
        for (int at = isSign(bytes[from]) ? from + 1 : from; at < to; at++) {
            negative = negative * 10 - (bytes[at] - '0');
        }
        return bytes[from] == '-' ? negative : -negative;
    }

    private static boolean isSign(byte character) {
        return character == '-' || character == '+';
    }

    private static boolean isDigit(byte character) {
        return character >= '0' && character <= '9';
    }

    /** How many characters {@link #write} writes for this number: 1 to 20. */
    static int length(long number) {
        int length = number < 0 ? 2 : 1;
        for (long rest = number / 10; rest != 0; rest /= 10) {
            length++;
        }
        return length;
    }

    /** Writes a number as it is read: digits, after a {@code -} if it is negative. */
    static void write(long number, ByteBuf out) {
        out.ensureWritable(LONG_CHARS_MAX);
        int start = out.writerIndex();
        int end = start + length(number);
        int at = end;
        long rest = number;
        do {
            at--;
            out.setByte(at, '0' + (int) Math.abs(rest % 10));
            rest /= 10;
        } while (rest != 0);
        if (number < 0) {
            out.setByte(start, '-');
        }
        out.writerIndex(end);
    }

    /** Writes milliseconds, 0 or more, as seconds, with a fraction only where there is one. */
    static void writeMillisAsSeconds(long millis, ByteBuf out) {
        write(millis / 1000, out);
        int fraction = (int) (millis % 1000);
        if (fraction != 0) {
            out.writeByte('.');
            out.writeByte('0' + fraction / 100);
            out.writeByte('0' + fraction / 10 % 10);
            out.writeByte('0' + fraction % 10);
        }
    }
}
