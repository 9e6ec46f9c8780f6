package io.dshm.server.store;

import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Random commands to a store and to a plain map: they must always agree. */
class StoreModelTest {

    @ParameterizedTest
    @EnumSource(Keys.class)
    void a_store_agrees_with_a_map(Keys keys) {
        long seed = Keys.seed();
        try {
            Random random = new Random(seed);
            for (int round = 0; round < 20; round++) {
                int keyCount = 1 << (2 + random.nextInt(8));
                Model model = new Model(keys, keyCount, random);
                for (int phase = 0; phase < 6; phase++) {
                    // Growth and shrinking take turns.
                    int putPercent = phase % 2 == 0 ? 80 : 10;
                    for (int step = 0; step < 4 * keyCount; step++) {
                        model.step(putPercent);
                    }
                    model.check();
                }
                model.checkCountersAfterPurge();
                model.check();
            }
        } catch (AssertionError e) {
            throw new AssertionError("repeat with -Ddshm.seed=" + seed + ": " + e.getMessage(), e);
        }
    }
}
