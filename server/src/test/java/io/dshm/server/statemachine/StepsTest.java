package io.dshm.server.statemachine;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

/**
 * No step of the thread that applies grows with the state. What a step allocates stands for what it does: what is copied,
 * encoded or linked anew is allocated, and that can be counted, on any machine, however busy.
 */
class StepsTest {

    private static final int CLIENTS = 100_000;

    /** A reference for each client, or for each block of a list, and what the largest arrays take; a millisecond's work. */
    private static final long STEP_BYTES_MAX = 1_500_000;

    private final com.sun.management.ThreadMXBean threads =
            (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();

    private void assertSmall(String what, Runnable step) {
        long before = threads.getCurrentThreadAllocatedBytes();
        step.run();
        long bytes = threads.getCurrentThreadAllocatedBytes() - before;
        assertTrue(bytes < STEP_BYTES_MAX, what + " allocates " + bytes + " bytes");
    }

    @Test
    void no_step_grows_with_the_state() {
        ApplySteps all = new ApplySteps(100_000, CLIENTS);
        StateView[] view = new StateView[1];
        assertSmall("to open a view", () -> view[0] = all.stateMachine.view());
        for (int i = 0; i < 20_000; i++) {
            int step = i;
            assertSmall("step " + i, () -> all.step(step));
        }
        view[0].close();
        all.pass(3_000_000);
        for (int i = 0; i < 20_000; i++) {
            int step = i;
            assertSmall("step " + i + " when all has expired", () -> all.step(step));
        }
    }
}
