package io.dshm.server.replication.reads;

import io.dshm.proto.ErrorCode;
import io.dshm.proto.Reply;
import io.dshm.server.replication.contracts.ReplyListener;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;

/** The callbacks of a lane that wait until a log index is applied on this node. Confined to the lane's thread. */
public final class AppliedWaits {

    private static final Reply.Failure LAGS = new Reply.Failure(ErrorCode.TIMEOUT, "this node lags behind");

    private record Wait(long index, long deadlineNanos, Runnable ready, ReplyListener listener) {}

    private final LocalReads reads;
    private final Runnable hearOfCommits;
    private final Executor lane;
    private final List<Wait> waits = new ArrayList<>();
    private boolean answering;

    /**
     * Nobody waits.
     *
     * @param lane runs tasks on the lane's thread
     * @param hearOfCommits sees to it that this node hears soon what is committed
     */
    public AppliedWaits(LocalReads reads, Executor lane, Runnable hearOfCommits) {
        this.reads = reads;
        this.lane = lane;
        this.hearOfCommits = hearOfCommits;
    }

    /**
     * Runs {@code ready} as soon as that index is applied here, but not before this method returns: the callback may
     * call it again.
     *
     * @param deadlineNanos after which the listener is told that it took too long instead
     */
    public void add(long index, long deadlineNanos, Runnable ready, ReplyListener listener) {
        waits.add(new Wait(index, deadlineNanos, ready, listener));
        // Counted first, then looked again: the thread that applies does it the other way round.
        reads.waiting().incrementAndGet();
        if (!reads.isApplied(index)) {
            hearOfCommits.run();
        } else if (!answering) {
            answering = true;
            lane.execute(() -> {
                answering = false;
                onApplied();
            });
        }
    }

    /** Entries were applied. */
    public void onApplied() {
        List<Wait> over = new ArrayList<>();
        waits.removeIf(wait -> reads.isApplied(wait.index) && over.add(wait));
        reads.waiting().addAndGet(-over.size());
        for (Wait wait : over) {
            try {
                wait.ready.run();
            } catch (RuntimeException e) {
                wait.listener.fail(e);
            }
        }
    }

    /** Ends the waits whose time is up. */
    public void onTimer(long nowNanos) {
        if (waits.isEmpty()) {
            return;
        }
        // Nobody calls when the time has become known.
        onApplied();
        List<Wait> late = new ArrayList<>();
        waits.removeIf(wait -> wait.deadlineNanos - nowNanos <= 0 && late.add(wait));
        reads.waiting().addAndGet(-late.size());
        late.forEach(wait -> wait.listener.tell(LAGS));
        if (!waits.isEmpty()) {
            hearOfCommits.run();
        }
    }

    public boolean isEmpty() {
        return waits.isEmpty();
    }
}
