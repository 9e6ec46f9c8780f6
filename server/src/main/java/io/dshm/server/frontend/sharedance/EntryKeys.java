package io.dshm.server.frontend.sharedance;

import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.BitSet;

/**
 * Under which key of the store a Sharedance entry lies: in the region {@code sharedance}, percent-encoded exactly as
 * the Lua client encodes a key, so that {@code store:get("sharedance::" .. key)} reads what PHP stored. That is
 * {@code ngx.escape_uri} on each piece between colons: letters, digits and {@code - . _ ~ ! * ' ( )} stay as they are,
 * and so do the colons; every other byte becomes {@code %XX} with capital digits.
 */
final class EntryKeys {

    private static final byte[] PREFIX = "sharedance::".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] HEX = "0123456789ABCDEF".getBytes(StandardCharsets.US_ASCII);
    private static final BitSet KEPT = new BitSet();

    static {
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!*'():"
                .chars()
                .forEach(KEPT::set);
    }

    private EntryKeys() {}

    /** Whether these bytes, 1 to {@link Limits#SHAREDANCE_KEY_BYTES_MAX}, are a key of the protocol. */
    static boolean isKey(byte[] key) {
        for (byte b : key) {
            if (b < ' ' || b > '~' || b == '.' || b == '/') {
                return false;
            }
        }
        return true;
    }

    /** The store's key for a key of the protocol. */
    static Key of(byte[] key) {
        byte[] encoded = Arrays.copyOf(PREFIX, PREFIX.length + 3 * key.length);
        int length = PREFIX.length;
        for (byte b : key) {
            if (KEPT.get(b)) {
                encoded[length++] = b;
            } else {
                encoded[length++] = '%';
                encoded[length++] = HEX[b >> 4];
                encoded[length++] = HEX[b & 0xF];
            }
        }
        return Key.of(Arrays.copyOf(encoded, length));
    }
}
