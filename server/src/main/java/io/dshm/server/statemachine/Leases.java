package io.dshm.server.statemachine;

import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.proto.wire.AcquireCommand;
import io.dshm.proto.wire.ReleaseCommand;
import io.dshm.server.store.Entry;
import io.dshm.server.store.limiters.Permits;

/**
 * What ACQUIRE and RELEASE do to the entries. Where nobody holds a permit there is no entry.
 *
 * <p>A fence is the version of the write that gave the permit: versions rise over the whole log, so a fence also rises
 * where a key went away in between.
 *
 * <p>Confined to the thread that applies. {@code clockMillis} is the cluster clock of the entry being applied.
 */
final class Leases {

    private final Entries entries;

    Leases(Entries entries) {
        this.entries = entries;
    }

    Outcome acquire(AcquireCommand command, long clockMillis) {
        Key key = Writes.key(command.getKey());
        Entry entry = entries.find(key, clockMillis);
        if (entry != null && !isPermits(entry)) {
            return Outcome.BAD_REQUEST;
        }
        Permits held = entry == null ? Permits.NONE : ((Permits) entry.limiter()).at(clockMillis);
        byte[] holder = command.getHolder().toByteArray();
        int place = held.holders().placeOf(holder);
        long limit = command.getLimit();
        if (place < 0 && held.holders().size() >= limit) {
            return Outcome.permit(held.refused(limit, clockMillis));
        }
        if (place < 0 && held.holders().size() >= Limits.HOLDERS_MAX) {
            return Outcome.TOO_LARGE;
        }
        long version = entries.nextVersion();
        long fence = place < 0 ? version : held.holders().number(place);
        Permits after = held.with(limit, holder, fence, clockMillis + command.getTtlMillis());
        entries.put(key, Entry.of(after, after.freshAtMillis(), version));
        return Outcome.permit(after.granted(fence));
    }

    Outcome release(ReleaseCommand command, long clockMillis) {
        Key key = Writes.key(command.getKey());
        Entry entry = entries.find(key, clockMillis);
        if (entry == null) {
            return Outcome.APPLIED;
        }
        if (!isPermits(entry)) {
            return Outcome.BAD_REQUEST;
        }
        Permits held = ((Permits) entry.limiter()).at(clockMillis);
        Permits after = held.without(command.getHolder().toByteArray());
        if (after.holders().size() == 0) {
            entries.remove(key);
        } else if (after != held) {
            entries.put(key, Entry.of(after, after.freshAtMillis(), entries.nextVersion()));
        }
        return Outcome.APPLIED;
    }

    private static boolean isPermits(Entry entry) {
        return entry.isLimiter() && entry.limiter() instanceof Permits;
    }
}
