package io.dshm.server.history;

import io.dshm.server.history.Call.Kind;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * The entry of a key at a place in the search for a linearization, and what each call would do with it. Calls go by their
 * number.
 */
final class KeyState {

    private static final int NO_GENERATION = -1;

    /** A value that entries can have, or the absence of an entry. */
    static final class Value {
        private final @Nullable String text;
        private final boolean isInteger;
        private final long number;
        private final long high;
        private final long low;

        /** How many reads of it are not in order yet. */
        private int readsLeft;

        /** How many SETs of it are not in order yet. */
        private int setsLeft;

        private Value(@Nullable String text, SplittableRandom random) {
            this.text = text;
            this.isInteger = text != null && Integers.isInteger(text);
            this.number = text == null ? 0 : Integers.parse(text).orElse(0);
            this.high = random.nextLong();
            this.low = random.nextLong();
        }

        boolean isAbsence() {
            return text == null;
        }

        boolean isReadNoMore() {
            return readsLeft == 0;
        }

        /** 0 if it is none. */
        long number() {
            return number;
        }

        @Override
        public String toString() {
            return text == null ? "no entry" : "the value " + text;
        }
    }

    /** What optional calls have done since the last call whose result would have shown it. */
    enum Unseen {
        NOTHING(0),
        OVERWRITTEN(1),
        ADDED(2);

        private final int number;

        Unseen(int number) {
            this.number = number;
        }
    }

    /**
     * What there is.
     *
     * @param generation the call that has set the entry's deadline, or {@link #NO_GENERATION}
     */
    record Entry(Value value, int generation, Unseen unseen) {}

    private final List<Call> calls;
    private final boolean sums;
    private final long slackNanos;
    private final SplittableRandom random = new SplittableRandom(2);
    private final Map<String, Value> values = new HashMap<>();
    private final Value absence = new Value(null, random);
    private final List<Value> valueOf = new ArrayList<>();
    private Entry entry = new Entry(absence, NO_GENERATION, Unseen.NOTHING);

    /** @param sums whether INCR is among the calls */
    KeyState(List<Call> calls, boolean sums, long slackNanos) {
        this.calls = calls;
        this.sums = sums;
        this.slackNanos = slackNanos;
        for (int call = 0; call < calls.size(); call++) {
            valueOf.add(valueOf(calls.get(call).value()));
            count(call, 1);
        }
    }

    private Value valueOf(@Nullable String text) {
        return text == null ? absence : values.computeIfAbsent(text, absent -> new Value(text, random));
    }

    Entry entry() {
        return entry;
    }

    Value value() {
        return entry.value;
    }

    /** The value of a call; absence if it has none. */
    Value valueOf(int call) {
        return valueOf.get(call);
    }

    /** Takes note that a call is in order. */
    void taken(int call) {
        count(call, -1);
    }

    /** Takes note that a call is not in order any more. */
    void putBack(int call) {
        count(call, 1);
    }

    private void count(int call, int change) {
        if (calls.get(call).kind() == Kind.READ) {
            valueOf(call).readsLeft += change;
        } else if (calls.get(call).kind() == Kind.SET) {
            valueOf(call).setsLeft += change;
        }
    }

    void comeBackTo(Entry earlier) {
        entry = earlier;
    }

    /** When the entry expires at the earliest; {@link Operation#NEVER} if it has no deadline. */
    long expiresFrom() {
        return entry.generation == NO_GENERATION
                ? Operation.NEVER
                : calls.get(entry.generation).expiresFrom(slackNanos);
    }

    /** When it has expired at the latest. */
    long expiresTo() {
        return entry.generation == NO_GENERATION
                ? Operation.NEVER
                : calls.get(entry.generation).expiresTo(slackNanos);
    }

    boolean canExpireBefore(long end) {
        return entry.unseen != Unseen.ADDED && expiresFrom() <= end && canBeLeft(absence);
    }

    void expire() {
        entry = new Entry(absence, NO_GENERATION, Unseen.NOTHING);
    }

    /** Whether a call can have had its result here, and may end what is here. */
    boolean fits(int call) {
        Value after = valueAfter(call);
        boolean undone = entry.unseen != Unseen.NOTHING && calls.get(call).overwrites();
        return after != null && canBeLeft(after) && !undone;
    }

    private boolean canBeLeft(Value after) {
        Value value = entry.value;
        boolean comesBack = value.setsLeft > 0 || (sums && value.isInteger);
        return after == value || value.isAbsence() || value.readsLeft == 0 || comesBack;
    }

    /** The entry's value after a call, or null if the call cannot have had its result here. */
    @Nullable
    Value valueAfter(int number) {
        Call call = calls.get(number);
        Value value = entry.value;
        return switch (call.kind()) {
            case READ -> value == valueOf(number) ? value : null;
            case OVERFLOW -> sum(call) == null && (value.isAbsence() || value.isInteger) ? value : null;
            case SET -> valueOf(number);
            case REMOVE -> absence;
            case TOUCH -> value;
            case INCR -> {
                Value sum = sum(call);
                yield call.value() == null || sum == valueOf(number) ? sum : null;
            }
        };
    }

    private @Nullable Value sum(Call call) {
        Value value = entry.value;
        long number = value.isAbsence() ? call.init() : value.number;
        boolean adds = value.isAbsence() || value.isInteger;
        return adds && !Integers.overflows(number, call.by()) ? valueOf(Long.toString(number + call.by())) : null;
    }

    /** What the entry must be for a call to have its result, or null if any value will do, or several. */
    @Nullable
    Value needs(int number) {
        Call call = calls.get(number);
        if (call.kind() == Kind.READ) {
            return valueOf(number);
        } else if (call.kind() != Kind.INCR) {
            return null;
        }
        long before = valueOf(number).number - call.by();
        return before == call.init() ? absence : valueOf(Long.toString(before));
    }

    /** Does what a call does that {@link #fits}. */
    void apply(int number) {
        Call call = calls.get(number);
        Value after = valueAfter(number);
        if (after == null) {
            throw new IllegalStateException("does not fit: " + call);
        }
        boolean opens = switch (call.kind()) {
            case READ, OVERFLOW -> false;
            case SET, REMOVE -> true;
            case TOUCH -> !entry.value.isAbsence();
            case INCR -> entry.value.isAbsence();
        };
        int opened = call.ttlMillis() == 0 ? NO_GENERATION : number;
        entry = new Entry(after, opens ? opened : entry.generation, unseenAfter(call));
    }

    private Unseen unseenAfter(Call call) {
        if (call.kind() == Kind.TOUCH) {
            return entry.unseen == Unseen.ADDED ? Unseen.ADDED : Unseen.NOTHING;
        }
        if (!call.isOptional()) {
            return Unseen.NOTHING;
        }
        return call.overwrites() ? Unseen.OVERWRITTEN : Unseen.ADDED;
    }

    /** The first half of a hash of 128 bits. */
    long high() {
        return entry.value.high ^ 0x9E3779B97F4A7C15L * rest();
    }

    /** The second half. */
    long low() {
        return entry.value.low ^ 0xC2B2AE3D27D4EB4FL * rest();
    }

    private long rest() {
        return 3L * entry.generation + entry.unseen.number;
    }
}
