package io.dshm.server.store.limiters;

/** Arithmetic with products of 128 bits. All arguments are 0 or more, divisors 1 or more. */
final class Wide {

    private Wide() {}

    /** {@code (a * b + more) / divisor}, rounded down; {@link Long#MAX_VALUE} if that is larger. */
    static long floor(long a, long b, long more, long divisor) {
        long low = a * b;
        long high = Math.multiplyHigh(a, b);
        long sum = low + more;
        if (Long.compareUnsigned(sum, low) < 0) {
            high++;
        }
        if (high == 0 && sum >= 0) {
            return sum / divisor;
        }
        return high >= divisor ? Long.MAX_VALUE : quotient(high, sum, divisor);
    }

    /** The same, rounded up. */
    static long ceil(long a, long b, long more, long divisor) {
        long floor = floor(a, b, more, divisor);
        return floor == Long.MAX_VALUE || rest(a, b, more, divisor, floor) == 0 ? floor : floor + 1;
    }

    /** What {@link #floor}, which was not too large, leaves: 0 to {@code divisor - 1}. */
    static long rest(long a, long b, long more, long divisor, long floor) {
        // Modulo 2^64, which is enough: the rest is smaller than that.
        return a * b + more - floor * divisor;
    }

    /** Whether {@code a * b > c * d}. */
    static boolean isMore(long a, long b, long c, long d) {
        long high = Math.multiplyHigh(a, b);
        long otherHigh = Math.multiplyHigh(c, d);
        return high == otherHigh ? Long.compareUnsigned(a * b, c * d) > 0 : high > otherHigh;
    }

    /** Of a dividend of 128 bits, bit by bit; {@code high} is below the divisor. */
    private static long quotient(long high, long low, long divisor) {
        long rest = high;
        long quotient = 0;
        for (int bit = Long.SIZE - 1; bit >= 0; bit--) {
            rest = (rest << 1) | ((low >>> bit) & 1);
            quotient <<= 1;
            if (Long.compareUnsigned(rest, divisor) >= 0) {
                rest -= divisor;
                quotient |= 1;
            }
        }
        return quotient < 0 ? Long.MAX_VALUE : quotient;
    }
}
