package io.dshm.server.replication.jraft;

import com.alipay.sofa.jraft.Closure;
import com.alipay.sofa.jraft.Status;
import io.dshm.server.guard.Guard;
import io.dshm.server.replication.contracts.RaftLog;
import io.dshm.server.statemachine.Outcome;

/**
 * Tells a proposal its result. SOFAJRaft reports both a failure and that the entry was applied only if it has a bug;
 * the first report counts.
 */
final class ProposalClosure implements Closure {

    private final RaftLog.Proposal proposal;
    private boolean told;

    ProposalClosure(RaftLog.Proposal proposal) {
        this.proposal = proposal;
    }

    void applied(long index, Outcome[] outcomes) {
        if (isFirst()) {
            try {
                proposal.applied(index, outcomes);
            } catch (RuntimeException e) {
                // The entry is applied: the thread that applies goes on.
                Guard.thrown("who has proposed an entry", e);
            }
        }
    }

    @Override
    public void run(Status status) {
        if (!isFirst()) {
            return;
        }
        if (ProposalFailures.provesNotAppended(status)) {
            proposal.refused();
        } else {
            proposal.uncertain(String.valueOf(status));
        }
    }

    private synchronized boolean isFirst() {
        boolean first = !told;
        told = true;
        return first;
    }
}
