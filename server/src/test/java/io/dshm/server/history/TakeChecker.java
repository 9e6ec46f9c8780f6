package io.dshm.server.history;

import io.dshm.proto.Algorithm;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Whether a limit admitted no more than it may, and refused nothing without a reason, as far as the clients' clock can tell: a key with TAKE
 * calls of one algorithm and the same numbers, or with ACQUIRE calls of one limit and time to live, each for a holder of its own. Reads do
 * not count. In time n².
 *
 * <p>A call took effect at some instant between its begin and its end; of the cluster clock, as much time went by as of the clients', more
 * or less the slack. So of all grants that both begin and end within some time
 *
 * <ul>
 *   <li>those of a sliding log, and permits, are at most the limit for each period, a part counting as one;
 *   <li>those of GCRA are at most the burst and one, and what comes back in this time;
 *   <li>those of a fixed window are at most the limit for each window. Which window a grant is of is told by when it ends, as the reply has
 *       it.
 * </ul>
 *
 * <p>A refused call would have been too much with all that can have been taken before: unknown outcomes included. Fences rise.
 *
 * @param slack see {@link LimiterChecker}; less than a quarter of any period
 */
public record TakeChecker(Duration slack) {

    /** What is wrong, or null. */
    public @Nullable Violation checkKey(List<Operation> operations) {
        return new OfKey(operations, slack.toNanos()).check();
    }

    /** What all calls of a key have in common. Times are in nanoseconds. */
    private record Numbers(@Nullable Algorithm algorithm, long limit, long period, long burst) {

        static Numbers of(Action action) {
            if (action instanceof Action.Take take) {
                return new Numbers(take.algorithm(), take.limit(), Call.nanos(take.periodMillis()), take.burst());
            } else if (action instanceof Action.Acquire acquire) {
                return new Numbers(null, acquire.limit(), Call.nanos(acquire.ttlMillis()), 0);
            }
            throw new IllegalArgumentException("not for this checker: " + action);
        }

        boolean isGcra() {
            return algorithm == Algorithm.GCRA;
        }

        /** What can be taken at once. */
        long capacity() {
            return isGcra() ? burst + 1 : limit;
        }

        /** What may be taken within so much time. */
        long mostWithin(long nanos) {
            if (isGcra()) {
                return capacity() + nanos * limit / period;
            }
            // Where windows do not slide, one may end in it.
            return limit * (nanos / period + (algorithm == Algorithm.FIXED ? 2 : 1));
        }

        /** What is certainly there again of so many tokens so much time after the first of them was taken. */
        long backAfter(long nanos, long tokens) {
            return isGcra() ? nanos * limit / period : nanos >= period ? tokens : 0;
        }
    }

    /** One that took, or may have taken, or was refused. */
    private record Taker(Operation operation, long cost) {

        long begin() {
            return operation.invokedNanos();
        }

        long end() {
            return operation.completedNanos();
        }

        /** The words of the reply: of a TAKE whether it was admitted, what is left, and when all of it is there; of an ACQUIRE the fence. */
        long told(int word) {
            return Long.parseLong(((Result.Value) operation.result()).value().split(" ", -1)[word]);
        }

        boolean isGranted() {
            return told(0) > 0;
        }
    }

    private static final class OfKey {
        private final List<Taker> grants = new ArrayList<>();
        private final List<Taker> refused = new ArrayList<>();
        private final List<Taker> takersByEnd = new ArrayList<>();
        private final long slackNanos;
        private @Nullable Numbers common;

        /** @param operations by their invocation */
        OfKey(List<Operation> operations, long slackNanos) {
            this.slackNanos = slackNanos;
            for (Operation operation : operations) {
                if (!(operation.action() instanceof Action.Get)) {
                    add(operation);
                }
            }
            takersByEnd.addAll(grants);
            takersByEnd.sort(Comparator.comparingLong(Taker::end));
        }

        private void add(Operation operation) {
            Numbers numbers = Numbers.of(operation.action());
            if (common != null && !common.equals(numbers)) {
                throw new IllegalArgumentException("other numbers: " + OperationText.write(operation));
            }
            common = numbers;
            Taker taker = new Taker(operation, operation.action() instanceof Action.Take take ? take.cost() : 1);
            if (operation.result() instanceof Result.Unknown) {
                takersByEnd.add(taker);
            } else if (operation.result() instanceof Result.Value) {
                (taker.isGranted() ? grants : refused).add(taker);
            }
        }

        @Nullable
        Violation check() {
            Numbers numbers = common;
            if (numbers == null) {
                return null;
            }
            Violation violation = tooMany(numbers);
            if (violation == null && numbers.algorithm == Algorithm.FIXED) {
                violation = tooManyInAWindow(numbers);
            }
            if (violation == null && numbers.algorithm == null) {
                violation = fencesThatDoNotRise();
            }
            return violation == null ? refusedForNoReason(numbers) : violation;
        }

        private @Nullable Violation tooMany(Numbers numbers) {
            List<Taker> byEnd = new ArrayList<>(grants);
            byEnd.sort(Comparator.comparingLong(Taker::end));
            for (Taker first : grants) {
                long sum = 0;
                for (Taker last : byEnd) {
                    sum += last.begin() >= first.begin() ? last.cost : 0;
                    long most = numbers.mostWithin(last.end() - first.begin() + slackNanos);
                    if (last.begin() >= first.begin() && sum > most) {
                        List<Operation> evidence = byEnd.stream()
                                .filter(grant -> grant.begin() >= first.begin() && grant.end() <= last.end())
                                .map(Taker::operation)
                                .toList();
                        return Violation.of(sum + " tokens were admitted where " + most + " may be", evidence);
                    }
                }
            }
            return null;
        }

        /** The window of a grant is that of the one before, or so many later as its end is periods later. */
        private @Nullable Violation tooManyInAWindow(Numbers numbers) {
            Map<Long, List<Taker>> windows = new HashMap<>();
            long window = 0;
            long lastEnd = 0;
            for (Taker grant : grants) {
                if (grant.end() - grant.begin() > numbers.period / 8) {
                    // It does not tell precisely enough.
                    continue;
                }
                long end = grant.begin() + Call.nanos(grant.told(2));
                window += Math.round((double) (end - lastEnd) / numbers.period);
                lastEnd = end;
                List<Taker> same = windows.computeIfAbsent(window, none -> new ArrayList<>());
                same.add(grant);
                long sum = same.stream().mapToLong(Taker::cost).sum();
                if (sum > numbers.limit) {
                    return Violation.of(
                            sum + " tokens were admitted in one window",
                            same.stream().map(Taker::operation).toList());
                }
            }
            return null;
        }

        private @Nullable Violation fencesThatDoNotRise() {
            List<Taker> byEnd = new ArrayList<>(grants);
            byEnd.sort(Comparator.comparingLong(Taker::end));
            int ended = 0;
            Taker highest = null;
            Map<Long, Taker> byFence = new HashMap<>();
            for (Taker grant : grants) {
                while (ended < byEnd.size() && byEnd.get(ended).end() < grant.begin()) {
                    Taker before = byEnd.get(ended++);
                    highest = highest == null || before.told(0) > highest.told(0) ? before : highest;
                }
                Taker twin = byFence.putIfAbsent(grant.told(0), grant);
                Taker before = twin == null ? highest : twin;
                if (before != null && before.told(0) >= grant.told(0)) {
                    return Violation.of(
                            "a fence is not above an earlier one", List.of(before.operation, grant.operation));
                }
            }
            return null;
        }

        private @Nullable Violation refusedForNoReason(Numbers numbers) {
            for (Taker call : refused) {
                long sum = 0;
                boolean hasReason = call.cost > numbers.capacity();
                for (int i = takersByEnd.size() - 1; i >= 0 && !hasReason; i--) {
                    Taker taker = takersByEnd.get(i);
                    sum += taker.begin() <= call.end() ? taker.cost : 0;
                    long age = taker.end() >= call.begin() ? 0 : Math.max(0, call.begin() - taker.end() - slackNanos);
                    hasReason = sum - numbers.backAfter(age, sum) + call.cost > numbers.capacity();
                }
                if (!hasReason) {
                    return Violation.of("this was refused for no reason", List.of(call.operation));
                }
            }
            return null;
        }
    }
}
