package io.dshm.server.store;

import java.util.Arrays;

/**
 * The region of a key: the part before its first {@code :}. A key with none, or with nothing before it, is in the
 * default region, whose name is empty. There is no object for a region, only the bytes at the head of its keys.
 */
public final class Region {

    private Region() {}

    /** Bytes of the name of the region of that key, 0 for the default region. */
    public static int lengthIn(byte[] key) {
        return lengthIn(key, 0, key.length);
    }

    /** The same of a key that is a part of those bytes. */
    static int lengthIn(byte[] bytes, int from, int to) {
        for (int at = from; at < to; at++) {
            if (bytes[at] == ':') {
                return at - from;
            }
        }
        return 0;
    }

    /** Orders keys by their regions alone: 0 if and only if both keys are in the same one. */
    static int compare(byte[] key, byte[] other) {
        return Arrays.compare(key, 0, lengthIn(key), other, 0, lengthIn(other));
    }

    /** The shortest key in that region: it stands for the region where keys are compared by {@link #compare}. */
    static byte[] keyFor(byte[] region) {
        byte[] key = Arrays.copyOf(region, region.length + 1);
        key[region.length] = ':';
        return key;
    }
}
