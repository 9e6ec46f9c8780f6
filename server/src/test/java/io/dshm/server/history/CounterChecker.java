package io.dshm.server.history;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Whether a counter has counted exactly: a key with INCRs by positive amounts, all with the same {@code init}, that never
 * expires and is never set or removed; and linearizable reads of it. In time n log n, however many outcomes are unknown.
 *
 * <p>Every reply says what was there before and after. So no two replies may claim the same step, what began after
 * something ended must be above it, and a sum is at most what had been asked for until its reply came. As steps do not
 * overlap, what is above them is at least their sum: a read after everything has ended shows that nothing acknowledged is
 * lost, and that no more was counted than is acknowledged or unknown.
 */
public final class CounterChecker {

    /** What an operation with a reply says of the sum: {@code before} and {@code after} it, which a read leaves as it is. */
    private record Step(Operation operation, long before, long after) {}

    private final List<Step> steps = new ArrayList<>();
    private final List<Operation> sent = new ArrayList<>();
    private @Nullable Long init;

    private CounterChecker(List<Operation> operations) {
        for (Operation operation : operations) {
            if (operation.action() instanceof Action.Incr incr) {
                require(incr.by() > 0 && incr.initTtlMillis() == 0, operation);
                require(init == null || init == incr.init(), operation);
                init = incr.init();
            } else {
                require(operation.action() instanceof Action.Get, operation);
            }
        }
        operations.forEach(this::add);
    }

    private static void require(boolean condition, Operation operation) {
        if (!condition) {
            throw new IllegalArgumentException("not for this checker: " + OperationText.write(operation));
        }
    }

    private void add(Operation operation) {
        long start = init == null ? 0 : init;
        if (operation.action() instanceof Action.Incr incr) {
            if (!(operation.result() instanceof Result.NotApplied)) {
                sent.add(operation);
            }
            if (operation.result() instanceof Result.Value value) {
                long after = Long.parseLong(value.value()) - start;
                steps.add(new Step(operation, after - incr.by(), after));
            }
        } else if (((Action.Get) operation.action()).mode() == Action.ReadMode.LINEARIZABLE) {
            if (operation.result() instanceof Result.Value value) {
                long sum = Long.parseLong(value.value()) - start;
                steps.add(new Step(operation, sum, sum));
            } else if (operation.result() instanceof Result.NotFound) {
                steps.add(new Step(operation, 0, 0));
            }
        }
    }

    /**
     * What is wrong, or null.
     *
     * @param operations on the key, by their invocation; local reads do not count
     * @throws IllegalArgumentException if it is no counter as described above
     */
    public static @Nullable Violation checkKey(List<Operation> operations) {
        CounterChecker checker = new CounterChecker(operations);
        Violation violation = checker.stepsTakenTwice();
        violation = violation == null ? checker.wentBack() : violation;
        return violation == null ? checker.wrongSums() : violation;
    }

    private @Nullable Violation stepsTakenTwice() {
        List<Step> bySum = new ArrayList<>(steps);
        bySum.removeIf(step -> step.before == step.after);
        bySum.sort(Comparator.comparingLong(Step::after));
        for (int i = 1; i < bySum.size(); i++) {
            if (bySum.get(i - 1).after > bySum.get(i).before) {
                return violation("two increments made the same step", bySum.get(i - 1), bySum.get(i));
            }
        }
        return null;
    }

    private @Nullable Violation wentBack() {
        List<Step> byEnd = new ArrayList<>(steps);
        byEnd.sort(Comparator.comparingLong(step -> step.operation.completedNanos()));
        Step highest = null;
        int ended = 0;
        for (Step step : steps) {
            while (byEnd.get(ended).operation.completedNanos() < step.operation.invokedNanos()) {
                Step other = byEnd.get(ended++);
                highest = highest == null || other.after > highest.after ? other : highest;
            }
            if (highest != null && highest.after > step.before) {
                return violation("the second operation began after the first, and is not above it", highest, step);
            }
        }
        return null;
    }

    private @Nullable Violation wrongSums() {
        PrefixSums begun = new PrefixSums(sent);
        for (Step step : steps) {
            if (step.before < 0) {
                return violation("a counter that starts with " + init + " is never there", step);
            }
            long most = begun.until(step.operation.completedNanos());
            if (step.after > most) {
                return violation("at most " + most + " had been asked for until then, but more was counted", step);
            }
        }
        return null;
    }

    private static Violation violation(String what, Step... steps) {
        return Violation.of(what, List.of(steps).stream().map(Step::operation).toList());
    }

    /** How much increments add up to. */
    private static final class PrefixSums {
        private final long[] begins;
        private final long[] sums;

        /** @param increments by their invocation */
        PrefixSums(List<Operation> increments) {
            begins = increments.stream().mapToLong(Operation::invokedNanos).toArray();
            sums = new long[begins.length + 1];
            for (int i = 0; i < begins.length; i++) {
                sums[i + 1] = sums[i] + ((Action.Incr) increments.get(i).action()).by();
            }
        }

        /** Of those that began until an instant. */
        long until(long instant) {
            return sums[Instants.countBefore(begins, instant + 1)];
        }
    }
}
