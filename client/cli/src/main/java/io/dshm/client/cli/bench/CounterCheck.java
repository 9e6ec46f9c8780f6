package io.dshm.client.cli.bench;

import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/** What one worker has seen of counters that began at 0 and that nobody else writes. */
final class CounterCheck {

    private final Op op;
    private final Violations violations;
    private final LongAdder sent;
    private final long[] highest;
    private final long[] done;
    private final long[] unknown;
    private final @Nullable Bits[] seen;
    private long sentKnown;

    /** @param sent increments that all workers have sent: no reply can be above that */
    CounterCheck(Op op, int keys, LongAdder sent, Violations violations) {
        this.op = op;
        this.sent = sent;
        this.violations = violations;
        highest = new long[keys];
        done = new long[keys];
        unknown = new long[keys];
        seen = new @Nullable Bits[keys];
    }

    /** Before an increment is sent. */
    void sending(Flight flight) {
        sent.increment();
        flight.bound = highest[flight.key];
    }

    /** After its reply. */
    void replied(Flight flight, Reply.Outcome outcome, long value) {
        int key = flight.key;
        if (outcome == Reply.Outcome.UNKNOWN) {
            unknown[key]++;
        }
        if (outcome != Reply.Outcome.OK) {
            return;
        }
        done[key]++;
        if (value > sentKnown) {
            sentKnown = sent.sum();
        }
        if (value < 1 || value > sentKnown) {
            say(key, "the reply " + value + " after " + sentKnown + " increments of all keys");
            return;
        }
        Bits bits = seen[key];
        if (bits == null) {
            bits = new Bits();
            seen[key] = bits;
        }
        if (!bits.add(value)) {
            say(key, "the reply " + value + " twice");
        } else if (value <= flight.bound) {
            say(key, "the reply " + value + " to a request that was sent after the reply " + flight.bound);
        }
        highest[key] = Math.max(highest[key], value);
    }

    private void say(int key, String what) {
        violations.add(Violations.Kind.COUNTS, op.word() + " of key " + key + ": " + what);
    }

    /** What all workers have seen of a key, against what it says in the end. */
    static void verify(List<CounterCheck> checks, int key, long last, Violations violations) {
        Bits all = new Bits();
        long done = 0;
        long unknown = 0;
        long highest = 0;
        long twice = 0;
        for (CounterCheck check : checks) {
            Bits bits = check.seen[key];
            twice += bits == null ? 0 : all.addAll(bits);
            done += check.done[key];
            unknown += check.unknown[key];
            highest = Math.max(highest, check.highest[key]);
        }
        String name = checks.get(0).op.word() + " of key " + key;
        if (twice > 0) {
            violations.add(Violations.Kind.COUNTS, twice, name + ": " + twice + " replies came twice, to two threads");
        }
        if (last < done || last > done + unknown || highest > last) {
            violations.add(
                    Violations.Kind.COUNTS,
                    name + ": " + last + " in the end, but " + done + " were acknowledged"
                            + (unknown > 0 ? " and the outcome of " + unknown + " is unknown" : "")
                            + (highest > last ? ", and a reply was " + highest : ""));
        }
    }

    /** Whether anybody has sent anything for a key. */
    static boolean isUsed(List<CounterCheck> checks, int key) {
        return checks.stream().anyMatch(check -> check.done[key] + check.unknown[key] > 0);
    }
}
