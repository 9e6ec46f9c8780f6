package io.dshm.server.torture;

import io.dshm.server.history.Action;
import io.dshm.server.history.CounterChecker;
import io.dshm.server.history.EvictionChecker;
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
        History told = new History();
        history.operations().stream()
                .filter(operation ->
                        !isOf(Workload.EVICTIONS, operation.action().key()))
                .forEach(told::add);
        List<Violation> violations = new ArrayList<>();
        history.byKey().forEach((key, operations) -> {
            List<Operation> judged = operations;
            if (isOf(Workload.EVICTIONS, key)) {
                judged = EvictionChecker.withoutMisses(operations);
                judged.forEach(told::add);
                add(EvictionChecker.checkKey(operations), violations);
            }
            if (isOf(Workload.COUNTERS, key)) {
                add(CounterChecker.checkKey(judged), violations);
            } else if (judged.stream().anyMatch(Checks::isOfTokens)) {
                add(TAKES.checkKey(judged), violations);
            } else if (judged.stream().anyMatch(Checks::isLimiter)) {
                add(LIMITERS.checkKey(judged), violations);
            }
            add(LOCAL_READS.checkKey(judged), violations);
        });
        violations.addAll(LINEARIZABILITY.check(told));
        return violations;
    }

    private static boolean isOf(Workload workload, String key) {
        return key.startsWith(workload.label());
    }

    private static boolean isOfTokens(Operation operation) {
        return operation.action() instanceof Action.OfLimit && !isLimiter(operation);
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
