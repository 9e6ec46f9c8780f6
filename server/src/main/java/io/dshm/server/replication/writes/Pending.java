package io.dshm.server.replication.writes;

import io.dshm.proto.ErrorCode;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.server.guard.Guard;
import io.dshm.server.replication.contracts.ClockAndRandom;
import io.dshm.server.statemachine.Outcome;
import org.jspecify.annotations.Nullable;

/** A command whose outcome is not known yet. Belongs to one outbox; confined to its lane's thread. */
public abstract class Pending {

    /** What goes to the leader, again and again if need be. Set by the outbox. */
    @Nullable
    CommandRecord record;

    /** The instant of the {@link ClockAndRandom}'s monotonic clock at which its sender gives up. Set by the outbox. */
    long deadlineNanos;

    /**
     * How many sending attempts may still bring it into the log. While above 0, the command may still be
     * applied. Never below 0.
     */
    int openAttempts;

    /** It took effect, or the log decided otherwise; a read that is to see it has to wait for this index. */
    public abstract void onOutcome(Outcome outcome, long index);

    /** Its outcome did not become known: {@link ErrorCode#NO_LEADER} or {@link ErrorCode#TIMEOUT}. */
    public abstract void onFailure(ErrorCode code);

    /**
     * Another method has thrown this exception, which was logged: the client gets no answer, and is to be disconnected.
     */
    public abstract void onBroken(RuntimeException thrown);

    /** Bytes in the log; 0 before it has a record. */
    final int bytes() {
        return record == null ? 0 : record.getSerializedSize();
    }

    final void tellOutcome(Outcome outcome, long index) {
        try {
            onOutcome(outcome, index);
        } catch (RuntimeException e) {
            fail(e);
        }
    }

    final void tellFailure(ErrorCode code) {
        try {
            onFailure(code);
        } catch (RuntimeException e) {
            fail(e);
        }
    }

    private void fail(RuntimeException thrown) {
        Guard.thrown("who waits for an outcome", thrown);
        try {
            onBroken(thrown);
        } catch (RuntimeException again) {
            Guard.thrown("who waits for an outcome, and was told of its failure,", again);
        }
    }
}
