package io.dshm.server.counters;

import java.util.Collection;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * How often which values came: written by one thread, without allocation, and read by any.
 *
 * <p>The buckets are those of Prometheus' native histograms of schema {@value #SCHEMA}: bucket {@code i} holds what is
 * above {@code 2^((i-1)/4)} and not above {@code 2^(i/4)}, so that a value is known to within a fifth. Every fourth
 * bound is a power of two; these are the bounds of the classic histogram.
 */
public final class Distribution {

    /** Of the native buckets: {@code 2^SCHEMA} for each doubling. */
    public static final int SCHEMA = 2;

    private static final int BUCKETS_A_DOUBLING = 1 << SCHEMA;
    private static final int MANTISSA_BITS = 52;
    private static final long MANTISSA_MASK = (1L << MANTISSA_BITS) - 1;

    /** The mantissas of the bounds between two powers of two. */
    private static final long QUARTER = mantissaOf(Math.pow(2, 0.25));

    private static final long HALF = mantissaOf(Math.sqrt(2));
    private static final long THREE_QUARTERS = mantissaOf(Math.pow(2, 0.75));

    /**
     * Which values are told apart.
     *
     * @param unit of what is recorded, in what is shown: 1e-9 for nanoseconds that are shown as seconds
     * @param lowest all values up to {@code 2^lowest} are in the lowest bucket
     * @param highest all values above {@code 2^highest} are in the highest one
     */
    public record Range(double unit, int lowest, int highest) {

        /** Nanoseconds, shown as seconds: from 1 us to 64 s. */
        public static final Range SECONDS = new Range(1e-9, -20, 6);

        /** Numbers of things, from 1 to 16,384. */
        public static final Range COUNTS = new Range(1, 0, 14);

        private int size() {
            return (highest - lowest) * BUCKETS_A_DOUBLING + 2;
        }

        private int first() {
            return lowest * BUCKETS_A_DOUBLING;
        }
    }

    private final Range range;
    private final AtomicLongArray counts;

    /** Of all values, in the unit in which they were recorded. */
    private final Tally sum = new Tally();

    public Distribution(Range range) {
        this.range = range;
        this.counts = new AtomicLongArray(range.size());
    }

    private static long mantissaOf(double number) {
        return Double.doubleToRawLongBits(number) & MANTISSA_MASK;
    }

    /** Counts a value. The writer's thread only. */
    public void record(long value) {
        record(value, 1);
    }

    /** Counts a value that came so many times. The writer's thread only. */
    public void record(long value, long times) {
        int slot = Math.max(0, Math.min(counts.length() - 1, indexOf((double) value * range.unit) - range.first()));
        counts.setRelease(slot, counts.getPlain(slot) + times);
        sum.add(value * times);
    }

    /** The number of a value's native bucket. */
    static int indexOf(double value) {
        if (value <= 0) {
            return Integer.MIN_VALUE / 2;
        }
        long mantissa = mantissaOf(value);
        int index = Math.getExponent(value) * BUCKETS_A_DOUBLING;
        if (mantissa == 0) {
            return index;
        }
        return index + (mantissa <= HALF ? (mantissa <= QUARTER ? 1 : 2) : (mantissa <= THREE_QUARTERS ? 3 : 4));
    }

    /** Adds up what was counted in several places. */
    public static Sum sum(Collection<Distribution> parts, Range range) {
        long[] all = new long[range.size()];
        double sum = 0;
        for (Distribution part : parts) {
            if (!part.range.equals(range)) {
                throw new IllegalArgumentException("another range: " + part.range);
            }
            for (int i = 0; i < all.length; i++) {
                all[i] += part.counts.getAcquire(i);
            }
            sum += (double) part.sum.get() * range.unit;
        }
        return new Sum(range, all, sum);
    }

    /** Hears a bucket. */
    @FunctionalInterface
    public interface FineBucket {

        /**
         * One bucket.
         *
         * @param index its number among all native buckets
         */
        void bucket(int index, long count);
    }

    /** Hears a bucket. */
    @FunctionalInterface
    public interface CoarseBucket {

        /**
         * One bucket.
         *
         * @param bound the largest value that it holds, which may be infinite
         * @param count of values that it holds and no lower one does
         */
        void bucket(double bound, long count);
    }

    /** What several distributions have counted. */
    public static final class Sum {

        private final Range range;
        private final long[] counts;
        private final double sum;

        private Sum(Range range, long[] counts, double sum) {
            this.range = range;
            this.counts = counts;
            this.sum = sum;
        }

        /** Of all values, in the shown unit. */
        public double sum() {
            return sum;
        }

        /** How many there were. */
        public long count() {
            long all = 0;
            for (long count : counts) {
                all += count;
            }
            return all;
        }

        /** The native buckets, the lowest first. */
        public void fine(FineBucket reader) {
            for (int i = 0; i < counts.length; i++) {
                reader.bucket(range.first() + i, counts[i]);
            }
        }

        /** The classic buckets, the lowest first, the last one without a bound. */
        public void coarse(CoarseBucket reader) {
            long count = 0;
            for (int i = 0; i < counts.length - 1; i++) {
                count += counts[i];
                if (i % BUCKETS_A_DOUBLING == 0) {
                    reader.bucket(Math.scalb(1.0, range.lowest() + i / BUCKETS_A_DOUBLING), count);
                    count = 0;
                }
            }
            reader.bucket(Double.POSITIVE_INFINITY, counts[counts.length - 1]);
        }
    }
}
