package io.dshm.server.store;

import java.util.Arrays;

/**
 * The region of a key: the part before its first {@code :}. A key with none, or with nothing before it, is in the
 * default region, whose name is empty. A store keeps nothing for a region but the bytes at the head of its keys.
 *
 * <p>An object of this class says where the name of a region stands and how long it is. So the name of a key's region
 * is looked for once, and can be compared with many others. A comparison looks at no more bytes than the shorter name
 * has.
 */
public final class Region {

    private static final byte[] NOWHERE = {};

    private byte[] bytes = NOWHERE;
    private int from;
    private int length;

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

    /** The region of that key. */
    static Region of(byte[] key) {
        Region region = new Region();
        region.become(key, 0, key.length);
        return region;
    }

    /** The region of that name, which nobody may change afterwards. */
    static Region named(byte[] name) {
        Region region = new Region();
        region.bytes = name;
        region.length = name.length;
        return region;
    }

    /** Becomes the region of a key that is a part of those bytes. Not for a region that is in a map. */
    void become(byte[] newBytes, int keyAt, int keyLength) {
        bytes = newBytes;
        from = keyAt;
        length = lengthIn(newBytes, keyAt, keyAt + keyLength);
    }

    /** Becomes none: what its name stood in can be collected. */
    void leave() {
        bytes = NOWHERE;
        from = 0;
        length = 0;
    }

    /** Orders regions by their names. */
    static int compare(Region region, Region other) {
        return Arrays.compare(
                region.bytes,
                region.from,
                region.from + region.length,
                other.bytes,
                other.from,
                other.from + other.length);
    }
}
