package io.dshm.server.torture;

import static io.dshm.server.torture.FaultKind.CUT;
import static io.dshm.server.torture.FaultKind.KILL;
import static io.dshm.server.torture.FaultKind.MEMORY_FULL;
import static io.dshm.server.torture.FaultKind.PAUSE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Test;

/** A short run of what {@code deploy/bin/torture} does for as long as one likes. */
class TortureIT {

    private static final Duration DURATION = Duration.ofSeconds(50);
    private static final double DEFINITE_PERCENT_MIN = 90;

    @Test
    void when_nodes_are_killed_and_paused_and_cut_off_then_no_client_sees_anything_wrong()
            throws IOException, InterruptedException {
        Optional<String> lacking = TortureRun.lacking();
        assumeTrue(lacking.isEmpty(), () -> "no torture: this machine lacks " + lacking.orElseThrow());
        Report report = TortureRun.of(ThreadLocalRandom.current().nextInt(1_000_000))
                .faults(KILL, PAUSE, CUT, MEMORY_FULL)
                .duration(DURATION)
                .out(Path.of("target/system/TortureIT"))
                .run();
        System.out.println(report.table());
        assertEquals(List.of(), report.violations());
        assertEquals(4, report.faults().size(), "every kind of fault has happened");
        assertTrue(report.definitePercent() >= DEFINITE_PERCENT_MIN, "nearly all outcomes were definite");
    }
}
