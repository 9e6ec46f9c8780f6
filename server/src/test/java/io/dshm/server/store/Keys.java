package io.dshm.server.store;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;

/** Keys for tests, and ways to hash them: the store must be right with any. */
enum Keys {
    /** As in production. */
    MIXED,

    /** All keys from the same slot on. */
    ALL_EQUAL,

    /** All keys in one segment that grows and shrinks, and is the one where a sweep begins. */
    FIRST_SEGMENT,

    /** Few hashes in few segments, at both ends of the table. */
    CLUSTERED;

    int hash(byte[] key) {
        int mixed = Arrays.hashCode(key) * 0x9E3779B9;
        return switch (this) {
            case MIXED -> mixed;
            case ALL_EQUAL -> 42;
            case FIRST_SEGMENT -> mixed >>> 12;
            case CLUSTERED -> mixed & 0xC000_0003;
        };
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    /** The key of a number, in one of {@code regions} regions, of which the first is the default region. */
    static String numbered(int number, int regions) {
        int region = number % regions;
        return region == 0 ? "key" + number : "r" + region + "::key" + number;
    }

    /** A value that says by which version it was written. */
    static byte[] valueOf(long version) {
        return ByteBuffer.allocate(Long.BYTES).putLong(version).array();
    }

    /** A value of that length that says by which version it was written. */
    static byte[] filled(int length, long version) {
        byte[] value = new byte[length];
        Arrays.fill(value, (byte) version);
        return value;
    }

    /** A seed that can be given as a system property, to repeat what failed. */
    static long seed() {
        return Long.getLong("dshm.seed", new Random().nextLong());
    }
}
