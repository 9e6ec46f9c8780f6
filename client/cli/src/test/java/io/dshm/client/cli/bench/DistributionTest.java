package io.dshm.client.cli.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class DistributionTest {

    private static final int DRAWS = 200_000;
    private static final int KEYS = 100;

    private static double[] shares(String name) {
        Distribution distribution = Distribution.parse(name);
        SplittableRandom random = new SplittableRandom(1);
        double[] shares = new double[KEYS];
        for (int i = 0; i < DRAWS; i++) {
            shares[distribution.next(random, KEYS)] += 1.0 / DRAWS;
        }
        return shares;
    }

    @Test
    void zipf_gives_each_rank_its_share() {
        for (double exponent : new double[] {0.99, 1, 1.5}) {
            double[] shares = shares("zipf:" + exponent);
            double sum = 0;
            for (int rank = 1; rank <= KEYS; rank++) {
                sum += Math.pow(rank, -exponent);
            }
            for (int rank : new int[] {1, 2, 3, 10, KEYS}) {
                assertEquals(Math.pow(rank, -exponent) / sum, shares[rank - 1], 0.004, exponent + " rank " + rank);
            }
        }
    }

    @Test
    void hot_keys_have_their_part_and_uniform_ones_have_all_the_same() {
        double[] hot = shares("hot:2:90");
        assertEquals(0.45, hot[0], 0.01);
        assertEquals(0.45, hot[1], 0.01);
        assertEquals(0.1 / (KEYS - 2), hot[50], 0.001);
        assertEquals(1.0 / KEYS, shares("uniform")[50], 0.001);
    }

    @Test
    void a_limit_says_what_it_admits_in_so_many_periods() {
        assertEquals(5, Limit.of("log", 5, 1000).most(1));
        assertEquals(10, Limit.of("fixed", 5, 1000).most(1));
        assertEquals(9, Limit.of("gcra", 5, 1000).most(1));
        assertEquals("gcra 5 0.250 burst=4", Limit.of("gcra", 5, 250).words());
    }
}
