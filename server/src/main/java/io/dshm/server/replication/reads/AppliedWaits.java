package io.dshm.server.replication.reads;

import io.dshm.proto.ErrorCode;
import io.dshm.proto.Reply;
import io.dshm.server.replication.contracts.ReplyListener;
import java.util.ArrayList;
import java.util.List;

/** Those in a lane who wait until a log index is applied on this node. Confined to the lane's thread. */
public final class AppliedWaits {

    private static final Reply.Failure LAGS = new Reply.Failure(ErrorCode.TIMEOUT, "this node lags behind");

    private record Wait(long index, long deadlineNanos, Runnable ready, ReplyListener listener) {}

    private final LocalReads reads;
    private final Runnable hearOfCommits;
    private final List<Wait> waits = new ArrayList<>();

    /**
     * Nobody waits.
     *
     * @param hearOfCommits sees to it that this node hears soon what is committed
     */
    public AppliedWaits(LocalReads reads, Runnable hearOfCommits) {
        this.reads = reads;
        this.hearOfCommits = hearOfCommits;
    }

    /**
     * Runs {@code ready} as soon as that index is applied here, which may be now.
     *
     * @param deadlineNanos after which the listener is told that it took too long instead
     */
    public void add(long index, long deadlineNanos, Runnable ready, ReplyListener listener) {
        waits.add(new Wait(index, deadlineNanos, ready, listener));
        // Counted first, then looked again: the thread that applies does it the other way round.
        reads.waiting().incrementAndGet();
        onApplied();
        if (!waits.isEmpty()) {
            hearOfCommits.run();
        }
    }

    /** Entries were applied. */
    public void onApplied() {
        List<Wait> over = new ArrayList<>();
        waits.removeIf(wait -> reads.isApplied(wait.index) && over.add(wait));
        reads.waiting().addAndGet(-over.size());
        over.forEach(wait -> wait.ready.run());
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
        late.forEach(wait -> wait.listener.onReply(LAGS));
        if (!waits.isEmpty()) {
            hearOfCommits.run();
        }
    }

    public boolean isEmpty() {
        return waits.isEmpty();
    }
}
