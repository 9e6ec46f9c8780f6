package io.dshm.server.torture;

import io.dshm.server.history.Action;
import io.dshm.server.history.Operation;
import io.dshm.server.history.Result;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** Counts operations by their kind and by what is known of their outcome. Thread-safe. */
final class Tally {

    private final Map<String, Count> counts = new TreeMap<>();

    /**
     * How many operations there were.
     *
     * @param definite with an outcome that the client knows
     * @param withMajority while a majority was whole and connected, from beginning to end
     * @param definiteWithMajority both
     */
    record Count(long all, long definite, long withMajority, long definiteWithMajority) {

        Count plus(Count other) {
            return new Count(
                    all + other.all,
                    definite + other.definite,
                    withMajority + other.withMajority,
                    definiteWithMajority + other.definiteWithMajority);
        }
    }

    void count(Operation operation, boolean withMajority) {
        boolean definite = isDefinite(operation);
        Count one = new Count(1, definite ? 1 : 0, withMajority ? 1 : 0, definite && withMajority ? 1 : 0);
        synchronized (this) {
            counts.merge(kind(operation.action()), one, Count::plus);
        }
    }

    private static boolean isDefinite(Operation operation) {
        Result result = operation.result();
        // An error says nothing about a read.
        return !(result instanceof Result.Unknown)
                && !(result instanceof Result.NotApplied && operation.action() instanceof Action.Get);
    }

    private static String kind(Action action) {
        return action instanceof Action.Get get
                ? "Get " + get.mode().name().toLowerCase(Locale.ROOT)
                : action.getClass().getSimpleName();
    }

    synchronized Map<String, Count> byKind() {
        return new TreeMap<>(counts);
    }

    synchronized Count total() {
        return counts.values().stream().reduce(new Count(0, 0, 0, 0), Count::plus);
    }
}
