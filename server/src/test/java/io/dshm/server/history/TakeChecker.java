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
 * Whether a limit admitted no more than it may, and refused nothing without a reason, as far as the clients' clock can tell: a key whose calls all
 * name one algorithm and the same numbers, or ACQUIRE calls of one limit and time to live, each for a holder of its own. Holds and holders' names
 * are of one reservation and one share each. Reads do not count. In time n².
 *
 * <p>A call took effect at some instant between its begin and its end; of the cluster clock, as much time went by as of the clients', more
 * or less the slack. So of all grants that both begin and end within some time, less all that may have been given back within it
 *
 * <ul>
 *   <li>those of a sliding log, and permits, are at most the limit for each period, a part counting as one;
 *   <li>those of GCRA and of a leaky bucket are at most the burst and one, and what comes back in this time;
 *   <li>those of a sliding counter are at most the limit, and as much again for each period: the window before weighs less, the
 *       further the present one has come. Its weight is rounded: one token more for each window;
 *   <li>those of a fixed window are at most the limit for each window. Where windows end, all replies together tell.
 * </ul>
 *
 * <p>Given back are refunds, what a reservation cost less than it held, what is returned of a share, and permits. It does not matter what a
 * holder does with its share, nor which of the tokens of a limit come back first: what is admitted counts from then on for a period, or
 * comes back by itself no earlier. A take with {@code share}, which a node may decide by itself, is judged as any other.
 *
 * <p>A refused call would have been too much with all that can have been taken before: unknown outcomes included, and nothing given back.
 * Keys with shares aside: tokens in a share are not there for others, whoever has it. Fences rise.
 *
 * <p>Each take of a {@link Action.TakeAll} is one for itself: granted if all were, refused if it was one that refused, not applied if
 * only others did. One that was charged where another refused leaves less for others than there is.
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

        static Numbers of(Action.Take take) {
            return new Numbers(take.algorithm(), take.limit(), Call.nanos(take.periodMillis()), take.burst());
        }

        /** Of the calls that name any. */
        static @Nullable Numbers of(Action action) {
            if (action instanceof Action.Take take) {
                return of(take);
            } else if (action instanceof Action.Reserve reserve) {
                return of(reserve.take());
            } else if (action instanceof Action.Grant grant) {
                return of(grant.take());
            } else if (action instanceof Action.Acquire acquire) {
                return new Numbers(null, acquire.limit(), Call.nanos(acquire.ttlMillis()), 0);
            } else if (action instanceof Action.OfLimit && !(action instanceof Action.RateLimiter)) {
                return null;
            }
            throw new IllegalArgumentException("not for this checker: " + action);
        }

        boolean comesBackSteadily() {
            return algorithm == Algorithm.GCRA || algorithm == Algorithm.LEAKY;
        }

        /** What can be taken at once. */
        long capacity() {
            return comesBackSteadily() ? burst + 1 : limit;
        }

        /** What may be taken within so much time. */
        long mostWithin(long nanos) {
            long periods = nanos / period;
            if (comesBackSteadily()) {
                return capacity() + nanos * limit / period;
            } else if (algorithm == Algorithm.COUNTER) {
                return limit + nanos * limit / period + periods + 2;
            }
            // Where windows do not slide, one may end in it.
            return limit * (periods + (algorithm == Algorithm.FIXED ? 2 : 1));
        }

        /** What is certainly there again of so many tokens so much time after the first of them was taken. */
        long backAfter(long nanos, long tokens) {
            if (comesBackSteadily()) {
                return nanos * limit / period;
            }
            return nanos >= (algorithm == Algorithm.COUNTER ? 2 : 1) * period ? tokens : 0;
        }
    }

    /**
     * One that took, or may have taken, or was refused, or gave back.
     *
     * @param last when the tokens may have become used at the latest
     */
    private record Taker(Operation operation, long cost, long last) {

        Taker(Operation operation, long cost) {
            this(operation, cost, operation.completedNanos());
        }

        long begin() {
            return operation.invokedNanos();
        }

        long end() {
            return operation.completedNanos();
        }

        /**
         * The words of the reply: of a TAKE or RESERVE whether it was admitted, what is left, and when all of it is there; of an ACQUIRE the
         * fence; of a GRANT the tokens.
         */
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
        private final List<Taker> backs = new ArrayList<>();
        private final List<Taker> takersByEnd = new ArrayList<>();
        private final Map<String, Long> reserved = new HashMap<>();
        private final long slackNanos;
        private @Nullable Numbers common;
        private boolean hasShares;

        /** @param operations by their invocation */
        OfKey(List<Operation> operations, long slackNanos) {
            this.slackNanos = slackNanos;
            for (Operation operation : operations) {
                if (operation.action() instanceof Action.Reserve reserve) {
                    reserved.put(reserve.hold(), reserve.take().cost());
                }
            }
            for (Operation operation : operations) {
                if (!(operation.action() instanceof Action.Get)) {
                    Numbers numbers = Numbers.of(operation.action());
                    if (common != null && numbers != null && !common.equals(numbers)) {
                        throw new IllegalArgumentException("other numbers: " + OperationText.write(operation));
                    }
                    common = numbers == null ? common : numbers;
                    add(operation);
                }
            }
            takersByEnd.addAll(grants);
            takersByEnd.sort(Comparator.comparingLong(Taker::last));
        }

        private void add(Operation operation) {
            Action action = operation.action();
            if (operation.result() instanceof Result.NotApplied) {
                return;
            }
            if (action instanceof Action.Take take) {
                hasShares |= take.share();
                if (take.cost() < 0) {
                    backs.add(new Taker(operation, -take.cost()));
                } else {
                    addTaker(new Taker(operation, take.cost()));
                }
            } else if (action instanceof Action.Reserve reserve) {
                addTaker(new Taker(operation, reserve.take().cost(), after(operation, reserve.ttlMillis())));
            } else if (action instanceof Action.Settle settle) {
                long less = reserved.getOrDefault(settle.hold(), 0L) - settle.cost();
                (less >= 0 ? backs : takersByEnd).add(new Taker(operation, Math.abs(less)));
            } else if (action instanceof Action.Grant grant) {
                hasShares = true;
                boolean isTold = operation.result() instanceof Result.Value;
                Taker asked = new Taker(operation, grant.take().cost());
                addTaker(isTold ? new Taker(operation, asked.told(0)) : asked);
            } else if (action instanceof Action.Return giveBack) {
                backs.add(new Taker(operation, giveBack.unused()));
            } else if (action instanceof Action.Release) {
                backs.add(new Taker(operation, 1));
            } else {
                addTaker(new Taker(operation, 1));
            }
        }

        private static long after(Operation operation, long millis) {
            long end = operation.completedNanos();
            return end == Operation.NEVER ? end : end + Call.nanos(millis);
        }

        private void addTaker(Taker taker) {
            if (taker.operation.result() instanceof Result.Unknown) {
                takersByEnd.add(taker);
            } else if (taker.operation.result() instanceof Result.Value) {
                (taker.isGranted() ? grants : refused).add(taker);
            }
        }

        /** What may have been given back in that time. */
        private long backWithin(long from, long to) {
            return backs.stream()
                    .filter(back -> back.begin() <= to && back.end() >= from)
                    .mapToLong(Taker::cost)
                    .sum();
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
            return violation == null && !hasShares ? refusedForNoReason(numbers) : violation;
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
                        most += backWithin(first.begin(), last.end());
                    }
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

        /** Only grants that are in one window for certain. */
        private @Nullable Violation tooManyInAWindow(Numbers numbers) {
            long period = numbers.period;
            long anchor = 0;
            long atLeast = 0;
            long atMost = 0;
            boolean isTold = false;
            for (List<Taker> replies : List.of(grants, refused)) {
                for (Taker reply : replies) {
                    long end = reply.begin() + Call.nanos(reply.told(2));
                    // Where a share decides, it tells the period. Where nothing is used, there is nothing to wait for.
                    boolean tells = reply.told(2) > 0 && Call.nanos(reply.told(2)) < period;
                    if (tells && !isTold) {
                        isTold = true;
                        anchor = end;
                        atMost = reply.end() - reply.begin();
                    } else if (tells) {
                        long earliest = Math.floorMod(end - anchor + period / 2, period) - period / 2;
                        atLeast = Math.max(atLeast, earliest);
                        atMost = Math.min(atMost, earliest + reply.end() - reply.begin());
                    }
                }
            }
            // If they contradict each other, the cluster clock was not as even as the clients': somewhere in between.
            long margin = slackNanos / 4;
            long earliestEnd = anchor + Math.min(atLeast, atMost) - margin;
            long latestEnd = anchor + Math.max(atLeast, atMost) + margin;
            Map<Long, List<Taker>> windows = new HashMap<>();
            for (Taker grant : isTold ? grants : List.<Taker>of()) {
                long window = Math.floorDiv(grant.begin() - latestEnd, period);
                if (grant.end() <= earliestEnd + (window + 1) * period) {
                    windows.computeIfAbsent(window, none -> new ArrayList<>()).add(grant);
                }
            }
            for (List<Taker> same : windows.values()) {
                long sum = same.stream().mapToLong(Taker::cost).sum();
                long until = same.stream().mapToLong(Taker::end).max().orElse(0);
                if (sum > numbers.limit + backWithin(same.get(0).begin(), until)) {
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
                    long age = Math.max(0, call.begin() - Math.min(call.begin(), taker.last()) - slackNanos);
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
