package io.dshm.server.statemachine;

/** Integers as they stand in values: an optional sign and decimal digits, {@value #CHARS_MAX} characters at most. */
final class Decimal {

    /** A sign and 19 digits. */
    private static final int CHARS_MAX = 20;

    private Decimal() {}

    /** Whether these bytes are an integer of 64 bits; leading zeros and a plus sign are. */
    static boolean isLong(byte[] text) {
        int first = digitsStart(text);
        if (first == text.length || text.length > CHARS_MAX) {
            return false;
        }
        boolean negative = text[0] == '-';
        long value = 0;
        for (int i = first; i < text.length; i++) {
            int digit = text[i] - '0';
            if (digit < 0 || digit > 9) {
                return false;
            }
            // Counting down, because there is one more negative number than there are positive ones.
            if (value < (Long.MIN_VALUE + digit) / 10) {
                return false;
            }
            value = value * 10 - digit;
        }
        return negative || value != Long.MIN_VALUE;
    }

    /** The integer that {@link #isLong} found. */
    static long toLong(byte[] text) {
        long value = 0;
        for (int i = digitsStart(text); i < text.length; i++) {
            value = value * 10 - (text[i] - '0');
        }
        return text[0] == '-' ? value : -value;
    }

    /** The shortest decimal form. */
    static byte[] toBytes(long value) {
        int length = value < 0 ? 2 : 1;
        for (long rest = value / 10; rest != 0; rest /= 10) {
            length++;
        }
        byte[] text = new byte[length];
        long rest = value;
        int at = length;
        do {
            text[--at] = (byte) ('0' + Math.abs(rest % 10));
            rest /= 10;
        } while (rest != 0);
        if (value < 0) {
            text[0] = '-';
        }
        return text;
    }

    private static int digitsStart(byte[] text) {
        return text.length > 0 && (text[0] == '-' || text[0] == '+') ? 1 : 0;
    }
}
