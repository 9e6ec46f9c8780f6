package io.dshm.server.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Runs of the simulation, each with faults of its own; see the package's description.
 *
 * <p>A failure prints its seed, what does not hold, and the last events. {@code -Ddshm.simulation.seed=N} runs that seed
 * alone, exactly as it was; {@code -Ddshm.simulation.seeds=N} runs so many seeds instead of {@value #SEEDS}, and
 * {@code -Ddshm.simulation.first=N} says with which one they begin.
 */
@ExtendWith(Quiet.class)
class SimulationTest {

    static final String SEED = "dshm.simulation.seed";
    private static final int SEEDS = 2_000;

    @Test
    void whatever_fails_every_check_holds() {
        Long only = Long.getLong(SEED);
        long first = only == null ? Long.getLong("dshm.simulation.first", 1) : only;
        long count = only == null ? Long.getLong("dshm.simulation.seeds", SEEDS) : 1;
        long answered = 0;
        long evictions = 0;
        long refusals = 0;
        long denials = 0;
        long fromShares = 0;
        long replaced = 0;
        for (long seed = first; seed < first + count; seed++) {
            Simulation.Counts counts = Simulation.run(seed, new PlantedBug());
            answered += counts.answered();
            evictions += counts.evictions();
            refusals += counts.refusals();
            denials += counts.denials();
            fromShares += counts.fromShares();
            replaced += counts.replaced();
        }
        assertTrue(answered > 10 * count, answered + " writes were answered in " + count + " runs");
        if (only == null) {
            assertTrue(evictions > count / 50, evictions + " entries were evicted in " + count + " runs");
            assertTrue(refusals > count / 4, refusals + " writes were refused in " + count + " runs");
            assertTrue(denials > count / 4, denials + " writes were denied in " + count + " runs");
            assertTrue(replaced > count / 20, replaced + " members were replaced in " + count + " runs");
            assertTrue(fromShares > count, fromShares + " limits were decided from shares in " + count + " runs");
        }
    }

    @Test
    void the_same_seed_gives_the_same_run() {
        for (long seed = 1; seed <= 20; seed++) {
            assertEquals(Simulation.events(seed), Simulation.events(seed));
        }
    }
}
