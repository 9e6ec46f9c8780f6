package io.dshm.server.replication.writes;

import io.dshm.proto.ErrorCode;
import io.dshm.proto.Limits;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.Forward;
import io.dshm.proto.wire.Result;
import io.dshm.proto.wire.Settled;
import io.dshm.server.replication.contracts.PeerLinks;
import io.dshm.server.statemachine.Admission;
import io.dshm.server.statemachine.Outcome;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The commands of one origin on their way: numbered, sent in order, kept until their outcome is known, sent again after
 * a change of leader. Confined to its lane's thread.
 *
 * <p>Numbers from {@link #oldest} to before {@link #next} are in the ring, answered ones as null; those from
 * {@link #unsent} on have not been sent to the present leader.
 */
public final class Outbox implements ForwardSource {

    private final long origin;
    private final long timeoutNanos;
    private final Runnable onUnknownOrigin;

    private @Nullable Pending[] ring = new Pending[256];
    private long oldest = 1;
    private long unsent = 1;
    private long next = 1;

    private final Runnable onNotTaken;

    /**
     * An empty outbox.
     *
     * @param onNotTaken the leader did not take what was sent: it is to be asked again a little later
     * @param onUnknownOrigin the log does not know this origin (any more)
     */
    public Outbox(long origin, long timeoutNanos, Runnable onNotTaken, Runnable onUnknownOrigin) {
        this.origin = origin;
        this.timeoutNanos = timeoutNanos;
        this.onNotTaken = onNotTaken;
        this.onUnknownOrigin = onUnknownOrigin;
    }

    /**
     * Takes a command; false, and nothing happens, if too many are outstanding.
     *
     * @throws IllegalArgumentException if {@link Admission} refuses it, which what clients can send never is
     */
    public boolean submit(CommandRecord.Builder command, Pending pending, long nowNanos) {
        if (next - oldest >= Limits.COMMANDS_OUTSTANDING_MAX) {
            return false;
        }
        if (next - oldest == ring.length) {
            grow();
        }
        CommandRecord record = command.setOrigin(origin).setSequence(next).build();
        Admission.require(record);
        pending.record = record;
        pending.deadlineNanos = nowNanos + timeoutNanos;
        ring[slot(next)] = pending;
        next++;
        return true;
    }

    /** Whether everything has been answered. */
    public boolean isEmpty() {
        return oldest == next;
    }

    /** Hands what is unsent to this node's own proposer. */
    public void sendTo(Proposer proposer) {
        for (; unsent < next; unsent++) {
            Pending pending = ring[slot(unsent)];
            if (pending != null && pending.record != null) {
                pending.openAttempts++;
                proposer.add(pending.record, this);
            }
        }
    }

    /** Sends what is unsent to a leader elsewhere, in portions. */
    public void sendTo(PeerLinks.Link link, long term) {
        while (unsent < next) {
            Forward.Builder forward = Forward.newBuilder()
                    .setTerm(term)
                    .setSettled(Settled.newBuilder().setOrigin(origin).setBelow(oldest));
            int bytes = 0;
            while (unsent < next
                    && forward.getRecordsCount() < Limits.ENTRY_COMMANDS_MAX
                    && bytes < Limits.ENTRY_BYTES_MAX) {
                Pending pending = ring[slot(unsent)];
                unsent++;
                if (pending != null && pending.record != null) {
                    pending.openAttempts++;
                    forward.addRecords(pending.record);
                    bytes += pending.record.getSerializedSize();
                }
            }
            if (forward.getRecordsCount() > 0) {
                link.send(forward.build());
            }
        }
    }

    /** The leader changed or the link broke: everything goes out again. */
    public void rewind() {
        unsent = oldest;
    }

    /** Results from a leader elsewhere. */
    public void onResults(long index, List<Result> results) {
        for (Result result : results) {
            onOutcome(result.getSequence(), Outcome.fromWire(result), index);
        }
        trim();
    }

    @Override
    public void onOutcomes(long index, List<CommandRecord> records, Outcome[] outcomes, int from, int to) {
        for (int i = from; i < to; i++) {
            onOutcome(records.get(i).getSequence(), outcomes[i], index);
        }
        trim();
    }

    private void onOutcome(long sequence, Outcome outcome, long index) {
        if (outcome.kind() == Outcome.Kind.UNKNOWN_ORIGIN) {
            onUnknownOrigin.run();
            return;
        }
        if (outcome.kind() == Outcome.Kind.AHEAD) {
            onNotLogged(List.of(sequence));
            onNotTaken.run();
            return;
        }
        Pending pending = take(sequence);
        if (pending != null) {
            pending.onOutcome(outcome, index);
        }
    }

    @Override
    public void onNotTaken(long term, List<Long> notLogged) {
        onNotLogged(notLogged);
        onNotTaken.run();
    }

    @Override
    public long origin() {
        return origin;
    }

    @Override
    public long settledBelow() {
        return oldest;
    }

    /** Answers those whose time is up. The deadlines are in the order of the numbers. */
    public void expire(long nowNanos) {
        for (long sequence = oldest; sequence < next; sequence++) {
            Pending pending = ring[slot(sequence)];
            if (pending == null) {
                continue;
            }
            if (pending.deadlineNanos - nowNanos > 0) {
                break;
            }
            ring[slot(sequence)] = null;
            pending.onFailure(pending.openAttempts > 0 ? ErrorCode.TIMEOUT : ErrorCode.NO_LEADER);
        }
        trim();
    }

    /** For each of these numbers, one attempt is proven to have reached no log. */
    public void onNotLogged(List<Long> sequences) {
        for (long sequence : sequences) {
            Pending pending = find(sequence);
            if (pending != null) {
                pending.openAttempts--;
            }
        }
    }

    private @Nullable Pending find(long sequence) {
        return sequence < oldest || sequence >= next ? null : ring[slot(sequence)];
    }

    private @Nullable Pending take(long sequence) {
        Pending pending = find(sequence);
        if (pending != null) {
            ring[slot(sequence)] = null;
        }
        return pending;
    }

    private void trim() {
        while (oldest < next && ring[slot(oldest)] == null) {
            oldest++;
        }
        unsent = Math.max(unsent, oldest);
    }

    private int slot(long sequence) {
        return (int) (sequence & (ring.length - 1));
    }

    private void grow() {
        @Nullable Pending[] larger = new Pending[ring.length * 2];
        for (long sequence = oldest; sequence < next; sequence++) {
            larger[(int) (sequence & (larger.length - 1))] = ring[slot(sequence)];
        }
        ring = larger;
    }
}
