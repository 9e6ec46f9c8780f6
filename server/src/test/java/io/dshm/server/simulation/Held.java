package io.dshm.server.simulation;

import io.dshm.proto.wire.LimitAlgorithm;
import io.dshm.proto.wire.TakeCommand;
import io.dshm.server.store.limiters.References;
import java.util.ArrayList;
import java.util.List;

/**
 * A limit of which something is held, as its definition has it: whatever is not settled or given back in time was used at the last
 * moment, and what is held counts like what is used. Its numbers never change.
 *
 * @param used what became used, in the order of its instants
 * @param holds reservations and shares; settled ones have nothing left
 */
record Held(Taken used, List<Hold> holds) {

    record Hold(boolean share, String id, long left, boolean settled, long end) {}

    static Held none(TakeCommand command) {
        return new Held(Taken.none(command), List.of());
    }

    LimitAlgorithm algorithm() {
        return used.algorithm();
    }

    /** What became used by then, and what is still held. */
    Held at(long clock) {
        List<Hold> ended = new ArrayList<>(holds.stream()
                .filter(hold -> hold.end <= clock && hold.left > 0)
                .toList());
        ended.sort((one, other) -> Long.compare(one.end, other.end));
        Taken after = used;
        for (Hold hold : ended) {
            after = with(after, hold.end - 1, hold.left);
        }
        return new Held(after, holds.stream().filter(hold -> hold.end > clock).toList());
    }

    private static Taken with(Taken used, long clock, long cost) {
        List<References.Grant> grants = new ArrayList<>(used.grants());
        grants.add(new References.Grant(clock, cost));
        return new Taken(used.algorithm(), used.quota(), grants);
    }

    long held() {
        return holds.stream().mapToLong(Hold::left).sum();
    }

    boolean allows(long clock, long cost) {
        return cost == 0 || used.allows(clock, cost + held());
    }

    long leftAt(long clock) {
        Held now = at(clock);
        return Math.max(0, now.used.leftAt(clock) - now.held());
    }

    Held plus(boolean share, String id, long left, long end) {
        List<Hold> more = new ArrayList<>(holds);
        more.add(new Hold(share, id, left, false, end));
        return new Held(used, more);
    }

    Held afterUse(long clock, long cost) {
        return cost == 0 ? this : new Held(with(used, clock, cost), holds);
    }

    boolean hasReservation(String id) {
        return holds.stream().anyMatch(hold -> !hold.share && hold.id.equals(id));
    }

    boolean isSettled(String id) {
        return holds.stream().anyMatch(hold -> hold.settled && hold.id.equals(id));
    }

    Held settled(String id) {
        return new Held(
                used,
                holds.stream()
                        .map(hold -> hold.share || !hold.id.equals(id) ? hold : new Hold(false, id, 0, true, hold.end))
                        .toList());
    }

    /** What ends first is given back first. */
    Held givenBack(String holder, long unused) {
        List<Hold> left = new ArrayList<>(holds);
        List<Hold> shares = new ArrayList<>(holds.stream()
                .filter(hold -> hold.share && hold.id.equals(holder))
                .toList());
        shares.sort((one, other) -> Long.compare(one.end, other.end));
        long toGive = unused;
        for (Hold share : shares) {
            long given = Math.min(toGive, share.left);
            toGive -= given;
            left.remove(share);
            if (share.left > given) {
                left.add(new Hold(true, holder, share.left - given, false, share.end));
            }
        }
        return new Held(used, left);
    }

    /** When it is as good as new, if all that is held becomes used. */
    long deadline(long clock) {
        long lastEnd = holds.stream().mapToLong(Hold::end).max().orElse(0);
        Held all = at(Math.max(clock, lastEnd));
        long lastUse = holds.stream()
                .filter(hold -> hold.left > 0)
                .mapToLong(hold -> hold.end - 1)
                .max()
                .orElse(clock);
        long from = Math.max(clock, lastUse);
        return Math.max(lastEnd, from + all.used.resetMillis(from));
    }

    long lifeMillis(long clock) {
        long period = used.quota().periodMillis();
        long longest = algorithm() == LimitAlgorithm.FIXED ? period - clock % period : Math.max(1, period / 10);
        return Math.min(10_000, longest);
    }

    String words(boolean allowed, long clock) {
        return "allowed=" + (allowed ? 1 : 0) + " limit=" + used.limit() + " remaining=" + leftAt(clock) + " ...";
    }
}
