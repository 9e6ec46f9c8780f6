package io.dshm.server.replication.jraft;

import com.alipay.sofa.jraft.Status;
import com.alipay.sofa.jraft.error.RaftError;

/**
 * What a failed proposal's status proves. SOFAJRaft uses the same codes for tasks that were never appended and for
 * those whose entry may still commit, so the message decides; the sources are named beside each.
 */
final class ProposalFailures {

    private ProposalFailures() {}

    /** Whether a task with this status was not appended to any log, and never will be. */
    static boolean provesNotAppended(Status status) {
        String message = status.getErrorMsg();
        if (message == null) {
            return false;
        }
        if (status.getRaftError() == RaftError.EPERM) {
            // NodeImpl.executeApplyingTasks, before appendEntries. The EPERM of a step-down says something else, and
            // comes for entries that are in the log.
            return message.startsWith("Is not leader") || message.startsWith("expected_term=");
        }
        if (status.getRaftError() == RaftError.EBUSY) {
            // NodeImpl.executeApplyingTasks, and NodeImpl.apply when its queue is full.
            return message.startsWith("Is transferring leadership") || message.startsWith("Node is busy");
        }
        return false;
    }
}
