package io.dshm.client;

import io.dshm.proto.Key;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/** Keys as they stand on the wire: each piece between colons percent-encoded, as the Lua client does it. */
final class Keys {

    private static final boolean[] PLAIN = plain();
    private static final byte[] HEX = "0123456789ABCDEF".getBytes(StandardCharsets.US_ASCII);

    private Keys() {}

    /** @throws IllegalArgumentException if the key is empty or too long */
    static Key of(String key) {
        return Key.of(encoded(key.getBytes(StandardCharsets.UTF_8)));
    }

    /** The name of a region as it stands on the wire. */
    static byte[] region(String region) {
        return encoded(region.getBytes(StandardCharsets.UTF_8));
    }

    private static byte[] encoded(byte[] bytes) {
        int at = 0;
        while (at < bytes.length && PLAIN[bytes[at] & 0xFF]) {
            at++;
        }
        if (at == bytes.length) {
            return bytes;
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream(bytes.length + 32);
        for (byte one : bytes) {
            if (PLAIN[one & 0xFF]) {
                out.write(one);
            } else {
                out.write('%');
                out.write(HEX[(one & 0xFF) >> 4]);
                out.write(HEX[one & 0xF]);
            }
        }
        return out.toByteArray();
    }

    /** The key that was encoded. */
    static String decoded(byte[] wire, int from, int to) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(to - from);
        for (int at = from; at < to; at++) {
            int high = wire[at] == '%' && at + 2 < to ? Character.digit(wire[at + 1], 16) : -1;
            int low = high >= 0 ? Character.digit(wire[at + 2], 16) : -1;
            if (low >= 0) {
                out.write(high << 4 | low);
                at += 2;
            } else {
                out.write(wire[at]);
            }
        }
        return out.toString(StandardCharsets.UTF_8);
    }

    /** A word of AUTH: as a key without colons. */
    static String word(String text) {
        return new String(encoded(text.getBytes(StandardCharsets.UTF_8)), StandardCharsets.US_ASCII)
                .replace(":", "%3A");
    }

    private static boolean[] plain() {
        boolean[] plain = new boolean[256];
        String characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!*'():";
        for (int at = 0; at < characters.length(); at++) {
            plain[characters.charAt(at)] = true;
        }
        return plain;
    }
}
