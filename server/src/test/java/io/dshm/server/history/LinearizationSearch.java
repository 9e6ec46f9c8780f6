package io.dshm.server.history;

import io.dshm.server.history.Call.Kind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
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

    /** The step of expiring; other steps are the numbers of calls. */
    private static final int EXPIRE = -1;

    /** Where the search can come back to: a configuration, and the steps that can be tried from it. */
    private record Branch(KeyState.Entry entry, long high, long low, int ordered, Steps steps) {}

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
    private final int budget;

    /** Certain calls, then optional ones; a call's number is its place here. */
    private final List<Call> calls = new ArrayList<>();

    private final int certain;
    private final EventList events;
    private final CallOrder order;
    private final OptionalCalls optional;
    private final KeyState state;
    private final @Nullable ResultsLeft results;
    private final VisitedSet visited = new VisitedSet();

    /** The calls that are in order, the last one first. */
    private final Deque<Integer> ordered = new ArrayDeque<>();

    private final boolean[] taken;

    // A hash of the certain calls among them: the exclusive or of these.
    private final long[] highOf;
    private final long[] lowOf;
    private long high;
    private long low;

    // How far it got, for the message of a failure.
    private int furthest = -1;
    private int stuckCall;
    private KeyState.Value stuckValue;

    /** @param budget configurations to visit at most */
    LinearizationSearch(KeyCalls key, boolean connectionOrder, long slackNanos, int budget) {
        this.key = key;
        this.budget = budget;
        calls.addAll(key.certain);
        calls.addAll(key.optional);
        certain = key.certain.size();
        events = new EventList(key.certain);
        order = new CallOrder(key.certain, connectionOrder);
        optional = new OptionalCalls(calls, certain);
        state = new KeyState(calls, key.sums, slackNanos);
        results = key.onlyGrows ? new ResultsLeft(key.certain, state) : null;
        taken = new boolean[calls.size()];
        SplittableRandom random = new SplittableRandom(1);
        highOf = random.longs(certain).toArray();
        lowOf = random.longs(certain).toArray();
        stuckValue = state.value();
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
            if (++visits > budget) {
                return undecided();
            }
            int step = last.steps.next();
            take(step);
            takeFittingReads();
            if (isWholeBlock(last, step)) {
                last.steps.giveUp();
            }
            if (visited.add(high ^ state.high(), low ^ state.low(), optional.used())) {
                branches.push(branch());
            }
        }
        return null;
    }

    private boolean isWholeBlock(Branch before, int step) {
        return !key.sums
                && !key.deadlines
                && step != EXPIRE
                && calls.get(step).kind() == Kind.SET
                && before.entry.value().isReadNoMore()
                && state.value().isReadNoMore();
    }

    private Branch branch() {
        if (ordered.size() > furthest) {
            furthest = ordered.size();
            stuckCall = events.isEmpty() ? 0 : events.firstToEnd();
            stuckValue = state.value();
        }
        Steps steps = new Steps(events.isEmpty() ? List.of() : steps());
        return new Branch(state.entry(), high, low, ordered.size(), steps);
    }

    private void comeBackTo(Branch branch) {
        while (ordered.size() > branch.ordered) {
            int call = ordered.pop();
            taken[call] = false;
            state.putBack(call);
            if (call >= certain) {
                optional.putBack(call);
            } else {
                events.putBack(call);
                if (results != null) {
                    results.putBack(call);
                }
            }
        }
        state.comeBackTo(branch.entry);
        high = branch.high;
        low = branch.low;
    }

    /** The steps from here that are worth a try, the most promising first. */
    private List<Integer> steps() {
        int urgent = events.firstToEnd();
        long end = calls.get(urgent).to();
        List<Integer> steps = certainSteps(urgent, Math.min(end, state.expiresTo()));
        if (state.canExpireBefore(end)) {
            KeyState.Value needed = state.needs(urgent);
            steps.add(needed != null && needed.isAbsence() ? 0 : steps.size(), EXPIRE);
        }
        for (int call : optional.next()) {
            if (calls.get(call).from() <= Math.min(end, state.expiresTo()) && fits(call) && isOfUse(call, end)) {
                steps.add(call);
            }
        }
        return steps;
    }

    private List<Integer> certainSteps(int urgent, long end) {
        List<Integer> steps = new ArrayList<>();
        for (int call = events.first(); events.isBegin(call); call = events.after(call)) {
            boolean begun = calls.get(call).from() <= end && order.canComeNext(call, taken);
            if (begun && !calls.get(call).changesNothing() && fits(call)) {
                steps.add(call);
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
        return call == urgent || state.valueAfter(call) == state.needs(urgent);
    }

    private boolean fits(int call) {
        return state.fits(call) && (results == null || !results.isPassedBy(call, taken));
    }

    /** Whether an optional call is good for anything here, before the first of the others ends. */
    private boolean isOfUse(int call, long end) {
        return switch (calls.get(call).kind()) {
            case REMOVE -> !state.value().isAbsence();
            case TOUCH -> state.expiresTo() < end;
            default -> true;
        };
    }

    private void take(int step) {
        if (step == EXPIRE) {
            state.expire();
            return;
        }
        state.apply(step);
        state.taken(step);
        ordered.push(step);
        taken[step] = true;
        if (step >= certain) {
            optional.use(step);
        } else {
            events.take(step);
            high ^= highOf[step];
            low ^= lowOf[step];
        }
    }

    private void takeFittingReads() {
        int call = events.first();
        long end = state.expiresTo();
        while (!events.isEmpty() && events.isBegin(call)) {
            boolean begun = calls.get(call).from() <= end && order.canComeNext(call, taken);
            if (begun && calls.get(call).changesNothing() && state.valueAfter(call) != null) {
                take(call);
                call = events.first();
            } else {
                call = events.after(call);
            }
        }
    }

    private Violation undecided() {
        return new Violation(
                true,
                "the search gave up after " + budget
                        + " configurations, and knows of neither an order nor that there is" + " none; " + whereStuck(),
                evidence());
    }

    private Violation violation() {
        return Violation.of("no order of the operations explains their results; " + whereStuck(), evidence());
    }

    private String whereStuck() {
        return "the longest order has " + furthest + " of " + calls.size() + " operations and leaves " + stuckValue
                + ", where the first operation below cannot follow";
    }

    /** The call that could not follow, and what went on at that time. */
    private List<Operation> evidence() {
        Operation stuck = calls.get(stuckCall).operation();
        List<Operation> evidence = new ArrayList<>();
        evidence.add(stuck);
        calls.stream()
                .map(Call::operation)
                .filter(other -> !other.equals(stuck)
                        && other.invokedNanos() <= stuck.completedNanos()
                        && other.completedNanos() >= stuck.invokedNanos())
                .limit(20)
                .forEach(evidence::add);
        return evidence;
    }
}
