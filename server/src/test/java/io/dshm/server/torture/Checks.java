package io.dshm.server.torture;

import io.dshm.server.history.History;
import io.dshm.server.history.LinearizabilityChecker;
import io.dshm.server.history.Violation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Which checkers a history goes through. */
final class Checks {

    /** By how much a deadline may be off on the clients' clock, see {@link LinearizabilityChecker}. */
    private static final Duration SLACK = Duration.ofSeconds(1);

    private Checks() {}

    /** What is wrong with the history of one round. */
    static List<Violation> of(History history) {
        List<Violation> violations = new ArrayList<>();
        violations.addAll(new LinearizabilityChecker(SLACK, true, LinearizabilityChecker.BUDGET).check(history));
        return violations;
    }
}
