package io.dshm.server.replication.reads;

import io.dshm.proto.ErrorCode;
import io.dshm.proto.Reply;
import io.dshm.server.replication.contracts.RaftLog;
import io.dshm.server.replication.contracts.ReplyListener;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Linearizable reads on their way: each waits for a round that began after it came (Raft thesis, 6.4). A round asks a
 * leader that a majority confirms for its commit index, and is over when this node has applied that much. One round is
 * under way at a time; all reads that come meanwhile share the next one. Confined to its lane's thread.
 */
public final class ReadRounds {

    /** A read that must not be answered before a round. */
    public interface Waiting {

        /** {@link System#nanoTime()} at which its sender gives up. */
        long deadlineNanos();

        /** This node has applied every write that any node had acknowledged before the round began. */
        void onConfirmed();

        /** Gets the error: no round ended in time, or {@link #onConfirmed} has thrown. */
        ReplyListener listener();
    }

    private static final Reply.Failure NOT_CONFIRMED =
            new Reply.Failure(ErrorCode.NO_LEADER, "no leader was confirmed by a majority in time");

    private final RaftLog log;
    private final Executor lane;
    private final LongSupplier nanoTime;
    private final LongConsumer onConfirmed;

    /** For the next round. */
    private ArrayDeque<Waiting> next = new ArrayDeque<>();

    /** Whether there is to be a next round even if no read waits for it. */
    private boolean wanted;

    /** The round under way, or null. */
    private @Nullable Round round;

    /**
     * No reads, and no round.
     *
     * @param onConfirmed is told, when a round is over, at which {@link System#nanoTime()} it had begun
     */
    public ReadRounds(RaftLog log, Executor lane, LongSupplier nanoTime, LongConsumer onConfirmed) {
        this.log = log;
        this.lane = lane;
        this.nanoTime = nanoTime;
        this.onConfirmed = onConfirmed;
    }

    /** Takes a read for the next round, which begins now if none is under way. */
    public void add(Waiting read) {
        next.add(read);
        startIfIdle();
    }

    /** Sees to it that a round begins from now on. */
    public void request() {
        wanted = true;
        startIfIdle();
    }

    public boolean isEmpty() {
        return next.isEmpty() && (round == null || round.reads.isEmpty());
    }

    /** Somebody else leads: a round that asks the last leader may take long to fail. */
    public void onLeadership() {
        abandonRound();
        startIfIdle();
    }

    /** Fails the reads whose time is up, and begins a round if the last one failed. */
    public void onTimer(long nowNanos) {
        List<Waiting> late = new ArrayList<>();
        next.removeIf(read -> read.deadlineNanos() - nowNanos <= 0 && late.add(read));
        if (round != null) {
            round.reads.removeIf(read -> read.deadlineNanos() - nowNanos <= 0 && late.add(read));
        }
        late.forEach(read -> read.listener().tell(NOT_CONFIRMED));
        startIfIdle();
    }

    private void startIfIdle() {
        if (round == null && (wanted || !next.isEmpty())) {
            round = new Round(next, nanoTime.getAsLong());
            next = new ArrayDeque<>();
            wanted = false;
            log.readIndex(round);
        }
    }

    /** Its reads go to the next round, before those that came later. */
    private void abandonRound() {
        if (round != null) {
            round.reads.addAll(next);
            next = round.reads;
            wanted = true;
            round = null;
        }
    }

    private static void tellConfirmed(Waiting read) {
        try {
            read.onConfirmed();
        } catch (RuntimeException e) {
            read.listener().fail(e);
        }
    }

    private final class Round implements RaftLog.ReadIndexListener {

        private final ArrayDeque<Waiting> reads;
        private final long begunNanos;

        Round(ArrayDeque<Waiting> reads, long begunNanos) {
            this.reads = reads;
            this.begunNanos = begunNanos;
        }

        @Override
        public void confirmed() {
            lane.execute(() -> {
                // Right for its reads' later round, too, but they are with that one now.
                onConfirmed.accept(begunNanos);
                if (round == this) {
                    round = null;
                    startIfIdle();
                    reads.forEach(ReadRounds::tellConfirmed);
                }
            });
        }

        @Override
        public void failed(String reason) {
            lane.execute(() -> {
                if (round == this) {
                    // The timer begins the next one: a round that fails does so at once, again and again.
                    abandonRound();
                }
            });
        }
    }
}
