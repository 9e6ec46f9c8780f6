package io.dshm.server.replication.jraft.repairs;

import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.InstallSnapshotRequest;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * Finds out whether a leader's log differs from what this node has applied. In Raft that cannot happen: it means that a
 * node has lost entries that it had acknowledged, or that somebody has put an old data folder back. Then this node
 * stops, because it does not know which of the two is right, and an operator has to. Thread-safe.
 *
 * <p>Only a leader of this node's term or a later one is believed: an earlier one may have entries that were never
 * committed. Two entries are the same if their terms are, at the same index (Raft's log matching).
 */
public final class Difference {

    private final AppliedTerms applied;
    private final LongSupplier term;
    private final Consumer<String> onDifference;

    /**
     * Nothing has been compared yet.
     *
     * @param term this node's term, at least that of the leader from which it has learnt its last commit index
     * @param onDifference is told what differs, for the operator; does not return in a real node
     */
    public Difference(AppliedTerms applied, LongSupplier term, Consumer<String> onDifference) {
        this.applied = applied;
        this.term = term;
        this.onDifference = onDifference;
    }

    /** Compares the entries of that request, and the one before them, with those that are applied. */
    void check(AppendEntriesRequest request) {
        long index = request.getPrevLogIndex();
        AppendRequests.Position last = applied.last();
        // Asked before the term is: who leads in a later term has all that was committed before.
        if (last == null || index > last.index() || request.getTerm() < term.getAsLong()) {
            return;
        }
        compare(request.getServerId(), index, request.getPrevLogTerm());
        long end = Math.min(last.index(), index + request.getEntriesCount());
        for (long next = index + 1; next <= end; next++) {
            compare(
                    request.getServerId(),
                    next,
                    request.getEntries((int) (next - index - 1)).getTerm());
        }
    }

    /** Compares the last entry that this snapshot contains. */
    void check(InstallSnapshotRequest request) {
        AppendRequests.Position last = applied.last();
        long index = request.getMeta().getLastIncludedIndex();
        if (last != null && index <= last.index() && request.getTerm() >= term.getAsLong()) {
            compare(request.getServerId(), index, request.getMeta().getLastIncludedTerm());
        }
    }

    private void compare(String leader, long index, long theirs) {
        long ours = applied.termAt(index);
        // A leader that has cut off its log before an entry does not know its term.
        if (ours != 0 && theirs != 0 && ours != theirs) {
            onDifference.accept(
                    "the log of " + leader + ", which leads, differs from what this node has applied: at index "
                            + index + " it has an entry of term " + theirs + ", this node one of term " + ours
                            + ". One of the two has lost acknowledged writes. Stop all nodes, keep their data folders, and decide"
                            + " whose data is right; the others' folders are then deleted");
        }
    }
}
