package io.dshm.server.statemachine;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Formats;
import io.dshm.proto.Limits;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.LimitAlgorithm;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * No step of the thread that applies grows with the state. What a step allocates stands for what it does: what is copied,
 * encoded or linked anew is allocated, and that can be counted, on any machine, however busy.
 */
class StepsTest {

    private static final int CLIENTS = 100_000;

    /** A piece of a large value, or the blocks of the clients that a step forgets, copied. A tenth of a millisecond's work. */
    private static final long STEP_BYTES_MAX = 1_000_000;

    /** The command, its outcome, and a part of the table of clients that grows. */
    private static final long CLIENT_BYTES_MAX = 100_000;

    /** References to the store's segments, to blocks of clients, and to the outcomes that a node has not settled. */
    private static final long VIEW_BYTES_MAX = 500_000;

    private final com.sun.management.ThreadMXBean threads =
            (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();

    private void assertSmall(String what, Runnable step) {
        assertSmall(what, STEP_BYTES_MAX, step);
    }

    private void assertSmall(String what, long bytesMax, Runnable step) {
        long before = threads.getCurrentThreadAllocatedBytes();
        step.run();
        long bytes = threads.getCurrentThreadAllocatedBytes() - before;
        assertTrue(bytes < bytesMax, what + " allocates " + bytes + " bytes");
    }

    @Test
    void no_step_grows_with_the_state() {
        // The first view of a process also links code, by some 80 KB.
        new ApplySteps(1, 1).stateMachine.view().close();
        ApplySteps all = new ApplySteps(100_000, CLIENTS);
        for (int i = 0; i < CLIENTS; i++) {
            int number = i;
            assertSmall("client " + i, CLIENT_BYTES_MAX, () -> all.newClient(number));
        }
        StateView[] view = new StateView[1];
        assertSmall("to open a view", VIEW_BYTES_MAX, () -> view[0] = all.stateMachine.view());
        for (int i = 0; i < 20_000; i++) {
            int step = i;
            assertSmall("step " + i, () -> all.step(step));
        }
        view[0].close();
        for (int i = 0; i < ApplySteps.UPLOAD_STEPS; i++) {
            int step = i;
            assertSmall("upload step " + i, () -> all.uploadStep(step));
        }
        all.pass(3_000_000);
        for (int i = 0; i < 20_000; i++) {
            int step = i;
            assertSmall("step " + i + " when all has expired", () -> all.step(step));
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"FIXED", "LOG", "COUNTER", "GCRA", "LEAKY"})
    void a_MULTI_on_a_limit_with_many_holders_does_hardly_more_than_on_one_without(LimitAlgorithm algorithm) {
        StateMachine stateMachine = StateMachineTest.newStateMachine();
        Log log = new Log();
        log.append(Log.switchFormat(Formats.NEWEST));
        log.applyTo(stateMachine);
        for (int i = 0; i < Limits.HOLDERS_MAX; i++) {
            log.run(stateMachine, Log.reserve(takeOf("held", algorithm, 1), "x" + i, 5_000 + i));
            log.run(stateMachine, Log.grant(takeOf("held", algorithm, 1), "n" + i, 1));
        }
        log.run(stateMachine, takeOf("plain", algorithm, 1));
        for (double seconds : new double[] {0.1, 60}) {
            log.passSeconds(seconds);
            long plain = bytesOfMulti(stateMachine, log, takeOf("plain", algorithm, 0));
            long held = bytesOfMulti(stateMachine, log, takeOf("held", algorithm, 0));
            // The first one looks at all holds, and may copy them.
            assertTrue(held < 3 * plain + STEP_BYTES_MAX, held + " bytes, and " + plain + " without holders");
        }
    }

    private static CommandRecord.Builder takeOf(String key, LimitAlgorithm algorithm, long cost) {
        return Log.take(key, algorithm, 1_000_000, 3_600_000, cost);
    }

    private long bytesOfMulti(StateMachine stateMachine, Log log, CommandRecord.Builder write) {
        CommandRecord.Builder[] writes = new CommandRecord.Builder[Limits.MULTI_REQUESTS_MAX];
        Arrays.fill(writes, write);
        log.append(log.next(Log.multi(writes)));
        long before = threads.getCurrentThreadAllocatedBytes();
        log.applyTo(stateMachine);
        return threads.getCurrentThreadAllocatedBytes() - before;
    }
}
