package io.dshm.server.replication;

import io.dshm.proto.Command;
import io.dshm.proto.ErrorCode;
import io.dshm.proto.Key;
import io.dshm.proto.ReadMode;
import io.dshm.proto.Reply;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.server.guard.Guard;
import io.dshm.server.replication.contracts.ReplyListener;
import io.dshm.server.replication.reads.LocalReads;
import io.dshm.server.replication.reads.RegionScans;
import io.dshm.server.replication.writes.Records;
import io.dshm.server.statemachine.Outcome;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** A lane's requests for a whole region: slow ones, run by {@link RegionScans}. Confined to the lane's thread. */
public final class RegionRequests {

    private static final Reply.Failure TOO_MANY_SCANS =
            new Reply.Failure(ErrorCode.BUSY, "too many requests for a whole region wait");

    /** What goes on after a command of the lane's own. */
    interface Continuation {
        void onOutcome(Outcome outcome, long index);
    }

    /** What such a request needs of its lane; each method tells the listener if it fails. */
    interface Steps {

        /** Goes on when all that this node has acknowledged is applied here. */
        void awaitAcknowledged(Runnable ready, ReplyListener listener);

        /** Has the leader log the time, and goes on when that, and so all before it, is applied here. */
        void logTime(Runnable ready, ReplyListener listener);

        /** Submits a command of the lane's own. */
        void submit(CommandRecord.Builder record, ReplyListener listener, Continuation then);
    }

    private final Steps steps;
    private final LocalReads reads;
    private final RegionScans scans;
    private final Executor lane;
    private int outstanding;

    /** @param lane runs tasks on the lane's thread */
    RegionRequests(Steps steps, LocalReads reads, RegionScans scans, Executor lane) {
        this.steps = steps;
        this.reads = reads;
        this.scans = scans;
        this.lane = lane;
    }

    /** Whether every request has been answered. */
    boolean isEmpty() {
        return outstanding == 0;
    }

    /** Answers a read of a whole region. */
    public void read(Command.RegionRead read, ReadMode mode, ReplyListener asking) {
        ReplyListener listener = counted(asking);
        await(mode, listener, () -> look(() -> scans.reply(read), listener::tell, listener));
    }

    /** Frees a region's entries that are expired and not yet purged. */
    public void flushExpired(Command.FlushExpired flush, long credential, ReplyListener asking) {
        ReplyListener listener = counted(asking);
        Consumer<List<List<byte[]>>> purge = portions -> purge(portions.iterator(), credential, 0, listener);
        await(ReadMode.LOCAL, listener, () -> look(() -> scans.expired(flush), purge, listener));
    }

    private ReplyListener counted(ReplyListener listener) {
        outstanding++;
        return new ReplyListener() {
            @Override
            public void onReply(Reply reply) {
                outstanding--;
                listener.tell(reply);
            }

            @Override
            public void onBroken(RuntimeException thrown) {
                outstanding--;
                listener.onBroken(thrown);
            }
        };
    }

    /** Lets a look at all entries see what it may not miss; what it must not see alive any more is logged before. */
    private void await(ReadMode mode, ReplyListener listener, Runnable ready) {
        if (mode == ReadMode.LINEARIZABLE || reads.isStale()) {
            steps.logTime(ready, listener);
        } else {
            steps.awaitAcknowledged(ready, listener);
        }
    }

    private <T> void look(Supplier<T> look, Consumer<T> then, ReplyListener listener) {
        boolean taken = scans.execute(() -> {
            try {
                T seen = look.get();
                lane.execute(() -> goOn(then, seen, listener));
            } catch (RuntimeException e) {
                lane.execute(() -> listener.fail(e));
            } catch (Error e) {
                Guard.check("a request for a whole region", e);
                throw e;
            }
        });
        if (!taken) {
            listener.tell(TOO_MANY_SCANS);
        }
    }

    private static <T> void goOn(Consumer<T> then, T seen, ReplyListener listener) {
        try {
            then.accept(seen);
        } catch (RuntimeException e) {
            listener.fail(e);
        }
    }

    /** Has expired store entries removed in portions, one after the other, and replies with their number. */
    private void purge(Iterator<List<byte[]>> portions, long credential, long purged, ReplyListener listener) {
        if (!portions.hasNext()) {
            listener.tell(new Reply.IntegerValue(purged));
            return;
        }
        List<byte[]> keys = portions.next();
        steps.submit(Records.purge(keys).setCredential(credential), listener, (outcome, index) -> {
            if (outcome.kind() != Outcome.Kind.APPLIED) {
                boolean nothingDone = outcome.kind() == Outcome.Kind.DENIED && purged == 0;
                listener.tell(new Reply.Failure(nothingDone ? ErrorCode.DENIED : ErrorCode.UNKNOWN_OUTCOME, null));
                return;
            }
            keys.forEach(key -> reads.acknowledge(Key.of(key), index));
            purge(portions, credential, purged + outcome.number(), listener);
        });
    }
}
