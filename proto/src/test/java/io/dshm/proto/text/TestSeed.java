package io.dshm.proto.text;

import java.util.Random;

/** The one seed of all random tests in a run: printed, and set again with {@code -Ddshm.test.seed=...}. */
final class TestSeed {

    private static final long SEED = Long.getLong("dshm.test.seed", System.nanoTime());

    static {
        System.out.println("Random tests: repeat with -Ddshm.test.seed=" + SEED);
    }

    private TestSeed() {}

    static Random random() {
        return new Random(SEED);
    }
}
