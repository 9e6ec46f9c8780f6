package io.dshm.server.torture;

import io.dshm.server.history.Action;
import io.dshm.server.history.CounterChecker;
import io.dshm.server.history.History;
import io.dshm.server.history.LimiterChecker;
import io.dshm.server.history.LinearizabilityChecker;
import io.dshm.server.history.LocalReadChecker;
import io.dshm.server.history.Operation;
import io.dshm.server.history.TakeChecker;
import io.dshm.server.history.Violation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Which checkers a history goes through. */
final class Checks {

    /** By how much a deadline may be off on the clients' clock, see {@link LinearizabilityChecker}. */
    private static final Duration SLACK = Duration.ofSeconds(1);

    private static final LinearizabilityChecker LINEARIZABILITY =
            new LinearizabilityChecker(SLACK, true, LinearizabilityChecker.BUDGET);
    private static final LimiterChecker LIMITERS = new LimiterChecker(SLACK);
    private static final TakeChecker TAKES = new TakeChecker(SLACK);
    private static final LocalReadChecker LOCAL_READS = new LocalReadChecker(SLACK);

    private Checks() {}

    /** What is wrong with the history of one round. */
    static List<Violation> of(History history) {
        List<Violation> violations = new ArrayList<>(LINEARIZABILITY.check(history));
        history.byKey().forEach((key, operations) -> {
            if (key.startsWith(Workload.COUNTERS.label())) {
                add(CounterChecker.checkKey(operations), violations);
            } else if (key.startsWith(Workload.TAKES.label())) {
                add(TAKES.checkKey(operations), violations);
            } else if (operations.stream().anyMatch(Checks::isLimiter)) {
                add(LIMITERS.checkKey(operations), violations);
            }
            add(LOCAL_READS.checkKey(operations), violations);
        });
        return violations;
    }

    private static boolean isLimiter(Operation operation) {
        return operation.action() instanceof Action.RateLimiter;
    }

    private static void add(@Nullable Violation violation, List<Violation> violations) {
        if (violation != null) {
            violations.add(violation);
        }
    }
}
