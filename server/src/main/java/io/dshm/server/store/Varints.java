package io.dshm.server.store;

/**
 * Numbers in as few bytes as they need: seven bits a byte, the low ones first, the high bit set where another byte
 * follows.
 */
final class Varints {

    /** The most that a number takes. */
    static final int BYTES_MAX = 10;

    private static final int BITS = 7;
    private static final int MORE = 1 << BITS;

    private Varints() {}

    /** Writes a number, whose bits are taken as unsigned, and returns where it ends. */
    static int write(byte[] bytes, int from, long number) {
        int at = from;
        long rest = number;
        while ((rest & -MORE) != 0) {
            bytes[at++] = (byte) (rest | MORE);
            rest >>>= BITS;
        }
        bytes[at++] = (byte) rest;
        return at;
    }

    /** The number that stands there. */
    static long read(byte[] bytes, int from) {
        int at = from;
        long number = bytes[at] & (MORE - 1);
        for (int shift = BITS; bytes[at] < 0; shift += BITS) {
            at++;
            number |= (long) (bytes[at] & (MORE - 1)) << shift;
        }
        return number;
    }

    /** Where the number ends that stands there. */
    static int end(byte[] bytes, int from) {
        int at = from;
        while (bytes[at] < 0) {
            at++;
        }
        return at + 1;
    }
}
