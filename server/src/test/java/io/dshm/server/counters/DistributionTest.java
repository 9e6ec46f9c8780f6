package io.dshm.server.counters;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class DistributionTest {

    @Test
    void a_value_is_in_the_native_bucket_whose_bounds_are_around_it() {
        Random random = new Random(1);
        for (int i = 0; i < 200_000; i++) {
            double value = Math.scalb(random.nextDouble() + 1, random.nextInt(60) - 30);
            int index = Distribution.indexOf(value);
            assertTrue(value <= Math.pow(2, index / 4.0) * (1 + 1e-15), () -> value + " in " + index);
            assertTrue(value > Math.pow(2, (index - 1) / 4.0) * (1 - 1e-15), () -> value + " in " + index);
        }
        // A bound belongs to the bucket below it.
        assertEquals(4, Distribution.indexOf(2));
        assertEquals(0, Distribution.indexOf(1));
        assertEquals(-4, Distribution.indexOf(0.5));
        assertEquals(5, Distribution.indexOf(Math.nextUp(2)));
    }

    @Test
    void several_are_added_up_with_their_sum() {
        Distribution first = new Distribution(Distribution.Range.COUNTS);
        Distribution second = new Distribution(Distribution.Range.COUNTS);
        first.record(1);
        first.record(3, 2);
        second.record(4);
        second.record(100_000);
        Distribution.Sum sum = Distribution.sum(List.of(first, second), Distribution.Range.COUNTS);
        assertEquals(5, sum.count());
        assertEquals(100_011, sum.sum());
        Map<Double, Long> coarse = new LinkedHashMap<>();
        sum.coarse((bound, count) -> coarse.put(bound, count));
        assertEquals(16, coarse.size());
        assertEquals(1, coarse.get(1.0));
        assertEquals(3, coarse.get(4.0));
        assertEquals(1, coarse.get(Double.POSITIVE_INFINITY));
        assertEquals(5, coarse.values().stream().mapToLong(Long::longValue).sum());
        long[] fine = {0};
        sum.fine((index, count) -> fine[0] += count);
        assertEquals(5, fine[0]);
    }

    @Test
    void nanoseconds_are_shown_as_seconds_and_what_is_too_short_or_too_long_is_counted() {
        Distribution times = new Distribution(Distribution.Range.SECONDS);
        times.record(0);
        times.record(1);
        times.record(2_000_000_000);
        times.record(Long.MAX_VALUE / 2);
        Map<Double, Long> coarse = new LinkedHashMap<>();
        Distribution.sum(List.of(times), Distribution.Range.SECONDS).coarse((bound, count) -> coarse.put(bound, count));
        assertEquals(2, coarse.get(Math.scalb(1.0, -20)));
        assertEquals(1, coarse.get(2.0));
        assertEquals(1, coarse.get(Double.POSITIVE_INFINITY));
    }
}
