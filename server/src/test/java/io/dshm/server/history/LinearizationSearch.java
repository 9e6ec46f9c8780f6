package io.dshm.server.history;

import io.dshm.server.history.Call.Kind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * Looks for one order of the calls on a key, in which each takes effect within its time and has its result. If there is
 * none, the store was not linearizable.
 *
 * <p><b>How it works.</b> Depth first (Wing and Gong), with a memory of the configurations that led nowhere (Lowe). A
 * configuration is what has been put in order so far, and the entry that this leaves. The next call can be any that
 * begins before all others that are left have ended. What makes it fast enough:
 *
 * <ul>
 *   <li><i>Reads at once.</i> A read that fits the entry as it is, and has begun, comes next, without alternatives: it
 *       changes nothing, so any order in which it comes later is still one with it here.
 *   <li><i>No value is left behind.</i> A value that nobody writes any more is not overwritten, and does not expire, while a
 *       read of it is left.
 *   <li><i>Counters.</i> One that only grows does not grow beyond the least result that is left.
 *   <li><i>Whole blocks.</i> Where neither sums nor deadlines matter, and no read of the current value is left: if a
 *       SET can be put in order together with all reads of its value, then it is, without alternatives. In any order that
 *       goes on from here, this block can be moved to the front: nothing depends on the value that it follows here, and
 *       what came after it there was an overwriting call, or nothing.
 *   <li><i>Optional calls only if of use.</i> Between an optional call and the next one that makes its effect undone comes a
 *       call whose result depends on it: otherwise there is the same order without it. An optional SET or removal is undone
 *       by what overwrites, an optional INCR also by expiring. An optional TOUCH comes only when the entry would have to
 *       expire. Of optional calls that do the same, the first goes first, for it can be wherever another could; and a
 *       configuration is no better than another one that is equal but for having used up fewer of them.
 *   <li><i>Removals are all alike.</i> Of those that can come next, the one that ends first does.
 *   <li><i>What is urgent first.</i> The call that ends first, or what it waits for, is tried before all others. In a correct
 *       history this hardly ever has to be taken back.
 * </ul>
 *
 * <p><b>Time to live.</b> A call that gives the entry a deadline opens a <i>generation</i>, which knows from when on the
 * entry can expire and when it has at the latest ({@link Call#expiresFrom}, {@link Call#expiresTo}). Expiring is a step
 * of the search like a call: it must come before any call that begins after the latest instant, and cannot come before a
 * call that ended before the earliest one. It concerns the current generation only: SET and TOUCH open another one, INCR
 * keeps it.
 *
 * <p>The memory keeps 128 bits of hash for a configuration: two that collide would turn a pass into a failure, never a
 * failure into a pass, and not before the universe ends.
 */
final class LinearizationSearch {

    private static final int EXPIRE = -1;
    private static final int NO_GENERATION = -1;

    /** A value that entries can have, or the absence of an entry. */
    private static final class Value {
        final @Nullable String text;
        final boolean isInteger;
        final long number;
        final long high;
        final long low;
        int readsLeft;
        int setsLeft;

        Value(@Nullable String text, SplittableRandom random) {
            this.text = text;
            this.isInteger = text != null && Integers.isInteger(text);
            this.number = text == null ? 0 : Integers.parse(text).orElse(0);
            this.high = random.nextLong();
            this.low = random.nextLong();
        }

        boolean isAbsence() {
            return text == null;
        }
    }

    /** What optional calls have done since the last call whose result would have shown it. */
    private enum Unseen {
        NOTHING,
        OVERWRITTEN,
        ADDED
    }

    /** Where the search can come back to: a configuration, and the steps that can be tried from it. */
    private record Branch(Value value, int generation, Unseen unseen, long high, long low, int trail, Steps steps) {}

    /** Steps that are left to try. */
    private static final class Steps {
        private final List<Integer> steps;
        private int next;

        Steps(List<Integer> steps) {
            this.steps = steps;
        }

        boolean isEmpty() {
            return next == steps.size();
        }

        int next() {
            return steps.get(next++);
        }

        void giveUp() {
            next = steps.size();
        }
    }

    private final KeyCalls key;
    private final long slackNanos;
    private final int budget;

    /** Certain calls, then optional ones; a call's number is its place here. */
    private final List<Call> calls = new ArrayList<>();

    private final int certain;
    private final EventList events;
    private final CallOrder order;
    private final boolean[] taken;

    /** Of a counter that only grows: certain calls by the value that they saw or made. Empty otherwise. */
    private final List<Integer> byResult;

    /** All before this place in {@link #byResult} are taken. */
    private int firstResult;

    private final int[] placeOf;

    /** Numbers of optional calls that do the same. The step of the first unused one of group g is {@code -2 - g}. */
    private final List<List<Integer>> groups = new ArrayList<>();

    private final int[] used;
    private final SplittableRandom random = new SplittableRandom(1);
    private final Map<String, Value> values = new HashMap<>();
    private final Value absence = new Value(null, random);
    private final List<Value> valueOf = new ArrayList<>();
    private final long[] highOf;
    private final long[] lowOf;
    private final VisitedSet visited = new VisitedSet();

    // The configuration, beside events, taken, used and the counts of values, which the trail can undo.
    private Value value = absence;
    private int generation = NO_GENERATION;

    private Unseen unseen = Unseen.NOTHING;
    private long high;
    private long low;
    private final Deque<Integer> trail = new ArrayDeque<>();

    // How far it got, for the message of a failure.
    private int furthest = -1;
    private int stuckCall;
    private Value stuckValue = absence;

    /** @param budget configurations to visit at most */
    LinearizationSearch(KeyCalls key, boolean connectionOrder, long slackNanos, int budget) {
        this.key = key;
        this.slackNanos = slackNanos;
        this.budget = budget;
        calls.addAll(key.certain);
        calls.addAll(key.optional);
        certain = key.certain.size();
        events = new EventList(key.certain);
        order = new CallOrder(key.certain, connectionOrder);
        taken = new boolean[calls.size()];
        highOf = random.longs(certain).toArray();
        lowOf = random.longs(certain).toArray();
        Map<Object, List<Integer>> groupOf = new HashMap<>();
        for (int i = 0; i < calls.size(); i++) {
            Call call = calls.get(i);
            valueOf.add(valueOf(call.value()));
            count(i, 1);
            if (i >= certain) {
                Object same = call.kind() == Kind.REMOVE
                        ? Kind.REMOVE
                        : call.operation().action();
                groupOf.computeIfAbsent(same, absent -> newGroup()).add(i);
            }
        }
        used = new int[groups.size()];
        byResult = key.onlyGrows ? callsByResult() : List.of();
        placeOf = new int[certain];
        for (int i = 0; i < byResult.size(); i++) {
            placeOf[byResult.get(i)] = i;
        }
    }

    private List<Integer> callsByResult() {
        List<Integer> sorted = new ArrayList<>();
        for (int i = 0; i < certain; i++) {
            if (calls.get(i).value() != null) {
                sorted.add(i);
            }
        }
        sorted.sort(Comparator.comparingLong(i -> valueOf.get(i).number));
        return sorted;
    }

    private List<Integer> newGroup() {
        List<Integer> group = new ArrayList<>();
        groups.add(group);
        return group;
    }

    private Value valueOf(@Nullable String text) {
        return text == null ? absence : values.computeIfAbsent(text, absent -> new Value(text, random));
    }

    /** What is wrong, or null if the calls are linearizable. */
    @Nullable
    Violation run() {
        Deque<Branch> branches = new ArrayDeque<>();
        takeFittingReads();
        branches.push(branch());
        int visits = 0;
        while (!events.isEmpty()) {
            Branch last = branches.getFirst();
            comeBackTo(last);
            if (last.steps.isEmpty()) {
                branches.pop();
                if (branches.isEmpty()) {
                    return violation();
                }
                continue;
            }
            int step = last.steps.next();
            take(step);
            if (++visits > budget) {
                return undecided(visits);
            }
            if (takeFittingReads()) {
                unseen = Unseen.NOTHING;
            }
            if (isWholeBlock(last, step)) {
                last.steps.giveUp();
            }
            if (!events.isEmpty() && visited.add(configurationHigh(), configurationLow(), used)) {
                branches.push(branch());
            }
        }
        return null;
    }

    private boolean isWholeBlock(Branch before, int step) {
        return !key.sums
                && !key.deadlines
                && step >= 0
                && calls.get(step).kind() == Kind.SET
                && before.value.readsLeft == 0
                && value.readsLeft == 0;
    }

    private Branch branch() {
        if (trail.size() > furthest) {
            furthest = trail.size();
            stuckCall = events.isEmpty() ? 0 : events.firstToEnd();
            stuckValue = value;
        }
        Steps steps = new Steps(events.isEmpty() ? List.of() : steps());
        return new Branch(value, generation, unseen, high, low, trail.size(), steps);
    }

    private void comeBackTo(Branch branch) {
        while (trail.size() > branch.trail) {
            int call = trail.pop();
            taken[call] = false;
            count(call, 1);
            if (call < certain) {
                events.putBack(call);
                firstResult = Math.min(firstResult, placeOf[call]);
            } else {
                used[groupOf(call)]--;
            }
        }
        value = branch.value;
        generation = branch.generation;
        unseen = branch.unseen;
        high = branch.high;
        low = branch.low;
    }

    private int groupOf(int call) {
        for (int group = 0; group < used.length; group++) {
            if (used[group] > 0 && groups.get(group).get(used[group] - 1) == call) {
                return group;
            }
        }
        throw new IllegalStateException("not used: " + calls.get(call));
    }

    /** The steps from here that are worth a try, the most promising first. */
    private List<Integer> steps() {
        int urgent = events.firstToEnd();
        long end = calls.get(urgent).to();
        boolean absenceIsUrgent =
                calls.get(urgent).kind() == Kind.READ && valueOf.get(urgent).isAbsence();
        List<Integer> steps = certainSteps(urgent, Math.min(end, expiresTo()));
        if (generation != NO_GENERATION && calls.get(generation).expiresFrom(slackNanos) <= end && canBeLeft(absence)) {
            steps.add(absenceIsUrgent ? 0 : steps.size(), EXPIRE);
        }
        for (int group = 0; group < used.length; group++) {
            List<Integer> members = groups.get(group);
            if (used[group] < members.size()) {
                int call = members.get(used[group]);
                if (calls.get(call).from() <= Math.min(end, expiresTo()) && fits(call) && isOfUse(call, end)) {
                    steps.add(-2 - group);
                }
            }
        }
        return steps;
    }

    private List<Integer> certainSteps(int urgent, long end) {
        List<Integer> steps = new ArrayList<>();
        for (int node = events.first(); events.isBegin(node); node = events.after(node)) {
            Call call = calls.get(node);
            if (call.from() <= end
                    && !call.changesNothing()
                    && order.canComeNext(node, taken)
                    && (unseen == Unseen.NOTHING || !overwrites(call))
                    && fits(node)) {
                steps.add(node);
            }
        }
        steps.sort(Comparator.<Integer>comparingInt(step -> serves(step, urgent) ? 0 : 1)
                .thenComparingLong(step -> calls.get(step).to()));
        boolean removes = false;
        for (int i = 0; i < steps.size(); i++) {
            int call = steps.get(i);
            if (calls.get(call).kind() == Kind.REMOVE) {
                if (removes && !order.isFollowed(call)) {
                    steps.remove(i--);
                }
                removes = true;
            }
        }
        return steps;
    }

    private boolean serves(int call, int urgent) {
        return call == urgent || valueAfter(call) == needs(urgent);
    }

    /** What the entry must be for a call to have its result, or null if any value will do, or several. */
    private @Nullable Value needs(int number) {
        Call call = calls.get(number);
        if (call.kind() == Kind.READ) {
            return valueOf.get(number);
        } else if (call.kind() != Kind.INCR) {
            return null;
        }
        long before = valueOf.get(number).number - call.by();
        return before == call.init() ? absence : valueOf(Long.toString(before));
    }

    private static boolean overwrites(Call call) {
        return call.kind() == Kind.SET || call.kind() == Kind.REMOVE;
    }

    /** Whether an optional call is good for anything here, before the first of the others ends. */
    private boolean isOfUse(int call, long end) {
        return switch (calls.get(call).kind()) {
            case SET -> unseen == Unseen.NOTHING;
            case REMOVE -> unseen == Unseen.NOTHING && !value.isAbsence();
            case TOUCH -> expiresTo() < end;
            default -> true;
        };
    }

    /** Whether a call can have had its result here, and may end what is here. */
    private boolean fits(int call) {
        Value after = valueAfter(call);
        return after != null && canBeLeft(after) && !passesResult(call, after);
    }

    /** Whether a counter that only grows would grow beyond what another call still has to see or make. */
    private boolean passesResult(int call, Value after) {
        if (!key.onlyGrows) {
            return false;
        }
        while (firstResult < byResult.size() && taken[byResult.get(firstResult)]) {
            firstResult++;
        }
        if (firstResult == byResult.size()) {
            return false;
        }
        int next = byResult.get(firstResult);
        long result = valueOf.get(next).number;
        return next != call && (calls.get(next).kind() == Kind.READ ? result < after.number : result <= after.number);
    }

    private boolean canBeLeft(Value after) {
        boolean comesBack = value.setsLeft > 0 || key.sums && value.isInteger;
        return after == value || value.isAbsence() || value.readsLeft == 0 || comesBack;
    }

    /** The entry's value after a call, or null if the call cannot have had its result here. */
    private @Nullable Value valueAfter(int number) {
        Call call = calls.get(number);
        return switch (call.kind()) {
            case READ -> value == valueOf.get(number) ? value : null;
            case OVERFLOW -> sum(call) == null && (value.isAbsence() || value.isInteger) ? value : null;
            case SET -> valueOf.get(number);
            case REMOVE -> absence;
            case TOUCH -> value;
            case INCR -> {
                Value sum = sum(call);
                yield call.value() == null || sum == valueOf.get(number) ? sum : null;
            }
        };
    }

    private @Nullable Value sum(Call call) {
        long number = value.isAbsence() ? call.init() : value.number;
        boolean adds = value.isAbsence() || value.isInteger;
        return adds && !Integers.overflows(number, call.by()) ? valueOf(Long.toString(number + call.by())) : null;
    }

    private long expiresTo() {
        return generation == NO_GENERATION
                ? Operation.NEVER
                : calls.get(generation).expiresTo(slackNanos);
    }

    private void take(int step) {
        if (step == EXPIRE) {
            become(absence, NO_GENERATION);
            unseen = Unseen.NOTHING;
            return;
        }
        int number = step;
        if (step < EXPIRE) {
            int group = -2 - step;
            number = groups.get(group).get(used[group]);
            used[group]++;
        }
        Call call = calls.get(number);
        unseen = unseenAfter(call, step < EXPIRE);
        Value after = valueAfter(number);
        if (after == null) {
            throw new IllegalStateException("does not fit: " + call);
        }
        int opened = call.ttlMillis() == 0 ? NO_GENERATION : number;
        boolean opens = switch (call.kind()) {
            case READ, OVERFLOW -> false;
            case SET, REMOVE -> true;
            case TOUCH -> !value.isAbsence();
            case INCR -> value.isAbsence();
        };
        putInOrder(number);
        become(after, opens ? opened : generation);
    }

    private Unseen unseenAfter(Call call, boolean optional) {
        if (call.kind() == Kind.TOUCH) {
            return unseen == Unseen.ADDED ? Unseen.ADDED : Unseen.NOTHING;
        }
        if (!optional) {
            return Unseen.NOTHING;
        }
        return overwrites(call) ? Unseen.OVERWRITTEN : Unseen.ADDED;
    }

    private void become(Value newValue, int newGeneration) {
        value = newValue;
        generation = newGeneration;
    }

    private void putInOrder(int number) {
        trail.push(number);
        taken[number] = true;
        count(number, -1);
        if (number < certain) {
            events.take(number);
            high ^= highOf[number];
            low ^= lowOf[number];
        }
    }

    private void count(int number, int change) {
        Call call = calls.get(number);
        if (call.kind() == Kind.READ) {
            valueOf.get(number).readsLeft += change;
        } else if (call.kind() == Kind.SET) {
            valueOf.get(number).setsLeft += change;
        }
    }

    private boolean takeFittingReads() {
        boolean any = false;
        int node = events.first();
        long end = expiresTo();
        while (!events.isEmpty() && events.isBegin(node)) {
            boolean fits = calls.get(node).changesNothing()
                    && calls.get(node).from() <= end
                    && order.canComeNext(node, taken)
                    && valueAfter(node) != null;
            if (fits) {
                putInOrder(node);
                any = true;
                node = events.first();
            } else {
                node = events.after(node);
            }
        }
        return any;
    }

    private long configurationHigh() {
        return high ^ value.high ^ 0x9E3779B97F4A7C15L * (3L * generation + unseen.ordinal());
    }

    private long configurationLow() {
        return low ^ value.low ^ 0xC2B2AE3D27D4EB4FL * (3L * generation + unseen.ordinal());
    }

    private Violation undecided(int visits) {
        return new Violation(
                true,
                "the search gave up after " + visits
                        + " configurations, and knows of neither an order nor that there is" + " none; " + whereStuck(),
                evidence());
    }

    private Violation violation() {
        return Violation.of("no order of the operations explains their results; " + whereStuck(), evidence());
    }

    private String whereStuck() {
        return "the longest order has " + furthest + " of " + calls.size() + " operations and leaves "
                + (stuckValue.isAbsence() ? "no entry" : "the value " + stuckValue.text)
                + ", where the first operation below cannot follow";
    }

    /** The call that could not follow, and what went on at that time. */
    private List<Operation> evidence() {
        Operation stuck = calls.get(stuckCall).operation();
        List<Operation> evidence = new ArrayList<>();
        evidence.add(stuck);
        calls.stream()
                .map(Call::operation)
                .filter(other -> other != stuck
                        && other.invokedNanos() <= stuck.completedNanos()
                        && other.completedNanos() >= stuck.invokedNanos())
                .limit(20)
                .forEach(evidence::add);
        return evidence;
    }
}
