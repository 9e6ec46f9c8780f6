package io.dshm.server.replication;

import io.dshm.proto.Command;
import io.dshm.proto.ErrorCode;
import io.dshm.proto.Key;
import io.dshm.proto.ReadMode;
import io.dshm.proto.Reply;
import io.dshm.server.replication.contracts.ReplyListener;
import io.dshm.server.replication.reads.LocalReads;
import io.dshm.server.replication.reads.RegionScans;
import io.dshm.server.replication.writes.TypedRecords;
import io.dshm.server.statemachine.Outcome;
import java.util.Iterator;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** A lane's requests for a whole region: they take their time, in {@link RegionScans}. Confined to the lane's thread. */
public final class RegionRequests {

    private static final Reply.Failure TOO_MANY_SCANS =
            new Reply.Failure(ErrorCode.BUSY, "too many requests for a whole region wait");

    private final Lane lane;
    private final LocalReads reads;
    private final RegionScans regions;

    RegionRequests(Lane lane, LocalReads reads, RegionScans regions) {
        this.lane = lane;
        this.reads = reads;
        this.regions = regions;
    }

    /** Answers a read of a whole region. */
    public void read(Command.RegionRead read, ReadMode mode, ReplyListener listener) {
        await(mode, listener, () -> look(() -> regions.reply(read), listener::onReply, listener));
    }

    /** Frees a region's entries that are expired and not yet purged. */
    public void flushExpired(Command.FlushExpired flush, ReplyListener listener) {
        Consumer<List<List<byte[]>>> purge = portions -> purge(portions.iterator(), 0, listener);
        await(ReadMode.LOCAL, listener, () -> look(() -> regions.expired(flush), purge, listener));
    }

    /** Lets a look at all entries see what it may not miss; what it must not see alive any more is logged before. */
    private void await(ReadMode mode, ReplyListener listener, Runnable ready) {
        if (mode == ReadMode.LINEARIZABLE || reads.isStale()) {
            lane.logTime(lane.requestDeadline(), ready, listener);
        } else {
            lane.awaitApplied(reads.indexForAll(), lane.requestDeadline(), ready, listener);
        }
    }

    private <T> void look(Supplier<T> look, Consumer<T> then, ReplyListener listener) {
        boolean taken = regions.execute(() -> {
            T seen = look.get();
            lane.executor().execute(() -> then.accept(seen));
        });
        if (!taken) {
            listener.onReply(TOO_MANY_SCANS);
        }
    }

    /** Has portions of expired entries removed, one after the other, and tells how many they were. */
    private void purge(Iterator<List<byte[]>> portions, long purged, ReplyListener listener) {
        if (!portions.hasNext()) {
            listener.onReply(new Reply.IntegerValue(purged));
            return;
        }
        List<byte[]> keys = portions.next();
        lane.submit(TypedRecords.purge(keys), listener, (outcome, index) -> {
            keys.forEach(key -> reads.acknowledge(Key.of(key), index));
            purge(portions, purged + outcome.number(), listener);
        });
    }

    /** What goes on after a command of the lane's own. */
    interface Continuation {
        void onOutcome(Outcome outcome, long index);
    }
}
