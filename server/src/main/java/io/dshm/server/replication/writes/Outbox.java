package io.dshm.server.replication.writes;

import io.dshm.proto.ErrorCode;
import io.dshm.proto.Limits;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.Forward;
import io.dshm.proto.wire.Result;
import io.dshm.proto.wire.Settled;
import io.dshm.server.counters.Tally;
import io.dshm.server.replication.contracts.PeerLinks;
import io.dshm.server.statemachine.Admission;
import io.dshm.server.statemachine.Outcome;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The outstanding commands of one origin: numbered, sent in order, kept until their outcome is known, sent again after
 * a change of leader. Confined to its lane's thread.
 *
 * <p>The ring holds the numbers from {@link #oldest} to before {@link #next}, answered ones as null; those from
 * {@link #unsent} on have not been sent to the present leader. No more than {@link Limits#FORWARD_BYTES_IN_FLIGHT_MAX}
 * are with the leader at a time, so that neither side holds more than that, however slow the other side is: each
 * outcome makes room for another command. After a refusal a single command is sent repeatedly, until it has an outcome.
 */
public final class Outbox implements ForwardSource {

    /** Events for the owner, on the lane's thread. */
    public interface Events {

        /** The leader refused what was sent. Call {@link #rewind} a little later to send it again. */
        void onNotTaken();

        /** The leader has applied a command, so it takes commands. */
        void onTaken();

        /** There is room to send more. */
        void onRoom();

        /** The log does not know this origin, or no longer. */
        void onUnknownOrigin();
    }

    private long origin;
    private final Events events;

    private @Nullable Pending[] ring = new Pending[256];
    private long oldest = 1;
    private long unsent = 1;
    private long next = 1;

    /** Bytes of all commands in the ring. */
    private long bytes;

    /** Bytes of the commands in the ring before {@link #unsent}. */
    private long bytesSent;

    /** Commands that went to a leader elsewhere, repeats among them. */
    private final Tally forwarded = new Tally();

    /** The leader refused the last commands: send one at a time until it takes one. */
    private boolean probing;

    /** An empty outbox. */
    public Outbox(long origin, Events events) {
        this.origin = origin;
        this.events = events;
    }

    /**
     * Takes a command; false, and nothing happens, if too many are outstanding, or too many bytes of them.
     *
     * @param deadlineNanos at which its sender gives up: not before that of the command taken last
     * @throws IllegalArgumentException if {@link Admission} refuses it; it refuses nothing that clients can send
     */
    public boolean submit(CommandRecord.Builder command, Pending pending, long deadlineNanos) {
        if (next - oldest >= Limits.COMMANDS_OUTSTANDING_MAX || bytes >= Limits.OUTBOX_BYTES_MAX) {
            return false;
        }
        if (next - oldest == ring.length) {
            grow();
        }
        CommandRecord record = command.setOrigin(origin).setSequence(next).build();
        Admission.require(record);
        pending.record = record;
        pending.deadlineNanos = deadlineNanos;
        ring[slot(next)] = pending;
        bytes += pending.bytes();
        next++;
        return true;
    }

    /** How many commands have gone to a leader elsewhere, repeats among them. Any thread. */
    long forwarded() {
        return forwarded.get();
    }

    /** Size of the ring: unanswered commands, and answered ones between them. */
    long outstanding() {
        return next - oldest;
    }

    /** The bytes of what is not answered. */
    long bytes() {
        return bytes;
    }

    /** Whether everything has been answered. */
    public boolean isEmpty() {
        return oldest == next;
    }

    /** Hands unsent commands to this node's own proposer, as many as may be outstanding. */
    public void sendTo(Proposer proposer) {
        while (maySend()) {
            Pending pending = nextUnsent();
            if (pending != null) {
                proposer.add(pendingRecord(pending), this);
            }
        }
    }

    /** Sends unsent commands to another node that leads, in portions, as many as it and the link take. */
    public void sendTo(PeerLinks.Link link, long term) {
        while (maySend() && link.isWritable()) {
            Forward.Builder forward = Forward.newBuilder()
                    .setTerm(term)
                    .setSettled(Settled.newBuilder().setOrigin(origin).setBelow(oldest));
            int portion = 0;
            while (maySend()
                    && forward.getRecordsCount() < Limits.ENTRY_COMMANDS_MAX
                    && portion < Limits.ENTRY_BYTES_MAX) {
                Pending pending = nextUnsent();
                if (pending != null) {
                    forward.addRecords(pendingRecord(pending));
                    portion += pending.bytes();
                }
            }
            if (forward.getRecordsCount() > 0) {
                forwarded.add(forward.getRecordsCount());
                link.send(forward.build());
            }
        }
    }

    private boolean maySend() {
        return unsent < next && (probing ? bytesSent == 0 : bytesSent < Limits.FORWARD_BYTES_IN_FLIGHT_MAX);
    }

    /** The next command to send, which counts as sent from now on; null if it has been answered meanwhile. */
    private @Nullable Pending nextUnsent() {
        Pending pending = ring[slot(unsent)];
        unsent++;
        if (pending != null) {
            pending.openAttempts++;
            bytesSent += pending.bytes();
        }
        return pending;
    }

    private static CommandRecord pendingRecord(Pending pending) {
        CommandRecord record = pending.record;
        if (record == null) {
            throw new IllegalStateException("not submitted");
        }
        return record;
    }

    /** Sends everything again; after a refusal, one command first. */
    public void rewind() {
        unsent = oldest;
        bytesSent = 0;
    }

    /** There is a new leader or a new link: sends everything again. */
    public void restart() {
        probing = false;
        rewind();
    }

    /** Takes results from another node that leads. */
    public void onResults(long index, List<Result> results) {
        boolean taken = false;
        for (Result result : results) {
            taken |= onOutcome(result.getSequence(), Outcome.fromWire(result), index);
        }
        afterOutcomes(taken);
    }

    @Override
    public void onOutcomes(long index, List<CommandRecord> records, Outcome[] outcomes, int from, int to) {
        boolean taken = false;
        for (int i = from; i < to; i++) {
            taken |= onOutcome(records.get(i).getSequence(), outcomes[i], index);
        }
        afterOutcomes(taken);
    }

    private void afterOutcomes(boolean taken) {
        if (taken) {
            probing = false;
            events.onTaken();
        }
        trim();
    }

    /** Whether the log has taken the command. */
    private boolean onOutcome(long sequence, Outcome outcome, long index) {
        if (outcome.kind() == Outcome.Kind.UNKNOWN_ORIGIN) {
            // Not if it is of the origin before this one.
            if (find(sequence) != null) {
                events.onUnknownOrigin();
            }
            return false;
        }
        if (outcome.kind() == Outcome.Kind.AHEAD) {
            onNotLogged(List.of(sequence));
            events.onNotTaken();
            return false;
        }
        Pending pending = take(sequence);
        if (pending != null) {
            pending.tellOutcome(outcome, index);
        }
        return true;
    }

    @Override
    public void onNotTaken(long term, List<Long> notLogged) {
        onNotLogged(notLogged);
        probing = true;
        events.onNotTaken();
    }

    @Override
    public void onReleased(int released) {
        // Nothing to do: this class counts commands without an outcome.
    }

    @Override
    public void onBroken(RuntimeException thrown) {
        // Each command's own listener has been told; see Pending.
    }

    @Override
    public long origin() {
        return origin;
    }

    @Override
    public long settledBelow() {
        return oldest;
    }

    /** Answers commands whose deadline has passed. Deadlines rise with the numbers. */
    public void expire(long nowNanos) {
        boolean expired = false;
        for (long sequence = oldest; sequence < next; sequence++) {
            Pending pending = ring[slot(sequence)];
            if (pending == null) {
                continue;
            }
            if (pending.deadlineNanos - nowNanos > 0) {
                break;
            }
            take(sequence);
            expired = true;
            giveUp(pending);
        }
        if (expired) {
            trim();
        }
    }

    /**
     * The log does not know the origin any more, and gets to know that one in its place. All commands are answered,
     * because those that were sent may be applied already. Their numbers are not used again: what is still said of them
     * is about them.
     */
    public void renew(long newOrigin) {
        List<Pending> open = new ArrayList<>();
        for (; oldest < next; oldest++) {
            Pending pending = take(oldest);
            if (pending != null) {
                open.add(pending);
            }
        }
        unsent = next;
        bytesSent = 0;
        origin = newOrigin;
        open.forEach(Outbox::giveUp);
    }

    private static void giveUp(Pending pending) {
        pending.tellFailure(pending.openAttempts > 0 ? ErrorCode.TIMEOUT : ErrorCode.NO_LEADER);
    }

    /** For each of these numbers, one attempt provably did not reach any log. */
    public void onNotLogged(List<Long> sequences) {
        for (long sequence : sequences) {
            Pending pending = find(sequence);
            // If a leader says so twice, that proves nothing about later attempts.
            if (pending != null && pending.openAttempts > 0) {
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
            bytes -= pending.bytes();
            if (sequence < unsent) {
                bytesSent -= pending.bytes();
            }
        }
        return pending;
    }

    private void trim() {
        while (oldest < next && ring[slot(oldest)] == null) {
            oldest++;
        }
        unsent = Math.max(unsent, oldest);
        if (unsent < next) {
            events.onRoom();
        }
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
