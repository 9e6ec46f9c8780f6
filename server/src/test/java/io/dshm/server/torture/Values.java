package io.dshm.server.torture;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Large values as histories have them: {@code v17*300000} stands for a value of 300,000 bytes that is made of {@code v17}
 * again and again. Short ones stand for themselves.
 */
final class Values {

    private static final char TIMES = '*';
    private static final int SHORT_BYTES_MAX = 100;

    private Values() {}

    static String large(long unique, int bytes) {
        return "v" + unique + TIMES + bytes;
    }

    /** The bytes that a value in a history stands for. */
    static byte[] expand(String value) {
        int times = value.indexOf(TIMES);
        if (times < 0) {
            return value.getBytes(StandardCharsets.UTF_8);
        }
        byte[] unit = value.substring(0, times).getBytes(StandardCharsets.UTF_8);
        byte[] bytes = new byte[Integer.parseInt(value.substring(times + 1))];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = unit[i % unit.length];
        }
        return bytes;
    }

    /** As a history has it; bytes that stand for nothing become a value that nobody has ever set. */
    static String shorten(byte[] bytes) {
        if (bytes.length <= SHORT_BYTES_MAX) {
            return new String(bytes, StandardCharsets.UTF_8);
        }
        int next = 1;
        while (next < SHORT_BYTES_MAX && bytes[next] != 'v') {
            next++;
        }
        String value = new String(bytes, 0, next, StandardCharsets.UTF_8) + TIMES + bytes.length;
        return Arrays.equals(expand(value), bytes) ? value : value + "-damaged";
    }
}
