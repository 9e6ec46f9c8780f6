package io.dshm.server.history;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The plainest linearizability checker there is, for a handful of operations: it tries every order. It shares no code
 * with the real one.
 */
final class BruteForce {

    private static final long MILLI = 1_000_000;

    private final List<Operation> operations;
    private final boolean connectionOrder;

    private BruteForce(List<Operation> operations, boolean connectionOrder) {
        this.operations = operations;
        this.connectionOrder = connectionOrder;
    }

    /** @param operations on one key, by invocation; no local reads, no integers that are also SET */
    static boolean isLinearizable(List<Operation> operations, boolean connectionOrder) {
        List<Operation> relevant = operations.stream()
                .filter(operation -> !(operation.action() instanceof Action.Get) || !isUnknown(operation))
                .toList();
        return new BruteForce(relevant, connectionOrder).canGoOn(0, null, null);
    }

    /** @param done a bit for each operation; the writer is the one that has set the deadline of the entry */
    private boolean canGoOn(int done, @Nullable String value, @Nullable Operation writer) {
        if (operations.stream().noneMatch(operation -> isLeft(operation, done) && !isUnknown(operation))) {
            return true;
        }
        if (writer != null && noneEndsBefore(writer.invokedNanos() + ttl(writer), done) && canGoOn(done, null, null)) {
            return true;
        }
        for (Operation operation : operations) {
            if (isLeft(operation, done)
                    && noneEndsBefore(operation.invokedNanos(), done)
                    && !(connectionOrder && waits(operation, done))
                    && !(writer != null && operation.invokedNanos() > goneBy(writer))
                    && canComeNext(operation, done | 1 << operations.indexOf(operation), value, writer)) {
                return true;
            }
        }
        return false;
    }

    private boolean isLeft(Operation operation, int done) {
        return (done & 1 << operations.indexOf(operation)) == 0;
    }

    private static boolean isUnknown(Operation operation) {
        return operation.result() instanceof Result.Unknown;
    }

    private boolean noneEndsBefore(long instant, int done) {
        return operations.stream()
                .noneMatch(other -> isLeft(other, done) && !isUnknown(other) && other.completedNanos() < instant);
    }

    private boolean waits(Operation operation, int done) {
        return !isUnknown(operation)
                && operations.stream()
                        .limit(operations.indexOf(operation))
                        .anyMatch(other ->
                                isLeft(other, done) && !isUnknown(other) && other.client() == operation.client());
    }

    /** When the entry that this operation has written is gone at the latest. */
    private long goneBy(Operation writer) {
        long written = writer.completedNanos();
        if (writer.action() instanceof Action.Set set) {
            for (Operation other : operations) {
                boolean sees = !(other.action() instanceof Action.Set)
                        && other.result() instanceof Result.Value seen
                        && seen.value().equals(set.value());
                written = sees ? Math.min(written, other.completedNanos()) : written;
            }
        }
        return written == Operation.NEVER ? Operation.NEVER : written + ttl(writer);
    }

    private static long ttl(Operation writer) {
        if (writer.action() instanceof Action.Set set) {
            return set.ttlMillis() * MILLI;
        } else if (writer.action() instanceof Action.Touch touch) {
            return touch.ttlMillis() * MILLI;
        }
        return ((Action.Incr) writer.action()).initTtlMillis() * MILLI;
    }

    private boolean canComeNext(Operation next, int done, @Nullable String value, @Nullable Operation writer) {
        Operation opens = null;
        if (next.action() instanceof Action.Set set) {
            opens = ttl(next) > 0 ? next : null;
            return replies(next, set.value()) && canGoOn(done, set.value(), opens);
        } else if (next.action() instanceof Action.Touch) {
            opens = ttl(next) > 0 ? next : null;
            return canGoOn(done, value, value == null ? null : opens);
        } else if (next.action() instanceof Action.Incr incr) {
            if (value == null) {
                opens = ttl(next) > 0 ? next : null;
                String sum = Long.toString(incr.init() + incr.by());
                return replies(next, sum) && canGoOn(done, sum, opens);
            }
            String sum = value.startsWith("v") ? value : Long.toString(Long.parseLong(value) + incr.by());
            return replies(next, sum) && canGoOn(done, sum, writer);
        } else if (next.action() instanceof Action.Get) {
            boolean fits = value == null ? next.result() instanceof Result.NotFound : replies(next, value);
            return fits && canGoOn(done, value, writer);
        }
        return canGoOn(done, null, null);
    }

    private static boolean replies(Operation operation, String value) {
        return isUnknown(operation) || operation.result().equals(new Result.Value(value));
    }
}
