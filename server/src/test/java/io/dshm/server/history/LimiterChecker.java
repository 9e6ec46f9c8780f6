package io.dshm.server.history;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * Whether a rate limiter granted what it must and nothing more, as far as the clients' clock can tell: a key with
 * RATE_LIMITER calls of one capacity and duration, and linearizable reads of it. In time n log n.
 *
 * <p>A limiter counts by the cluster clock: a grant is in the window for one duration. By the clients' clock it
 * certainly still is until the duration less the slack is over, and certainly is not any more after the duration and
 * the slack. Every reply tells how many grants are in the window at its moment: a grant with {@code left} tokens that
 * there were {@code capacity - left - 1} before it, a refusal that there were {@code capacity}. So
 *
 * <ul>
 *   <li>no more than {@code capacity} grants may both begin and end within the duration less the slack;
 *   <li>a reply may not tell less than the grants that are certainly in its window: acknowledged, ended before the call
 *       began, and begun so late that they still count when it ends;
 *   <li>nor more than those that can be, unknown outcomes included: so a call is refused only for a reason.
 * </ul>
 *
 * @param slack how much more or less of the cluster clock can go by than of the clients' within a duration; see {@link
 *     LinearizabilityChecker}
 */
public record LimiterChecker(Duration slack) {

    /**
     * What is wrong, or null.
     *
     * @param operations on the key, by their invocation; local reads do not count
     * @throws IllegalArgumentException if it is no limiter as described above
     */
    public @Nullable Violation checkKey(List<Operation> operations) {
        return new OfKey(operations, slack.toNanos()).check();
    }

    private static final class OfKey {
        private final List<Operation> replies = new ArrayList<>();
        private final List<Operation> grants = new ArrayList<>();
        private final List<Operation> takers = new ArrayList<>();
        private final long slackNanos;
        private int capacity;
        private long durationNanos;

        OfKey(List<Operation> operations, long slackNanos) {
            this.slackNanos = slackNanos;
            Action.RateLimiter first = null;
            for (Operation operation : operations) {
                if (operation.action() instanceof Action.RateLimiter call) {
                    if (first != null && !call.equals(first)) {
                        throw notForThis(operation);
                    }
                    first = call;
                    addCall(operation);
                } else if (operation.action() instanceof Action.Get get) {
                    boolean told =
                            operation.result() instanceof Result.Value || operation.result() instanceof Result.NotFound;
                    if (get.mode() == Action.ReadMode.LINEARIZABLE && told) {
                        replies.add(operation);
                    }
                } else if (!(operation.action() instanceof Action.Touch)) {
                    throw notForThis(operation);
                }
            }
            if (first != null) {
                capacity = first.capacity();
                durationNanos = Call.nanos(first.durationMillis());
            }
        }

        private static IllegalArgumentException notForThis(Operation operation) {
            return new IllegalArgumentException("not for this checker: " + OperationText.write(operation));
        }

        private void addCall(Operation operation) {
            if (operation.result() instanceof Result.Value) {
                replies.add(operation);
                if (tokens(operation) >= 0) {
                    grants.add(operation);
                    takers.add(operation);
                }
            } else if (operation.result() instanceof Result.Unknown) {
                takers.add(operation);
            }
        }

        /** The number that was replied; -1 is a refusal. */
        private static long tokens(Operation operation) {
            return Long.parseLong(((Result.Value) operation.result()).value());
        }

        @Nullable
        Violation check() {
            Violation violation = tooManyInOneWindow();
            return violation == null ? wrongCounts() : violation;
        }

        private @Nullable Violation tooManyInOneWindow() {
            List<Operation> byEnd = new ArrayList<>(grants);
            byEnd.sort(Comparator.comparingLong(Operation::completedNanos));
            int ended = 0;
            List<Operation> within = new ArrayList<>();
            for (Operation first : grants) {
                // From the begin of this one on, and ended before it is out of the window.
                long until = first.invokedNanos() + durationNanos - slackNanos;
                while (ended < byEnd.size() && byEnd.get(ended).completedNanos() < until) {
                    within.add(byEnd.get(ended++));
                }
                within.removeIf(grant -> grant.invokedNanos() < first.invokedNanos());
                if (within.size() > capacity) {
                    return Violation.of(within.size() + " grants in one window", List.copyOf(within));
                }
            }
            return null;
        }

        private @Nullable Violation wrongCounts() {
            long[] grantBegins = sorted(grants, Operation::invokedNanos);
            long[] grantEnds = sorted(grants, Operation::completedNanos);
            long[] begins = sorted(takers, Operation::invokedNanos);
            long[] ends = sorted(takers, Operation::completedNanos);
            for (Operation reply : replies) {
                boolean took = reply.action() instanceof Action.RateLimiter && tokens(reply) >= 0;
                long told = told(reply);
                // Those that ended before, without those that may have left the window: a few too many are left out.
                int least = Instants.countBefore(grantEnds, reply.invokedNanos())
                        - Instants.countBefore(grantBegins, reply.completedNanos() - durationNanos + slackNanos + 1);
                int most = Instants.countBefore(begins, reply.completedNanos() + 1)
                        - Instants.countBefore(ends, reply.invokedNanos() - durationNanos - slackNanos)
                        - (took ? 1 : 0);
                if (told < least || told > most || told > capacity || told < 0) {
                    String what = "this tells of " + told + " grants in the window, but there must be "
                            + Math.max(0, least) + " at least and can be " + Math.min(most, capacity) + " at most";
                    return Violation.of(what, List.of(reply));
                }
            }
            return null;
        }

        /** How many grants were in the window when this took effect. */
        private long told(Operation reply) {
            if (reply.action() instanceof Action.Get) {
                return reply.result() instanceof Result.NotFound ? 0 : capacity - tokens(reply);
            }
            return tokens(reply) < 0 ? capacity : capacity - tokens(reply) - 1;
        }

        private static long[] sorted(List<Operation> operations, ToLongFunction<Operation> instant) {
            return operations.stream().mapToLong(instant).sorted().toArray();
        }
    }
}
