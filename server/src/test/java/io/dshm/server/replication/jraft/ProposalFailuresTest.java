package io.dshm.server.replication.jraft;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.alipay.sofa.jraft.Status;
import com.alipay.sofa.jraft.error.RaftError;
import org.junit.jupiter.api.Test;

/** The messages are those of the library's sources; a new version of it may have others. */
class ProposalFailuresTest {

    private static boolean proves(RaftError error, String message) {
        return ProposalFailures.provesNotAppended(new Status(error, message));
    }

    @Test
    void a_task_that_was_turned_away_is_not_in_the_log() {
        assertTrue(proves(RaftError.EPERM, "Is not leader."));
        assertTrue(proves(RaftError.EPERM, "expected_term=3 doesn't match current_term=4"));
        assertTrue(proves(RaftError.EBUSY, "Is transferring leadership."));
        assertTrue(proves(RaftError.EBUSY, "Node is busy, has too many tasks, queue is full and bufferSize=16384"));
    }

    @Test
    void everything_else_may_be_in_the_log() {
        assertFalse(proves(RaftError.EPERM, "Leader stepped down"));
        assertFalse(proves(RaftError.EPERM, "Raft node receives higher term request."));
        assertFalse(proves(RaftError.EINTERNAL, "Fail to append task."));
        assertFalse(proves(RaftError.EBUSY, "Node <n1> log manager is busy."));
        assertFalse(proves(RaftError.ENODESHUTDOWN, "Node is shutting down."));
        assertFalse(ProposalFailures.provesNotAppended(new Status(-1, "unknown")));
        assertFalse(ProposalFailures.provesNotAppended(Status.OK()));
    }
}
