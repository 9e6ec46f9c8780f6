package io.dshm.server.simulation;

import io.dshm.proto.wire.LimitAlgorithm;
import io.dshm.proto.wire.TakeCommand;
import io.dshm.server.store.limiters.Algorithm;
import io.dshm.server.store.limiters.Quota;
import io.dshm.server.store.limiters.References;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongPredicate;

/** A limit of TAKE as its definition has it: all that was admitted, and nothing ever forgotten. Its numbers never change. */
record Taken(LimitAlgorithm algorithm, Quota quota, List<References.Grant> grants) {

    /** Longer than any limit of the simulation takes to be unused again. */
    private static final long LONG_MILLIS = 1_000_000;

    static Taken none(TakeCommand command) {
        Quota quota = new Quota(command.getLimit(), command.getPeriodMillis(), command.getBurst());
        return new Taken(command.getAlgorithm(), quota, List.of());
    }

    private boolean admits(long clock, long cost) {
        References reference = References.of(Algorithm.valueOf(algorithm.name()), quota);
        reference.grants.addAll(grants);
        return reference.admits(clock, cost);
    }

    private long limit() {
        boolean bursts = algorithm == LimitAlgorithm.GCRA || algorithm == LimitAlgorithm.LEAKY;
        return bursts ? quota.burst() + 1 : quota.limit();
    }

    long leftAt(long clock) {
        return firstOf(0, limit(), cost -> !admits(clock, cost + 1));
    }

    Taken after(long clock, long cost) {
        if (cost == 0 || !admits(clock, cost)) {
            return this;
        }
        List<References.Grant> all = new ArrayList<>(grants);
        all.add(new References.Grant(clock, cost));
        return new Taken(algorithm, quota, all);
    }

    long resetMillis(long clock) {
        return firstOf(0, LONG_MILLIS, millis -> admits(clock + millis, limit()));
    }

    /** What the reply to a call says that made this of what was before. */
    String words(Taken before, long clock, long cost) {
        boolean allowed = before.allows(clock, cost);
        return words(allowed, retry(allowed, clock, cost), clock, allowed && cost > 0 ? before.resetMillis(clock) : 0);
    }

    boolean allows(long clock, long cost) {
        return cost == 0 || admits(clock, cost);
    }

    long retry(boolean allowed, long clock, long cost) {
        return allowed ? 0 : cost > limit() ? -1 : firstOf(0, LONG_MILLIS, millis -> admits(clock + millis, cost));
    }

    /** How it stands, and what was decided of a call. */
    String words(boolean allowed, long retry, long clock, long delay) {
        String words = "allowed=" + (allowed ? 1 : 0) + " limit=" + limit() + " remaining=" + leftAt(clock) + " reset="
                + resetMillis(clock) + " retry=" + retry;
        return algorithm == LimitAlgorithm.LEAKY ? words + " delay=" + delay : words;
    }

    /** The smallest number of these for which it holds, as for all above it. */
    private static long firstOf(long from, long to, LongPredicate holds) {
        long low = from;
        long high = to;
        while (low < high) {
            long middle = (low + high) >>> 1;
            if (holds.test(middle)) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return low;
    }
}
