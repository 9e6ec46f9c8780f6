package io.dshm.server.simulation;

import static org.junit.jupiter.api.Assertions.fail;

import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The simulation finds bugs: each of these, with one of the first seeds. */
@ExtendWith(Quiet.class)
class PlantedBugsTest {

    private static final int SEEDS_MAX = 1_000;

    @ParameterizedTest
    @EnumSource
    void it_is_found(PlantedBugs bug) {
        for (long seed = 1; seed <= SEEDS_MAX; seed++) {
            try {
                Simulation.run(seed, bug.plant());
            } catch (AssertionError found) {
                return;
            }
        }
        fail(bug + " is not found with " + SEEDS_MAX + " seeds");
    }
}
