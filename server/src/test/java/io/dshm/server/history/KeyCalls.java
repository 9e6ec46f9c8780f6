package io.dshm.server.history;

import io.dshm.server.history.Call.Kind;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The operations on one key, made ready for the search. What cannot matter is left out, and calls of unknown outcome are
 * pinned down where that loses no linearization; they are what makes the search expensive.
 *
 * <p><b>What is left out</b>, because it shows and changes nothing: local reads and reads without a result; writes that
 * were not applied (a read of their value then has no writer); touches of a key on which nothing ever sets a deadline.
 *
 * <p><b>A value with one writer.</b> If only one call can have stored a value (one SET of it; and it is no integer, or
 * nothing increments this key), then that call was before every read that saw it. So it took effect, and it did before
 * the first of those reads was completed, whatever its own outcome was.
 *
 * <p><b>A SET of unknown outcome whose value no read saw</b> (and no INCR can have built on it). In a linearization take
 * the calls between it and the next one that overwrites or removes the entry: none of them has a result that depends
 * on the entry, for that would be its value. If the entry ends by being overwritten, or not at all, the SET can be
 * taken out of the linearization and all results remain. If it ends by expiring, the SET can be taken out and a removal
 * put where it expired. Expire it can after its time to live, or after the shortest one that a TOUCH could have given
 * it. So it is the same as a removal of unknown outcome from that instant on; and where nothing has a deadline, as
 * nothing. (With a TOUCH that is a little too generous: nobody asks whether there was a TOUCH at the right moment.)
 *
 * <p><b>A TOUCH of unknown outcome</b> shows only in when its entry expires. If the entry does expire after it, there can be
 * a removal instead, from the instant on at which the time to live of the TOUCH is over; if it does not, what counts is
 * that the deadline from before is gone. So it stands as both, each of them optional. (That is a little too generous
 * again: one TOUCH can have either effect, each on another entry.)
 *
 * <p><b>A removal of unknown outcome</b> (DELETE, FLUSHALL) is left out for the same reason if nothing depends on the
 * key's absence: no read found it absent, and there is no INCR.
 */
final class KeyCalls {

    /** Those that did take effect, by the instant from which on they can have. */
    final List<Call> certain = new ArrayList<>();

    /** Those that may have taken effect, the same way. */
    final List<Call> optional = new ArrayList<>();

    /** Whether INCR is among the calls, so that values can come from sums. */
    final boolean sums;

    /** Whether it is a counter, of which each step makes it larger. */
    final boolean onlyGrows;

    /** Whether any entry can have a deadline. */
    final boolean deadlines;

    /** What is wrong already without a search, or null. */
    final @Nullable Violation violation;

    private final Map<String, Integer> setsOf = new HashMap<>();
    private final Map<String, Long> firstSeen = new HashMap<>();
    private final boolean absenceMatters;
    private final long touchMillisMin;
    private final long slackNanos;

    /** @param operations by their invocation */
    KeyCalls(List<Operation> operations, long slackNanos) {
        this.slackNanos = slackNanos;
        List<Call> calls = new ArrayList<>();
        for (Operation operation : operations) {
            Call call = call(operation);
            if (call != null) {
                calls.add(call);
            }
        }
        sums = calls.stream().anyMatch(call -> call.kind() == Kind.INCR);
        onlyGrows = sums && calls.stream().allMatch(KeyCalls::isGrowthOrNumber);
        deadlines = calls.stream().anyMatch(call -> call.ttlMillis() > 0);
        touchMillisMin = calls.stream()
                .filter(call -> call.kind() == Kind.TOUCH && call.ttlMillis() > 0)
                .mapToLong(Call::ttlMillis)
                .min()
                .orElse(Long.MAX_VALUE);
        absenceMatters = sums || calls.stream().anyMatch(call -> call.kind() == Kind.READ && call.value() == null);
        for (Call call : calls) {
            if (call.kind() == Kind.SET) {
                setsOf.merge(value(call), 1, Integer::sum);
            } else if (call.kind() == Kind.READ && call.value() != null) {
                firstSeen.merge(value(call), call.to(), Math::min);
            }
        }
        calls.forEach(this::add);
        certain.sort(Comparator.comparingLong(Call::from));
        optional.sort(Comparator.comparingLong(Call::from));
        violation = readOfNothing();
    }

    private static boolean isGrowthOrNumber(Call call) {
        return switch (call.kind()) {
            case INCR -> call.by() > 0 && call.init() >= 0 && call.ttlMillis() == 0;
            case READ -> call.value() == null || Integers.isInteger(call.value());
            case TOUCH -> call.ttlMillis() == 0;
            case SET, REMOVE, OVERFLOW -> false;
        };
    }

    private static @Nullable Call call(Operation operation) {
        Action action = operation.action();
        boolean unknown = operation.result() instanceof Result.Unknown;
        boolean refused = operation.result() instanceof Result.NotApplied;
        String value = operation.result() instanceof Result.Value result ? result.value() : null;
        if (action instanceof Action.Get get) {
            boolean counts = get.mode() == Action.ReadMode.LINEARIZABLE && !unknown && !refused;
            return counts ? call(operation, Kind.READ, value, 0) : null;
        }
        if (action instanceof Action.Incr incr) {
            Kind kind = Kind.INCR;
            if (refused) {
                kind = ((Result.NotApplied) operation.result()).code().equals("overflow") ? Kind.OVERFLOW : null;
            } else if (value != null && !Integers.isInteger(value)) {
                // It has met a value that is no integer, changed nothing, and replied with it.
                kind = Kind.READ;
            }
            long to = unknown ? Operation.NEVER : operation.completedNanos();
            return kind == null
                    ? null
                    : new Call(
                            operation,
                            kind,
                            value,
                            incr.by(),
                            incr.init(),
                            kind == Kind.INCR ? incr.initTtlMillis() : 0,
                            operation.invokedNanos(),
                            to);
        }
        if (refused) {
            return null;
        }
        if (action instanceof Action.Set set) {
            return call(operation, Kind.SET, set.value(), set.ttlMillis());
        }
        if (action instanceof Action.Touch touch) {
            return call(operation, Kind.TOUCH, null, touch.ttlMillis());
        }
        if (action instanceof Action.Delete || action instanceof Action.Flush) {
            return call(operation, Kind.REMOVE, null, 0);
        }
        throw new IllegalArgumentException("not for this checker: " + OperationText.write(operation));
    }

    private static Call call(Operation operation, Kind kind, @Nullable String value, long ttlMillis) {
        long to = operation.result() instanceof Result.Unknown ? Operation.NEVER : operation.completedNanos();
        return new Call(operation, kind, value, 0, 0, ttlMillis, operation.invokedNanos(), to);
    }

    private void add(Call call) {
        switch (call.kind()) {
            case READ, OVERFLOW -> certain.add(call);
            case SET -> addSet(call);
            case REMOVE -> {
                if (!call.isOptional() || absenceMatters) {
                    sort(call);
                }
            }
            case TOUCH -> addTouch(call);
            case INCR -> sort(call);
        }
    }

    private void addSet(Call call) {
        String value = value(call);
        if (!hasOneWriter(value)) {
            sort(call);
            return;
        }
        long seen = firstSeen.getOrDefault(value, Operation.NEVER);
        if (!call.isOptional() || seen != Operation.NEVER) {
            sort(call.within(call.from(), Math.min(call.to(), seen)));
        } else if (deadlines && absenceMatters) {
            long lives = call.ttlMillis() == 0 ? touchMillisMin : Math.min(call.ttlMillis(), touchMillisMin);
            if (lives != Long.MAX_VALUE) {
                sort(optional(call, Kind.REMOVE, lives));
            }
        }
    }

    private void addTouch(Call call) {
        if (!deadlines) {
            return;
        }
        if (!call.isOptional()) {
            sort(call);
            return;
        }
        sort(optional(call, Kind.TOUCH, 0));
        if (call.ttlMillis() > 0 && absenceMatters) {
            sort(optional(call, Kind.REMOVE, call.ttlMillis()));
        }
    }

    /** What can happen in place of a call, once so much time has gone by. */
    private Call optional(Call call, Kind kind, long millis) {
        long from = Math.max(call.from(), call.from() + Call.nanos(millis) - slackNanos);
        return new Call(call.operation(), kind, null, 0, 0, 0, from, Operation.NEVER);
    }

    private void sort(Call call) {
        (call.isOptional() ? optional : certain).add(call);
    }

    /** Whether it can only have been one call that stored this value, and did so once. */
    boolean hasOneWriter(String value) {
        return setsOf.getOrDefault(value, 0) == 1 && !(sums && Integers.isInteger(value));
    }

    private @Nullable Violation readOfNothing() {
        Set<String> written = new HashSet<>(setsOf.keySet());
        for (Call call : certain) {
            String value = call.value();
            if (call.kind() == Kind.READ
                    && value != null
                    && !written.contains(value)
                    && !(sums && Integers.isInteger(value))) {
                return Violation.of("a value that nobody wrote", List.of(call.operation()));
            }
            if (call.to() < call.from()) {
                return Violation.of("a value was seen before anybody sent it", List.of(call.operation()));
            }
            if (call.kind() == Kind.SET
                    && call.operation().result() instanceof Result.Value replied
                    && !replied.value().equals(value)) {
                return Violation.of("the reply to a SET is not its value", List.of(call.operation()));
            }
        }
        return null;
    }

    /** The value of a call that has one. */
    static String value(Call call) {
        String value = call.value();
        if (value == null) {
            throw new IllegalArgumentException("no value: " + call);
        }
        return value;
    }
}
