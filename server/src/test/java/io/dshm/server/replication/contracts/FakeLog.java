package io.dshm.server.replication.contracts;

import com.google.protobuf.InvalidProtocolBufferException;
import io.dshm.proto.wire.LogEntry;
import io.dshm.server.statemachine.ClusterClock;
import io.dshm.server.statemachine.Outcome;
import io.dshm.server.statemachine.StateMachine;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/** A log that does what a test says: entries are proposed, and later applied, refused or lost from sight. */
public final class FakeLog implements RaftLog {

    /** An entry that waits for its fate. */
    @SuppressWarnings("ArrayRecordComponent") // handed over, never compared
    public record Proposed(byte[] entry, long term, Proposal proposal) {}

    public final ArrayDeque<Proposed> proposed = new ArrayDeque<>();
    public final StateMachine stateMachine = new StateMachine(new ClusterClock(System::nanoTime));
    public final ArrayDeque<ReadIndexListener> questions = new ArrayDeque<>();
    private long index;

    @Override
    public void propose(byte[] entry, long term, Proposal proposal) {
        proposed.add(new Proposed(entry, term, proposal));
    }

    @Override
    public void readIndex(ReadIndexListener listener) {
        questions.add(listener);
    }

    /** Commits the oldest proposed entry and tells its proposer. */
    public void applyNext() {
        Proposed next = proposed.remove();
        next.proposal.applied(index + 1, commit(next.entry));
    }

    /** Commits the oldest proposed entry, but its proposer only learns that it does not know. */
    public void commitUnseen() {
        Proposed next = proposed.remove();
        commit(next.entry);
        next.proposal.uncertain("stepped down");
    }

    public void refuseNext() {
        proposed.remove().proposal.refused();
    }

    private Outcome[] commit(byte[] entry) {
        index++;
        return stateMachine.apply(index, ByteBuffer.wrap(entry));
    }

    /** How many commands each waiting entry holds. */
    public List<Integer> sizes() {
        List<Integer> sizes = new ArrayList<>();
        for (Proposed entry : proposed) {
            try {
                sizes.add(LogEntry.parseFrom(entry.entry).getRecordsCount());
            } catch (InvalidProtocolBufferException e) {
                throw new AssertionError(e);
            }
        }
        return sizes;
    }
}
