package io.dshm.server.history;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Whether a store that is linearizable can have answered as it did: GET (linearizable), SET, DELETE, TOUCH, INCR and
 * FLUSHALL, key by key. Every key is taken to be absent at first.
 *
 * <p><b>Outcomes.</b> What was not applied must not have had an effect; what has an unknown outcome may take effect once,
 * at any time after it was invoked, or never. Local reads do not count: see {@link LocalReadChecker}. For keys of
 * rate limiters see {@link LimiterChecker}.
 *
 * <p><b>Key by key.</b> Whoever takes from an order of all operations those of one key has an order of these, so a store
 * that is linearizable passes for each key. The other way round it is only true for operations that concern one key: a
 * FLUSHALL is taken to happen for each of its keys at an instant of its own. Not found out is therefore one that
 * empties a region little by little while it lasts, or of unknown outcome for a part of the keys only.
 *
 * <p><b>Time to live.</b> A deadline is an instant of the cluster clock, and clients have another one. A write that took
 * effect between {@code a} and {@code b} and gave its entry the time to live {@code t} set a deadline that the clients'
 * clock shows between {@code a + t - slack} and {@code b + t + slack}, where the slack is how much more or less of the
 * cluster clock can go by than of the clients' while an entry lives. What takes slack: a new leader's clock is behind the
 * last one's by the delay of the fastest stamp that it got in the last seconds (the clock stands still for as long, the
 * entry lives longer), or catches up by what it was behind when it stamped the write (the entry lives shorter); stamps are
 * whole milliseconds; and when all nodes restart at once, the wall clock says how long they were down. The first is
 * milliseconds while links are well, and as much as the links delayed all they carried for minutes otherwise. An
 * entry that outlives its time by less than the slack is not found out, nor one of a write whose outcome is unknown and
 * whose value nobody saw.
 *
 * @param slack see above
 * @param connectionOrder whether the operations that one client has under way at the same time must have taken effect in
 *     the order in which it sent them, as those of a connection do
 * @param budget how many configurations to visit for a key before the search gives up, which is a violation, too
 */
public record LinearizabilityChecker(Duration slack, boolean connectionOrder, int budget) {

    /** Takes some seconds and some hundred megabytes. */
    public static final int BUDGET = 5_000_000;

    /** All that is wrong, at most one for each key. */
    public List<Violation> check(History history) {
        List<Violation> violations = new ArrayList<>();
        history.byKey().forEach((key, operations) -> {
            if (operations.stream().noneMatch(operation -> operation.action() instanceof Action.OfLimit)) {
                Violation violation = checkKey(operations);
                if (violation != null) {
                    violations.add(violation);
                }
            }
        });
        return violations;
    }

    /** @param operations on one key, and flushes of its region, by their invocation */
    @Nullable
    Violation checkKey(List<Operation> operations) {
        KeyCalls calls = new KeyCalls(operations, slack.toNanos());
        Violation violation = calls.violation == null ? ValueSpans.check(calls) : calls.violation;
        return violation != null
                ? violation
                : new LinearizationSearch(calls, connectionOrder, slack.toNanos(), budget).run();
    }
}
