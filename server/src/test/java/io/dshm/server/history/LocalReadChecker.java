package io.dshm.server.history;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Whether local reads keep what is promised: a read through a node shows every write that this node had acknowledged
 * before the read began, or something later, and never goes back in time on that node. In time n log n, for one key.
 *
 * <p>A node <i>knows</i> of a write from the moment on at which it acknowledges it, or has shown its value (also in a
 * linearizable read). What can be told about a local read that begins after that, from values that were written once:
 *
 * <ul>
 *   <li>its value was written by an operation that had not ended, or been seen, before the known write began;
 *   <li>if it finds nothing, something can have removed the entry since: a DELETE, a FLUSHALL, a deadline;
 *   <li>if the node knew of the value, no read that began after that and ended before this one saw anything else. That
 *       such a read found nothing counts on keys without deadlines only: a node hides an entry by its own estimate of the
 *       time, and may not know yet that its life was extended;
 *   <li>and the value of a counter that only grows is not below one that the node knew of.
 * </ul>
 *
 * @param slack how much more or less of the cluster clock can go by than of the clients' while an entry lives; see
 *     {@link LinearizabilityChecker}
 */
public record LocalReadChecker(Duration slack) {

    /**
     * What is wrong, or null.
     *
     * @param operations on the key, by their invocation
     */
    public @Nullable Violation checkKey(List<Operation> operations) {
        Writers writers = new Writers(operations, slack.toNanos());
        Set<String> nodes = new HashSet<>();
        for (Operation operation : operations) {
            Violation violation =
                    nodes.add(operation.node()) ? new OfNode(operation.node(), operations, writers).check() : null;
            if (violation != null) {
                return violation;
            }
        }
        return null;
    }

    private static boolean isRead(Operation operation) {
        return operation.action() instanceof Action.Get
                && (operation.result() instanceof Result.Value || operation.result() instanceof Result.NotFound);
    }

    private static boolean isLocal(Operation read) {
        return ((Action.Get) read.action()).mode() == Action.ReadMode.LOCAL;
    }

    /** What a read saw, null if nothing. */
    private static @Nullable String seen(Operation read) {
        return read.result() instanceof Result.Value value ? value.value() : null;
    }

    /** Who wrote what on this key, through all nodes. */
    private static final class Writers {
        private final Map<String, Operation> writerOf = new HashMap<>();
        private final Set<String> writtenTwice = new HashSet<>();
        private final Map<String, Long> endOf = new HashMap<>();
        private final boolean unknownSums;
        private final boolean onlyGrows;
        private final boolean hasDeadlines;
        private final long[] removalBegins;
        private final long[] removalEndsMax;

        Writers(List<Operation> operations, long slackNanos) {
            List<long[]> removals = new ArrayList<>();
            boolean unknownSums = false;
            boolean onlyGrows = true;
            for (Operation operation : operations) {
                boolean read = operation.action() instanceof Action.Get;
                onlyGrows &= read || isGrowth(operation.action());
                if (isRead(operation) && seen(operation) != null) {
                    endOf.merge(seen(operation), operation.completedNanos(), Math::min);
                } else if (!read && !(operation.result() instanceof Result.NotApplied)) {
                    unknownSums |=
                            operation.action() instanceof Action.Incr && operation.result() instanceof Result.Unknown;
                    addWriter(operation);
                    addRemoval(operation, slackNanos, removals);
                }
            }
            this.unknownSums = unknownSums;
            this.onlyGrows = onlyGrows;
            this.hasDeadlines = operations.stream().anyMatch(operation -> ttlMillis(operation.action()) > 0);
            removals.sort(Comparator.comparingLong(removal -> removal[0]));
            removalBegins = removals.stream().mapToLong(removal -> removal[0]).toArray();
            removalEndsMax = removals.stream().mapToLong(removal -> removal[1]).toArray();
            for (int i = 1; i < removalEndsMax.length; i++) {
                removalEndsMax[i] = Math.max(removalEndsMax[i], removalEndsMax[i - 1]);
            }
        }

        private static boolean isGrowth(Action action) {
            return action instanceof Action.Incr incr && incr.by() > 0 && incr.initTtlMillis() == 0;
        }

        private void addWriter(Operation operation) {
            String value = null;
            if (operation.action() instanceof Action.Set set) {
                value = set.value();
            } else if (operation.action() instanceof Action.Incr
                    && operation.result() instanceof Result.Value sum
                    && Integers.isInteger(sum.value())) {
                value = sum.value();
            }
            if (value != null) {
                endOf.merge(value, operation.completedNanos(), Math::min);
                if (writerOf.put(value, operation) != null) {
                    writtenTwice.add(value);
                }
            }
        }

        private static void addRemoval(Operation operation, long slackNanos, List<long[]> removals) {
            long ttlMillis = ttlMillis(operation.action());
            if (operation.action() instanceof Action.Delete || operation.action() instanceof Action.Flush) {
                removals.add(new long[] {operation.invokedNanos(), operation.completedNanos()});
            } else if (ttlMillis > 0) {
                long earliest = operation.invokedNanos() + Call.nanos(ttlMillis) - slackNanos;
                long latest = operation.completedNanos() + Call.nanos(ttlMillis) + slackNanos;
                removals.add(new long[] {earliest, latest < earliest ? Operation.NEVER : latest});
            }
        }

        private static long ttlMillis(Action action) {
            if (action instanceof Action.Set set) {
                return set.ttlMillis();
            } else if (action instanceof Action.Touch touch) {
                return touch.ttlMillis();
            }
            return action instanceof Action.Incr incr ? incr.initTtlMillis() : 0;
        }

        boolean isUnknown(String value) {
            return !writerOf.containsKey(value) && !(unknownSums && Integers.isInteger(value));
        }

        /** The operation that wrote this value, if that can be told. */
        @Nullable
        Operation writerOf(@Nullable String value) {
            boolean once = value != null
                    && !writtenTwice.contains(value)
                    && !(unknownSums && !onlyGrows && Integers.isInteger(value));
            return once ? writerOf.get(value) : null;
        }

        /** When that operation had taken effect at the latest. */
        long endOf(String value) {
            return endOf.getOrDefault(value, Operation.NEVER);
        }

        /** Whether something can have removed the entry that a write made which began at one instant, until another. */
        boolean canBeRemoved(long written, long until) {
            int begun = Instants.countBefore(removalBegins, until + 1);
            return begun > 0 && removalEndsMax[begun - 1] >= written;
        }
    }

    /** An operation that tells a node of a write; of a counter's value, if its write cannot be told, the read itself. */
    private record Knowledge(Operation operation, Operation write) {}

    /** What went through one node. */
    private static final class OfNode {
        private final Writers writers;
        private final List<Operation> reads = new ArrayList<>();
        private final List<Knowledge> knowledge = new ArrayList<>();
        private final Map<String, Operation> firstShown = new HashMap<>();

        OfNode(String node, List<Operation> operations, Writers writers) {
            this.writers = writers;
            for (Operation operation : operations) {
                if (operation.node().equals(node)) {
                    add(operation);
                }
            }
            knowledge.sort(Comparator.comparingLong(known -> known.operation.completedNanos()));
            for (Knowledge known : knowledge) {
                String value = valueOf(known.write);
                if (value != null) {
                    firstShown.putIfAbsent(value, known.operation);
                }
            }
        }

        private void add(Operation operation) {
            if (isRead(operation)) {
                reads.add(operation);
                Operation writer = writers.writerOf(seen(operation));
                if (writer != null) {
                    knowledge.add(new Knowledge(operation, writer));
                } else if (writers.onlyGrows && seen(operation) != null) {
                    knowledge.add(new Knowledge(operation, operation));
                }
            } else if (operation.result() instanceof Result.Value || operation.result() instanceof Result.Done) {
                if (!(operation.action() instanceof Action.Get) && !(operation.action() instanceof Action.Touch)) {
                    knowledge.add(new Knowledge(operation, operation));
                }
            }
        }

        private static @Nullable String valueOf(Operation write) {
            return write.action() instanceof Action.Set set
                    ? set.value()
                    : write.result() instanceof Result.Value sum ? sum.value() : null;
        }

        @Nullable
        Violation check() {
            Others others = new Others(
                    writers.hasDeadlines
                            ? reads.stream().filter(read -> seen(read) != null).toList()
                            : reads);
            Knowledge latest = null;
            Knowledge largest = null;
            int known = 0;
            for (Operation read : reads) {
                while (known < knowledge.size()
                        && knowledge.get(known).operation.completedNanos() < read.invokedNanos()) {
                    Knowledge next = knowledge.get(known++);
                    boolean later = latest == null || next.write.invokedNanos() > latest.write.invokedNanos();
                    latest = later && !isRead(next.write) ? next : latest;
                    largest = largest == null || number(next) > number(largest) ? next : largest;
                }
                Violation violation = isLocal(read) ? check(read, latest, largest, others) : null;
                if (violation != null) {
                    return violation;
                }
            }
            return null;
        }

        private long number(Knowledge known) {
            String value = valueOf(known.write);
            return writers.onlyGrows && value != null ? Long.parseLong(value) : 0;
        }

        private @Nullable Violation check(
                Operation read, @Nullable Knowledge latest, @Nullable Knowledge largest, Others others) {
            String value = seen(read);
            if (value != null && writers.isUnknown(value)) {
                return Violation.of("a value that nobody wrote", List.of(read));
            }
            if (value == null) {
                return latest != null && !writers.canBeRemoved(latest.write.invokedNanos(), read.completedNanos())
                        ? violation("the node knew of the write, but the last read finds nothing", latest, read)
                        : null;
            }
            Operation writer = writers.writerOf(value);
            if (writer != null && writer.invokedNanos() > read.completedNanos()) {
                return Violation.of("a value was seen before anybody sent it", List.of(writer, read));
            }
            if (writer != null && latest != null && writers.endOf(value) < latest.write.invokedNanos()) {
                return violation("the node knew of the write, but the last read shows an older one", latest, read);
            }
            if (writers.onlyGrows && largest != null && Long.parseLong(value) < number(largest)) {
                return violation("the node knew of a larger value than the last read shows", largest, read);
            }
            Operation first = firstShown.get(value);
            if (writer != null && first != null) {
                Operation other = others.firstToEnd(first.completedNanos(), value);
                if (other != null && other.completedNanos() < read.invokedNanos()) {
                    return Violation.of(
                            "the node knew of the value, then showed something else, then the value again",
                            List.of(first, other, read));
                }
            }
            return null;
        }

        private static Violation violation(String what, Knowledge known, Operation read) {
            List<Operation> evidence = new ArrayList<>(List.of(known.write, known.operation, read));
            return Violation.of(what, evidence.stream().distinct().toList());
        }
    }

    /** Finds reads that saw something else. */
    private static final class Others {
        private final List<Operation> reads;
        private final long[] begins;

        /** Of the reads from a place on, the first to end, and the first to end of those that saw something else than it. */
        private final @Nullable Operation[] first;

        private final @Nullable Operation[] second;

        Others(List<Operation> reads) {
            this.reads = reads;
            begins = reads.stream().mapToLong(Operation::invokedNanos).toArray();
            first = new Operation[reads.size() + 1];
            second = new Operation[reads.size() + 1];
            for (int i = reads.size() - 1; i >= 0; i--) {
                place(i);
            }
        }

        private void place(int i) {
            Operation read = reads.get(i);
            Operation best = first[i + 1];
            if (best == null || read.completedNanos() < best.completedNanos()) {
                first[i] = read;
                second[i] = best == null || best.result().equals(read.result()) ? second[i + 1] : best;
            } else {
                first[i] = best;
                Operation other = second[i + 1];
                boolean better = !read.result().equals(best.result())
                        && (other == null || read.completedNanos() < other.completedNanos());
                second[i] = better ? read : other;
            }
        }

        /** Of the reads that began after an instant and did not see this value, the one that ended first. */
        @Nullable
        Operation firstToEnd(long after, String value) {
            int from = Instants.countBefore(begins, after + 1);
            Operation best = first[from];
            return best != null && value.equals(seen(best)) ? second[from] : best;
        }
    }
}
