package io.dshm.proto;

import java.nio.charset.StandardCharsets;

/** Doubles as they stand on the wire, exact in both directions but for the many kinds of NaN, which are one here. */
public final class Doubles {

    private static final String INFINITY = "inf";
    private static final String NAN = "nan";

    /** From here on not every integer is a double, and digits alone would promise too much. */
    private static final double INTEGERS_END = 0x1p53;

    private Doubles() {}

    /**
     * Whether this is a number as C's {@code printf} writes it: digits with a sign before them, a point among them and
     * an exponent after them if need be; or {@code inf} or {@code nan}, perhaps with a sign. At most
     * {@link Limits#NUMBER_CHARS_MAX} characters.
     */
    public static boolean isNumber(byte[] text, int from, int to) {
        int at = from < to && (text[from] == '-' || text[from] == '+') ? from + 1 : from;
        if (to - from > Limits.NUMBER_CHARS_MAX) {
            return false;
        }
        if (is(INFINITY, text, at, to) || is(NAN, text, at, to)) {
            return true;
        }
        int point = digitsEnd(text, at, to);
        int end = point < to && text[point] == '.' ? digitsEnd(text, point + 1, to) : point;
        int digits = end - at - (end > point ? 1 : 0);
        if (digits == 0 || end == to) {
            return digits > 0;
        }
        if (text[end] != 'e' && text[end] != 'E') {
            return false;
        }
        int exponent = end + 1 < to && (text[end + 1] == '-' || text[end + 1] == '+') ? end + 2 : end + 1;
        return exponent < to && digitsEnd(text, exponent, to) == to;
    }

    private static boolean is(String word, byte[] text, int from, int to) {
        if (to - from != word.length()) {
            return false;
        }
        for (int i = 0; i < word.length(); i++) {
            if (text[from + i] != word.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    private static int digitsEnd(byte[] text, int from, int to) {
        int at = from;
        while (at < to && text[at] >= '0' && text[at] <= '9') {
            at++;
        }
        return at;
    }

    /** Whether the whole of this {@link #isNumber(byte[], int, int)}. */
    public static boolean isNumber(byte[] text) {
        return isNumber(text, 0, text.length);
    }

    /** The number that {@link #isNumber} found. */
    public static double parse(byte[] text, int from, int to) {
        String number = new String(text, from, to - from, StandardCharsets.US_ASCII);
        if (number.endsWith(NAN)) {
            return Double.NaN;
        }
        if (number.endsWith(INFINITY)) {
            return number.startsWith("-") ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY;
        }
        return Double.parseDouble(number);
    }

    /** The number that the whole of this is. */
    public static double parse(byte[] text) {
        return parse(text, 0, text.length);
    }

    /** The shortest text that reads as this double; an integer as digits, as far as all integers are doubles. */
    public static String format(double number) {
        if (isInteger(number)) {
            boolean negativeZero = number == 0 && 1 / number < 0;
            return negativeZero ? "-0" : Long.toString((long) number);
        }
        if (Double.isNaN(number)) {
            return NAN;
        }
        if (Double.isInfinite(number)) {
            return number > 0 ? INFINITY : "-" + INFINITY;
        }
        return Double.toString(number).replace(".0E", "e").replace('E', 'e');
    }

    /** {@link #format} as bytes. */
    public static byte[] toBytes(double number) {
        return format(number).getBytes(StandardCharsets.US_ASCII);
    }

    /** Whether this is an integer, and so small that its neighbours are doubles, too. */
    public static boolean isInteger(double number) {
        return Math.abs(number) < INTEGERS_END && number == Math.rint(number);
    }
}
