package io.dshm.server.replication.jraft;

import com.alipay.sofa.jraft.Status;
import com.alipay.sofa.jraft.error.RaftError;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The reasons that SOFAJRaft gives, and what it knows of the members, in the words of the operators' page. */
final class Reasons {

    private Reasons() {}

    /** Why this node leads no longer. */
    static String ofLeadingEnded(Status why) {
        return why.getRaftError() == RaftError.ERAFTTIMEDOUT
                ? "fewer than a majority of the nodes answer"
                : ofBoth(why.getRaftError());
    }

    /** Why this node follows its leader no longer. */
    static String ofFollowingEnded(Status why) {
        return why.getRaftError() == RaftError.ERAFTTIMEDOUT
                ? "the leader was silent for too long"
                : ofBoth(why.getRaftError());
    }

    private static String ofBoth(RaftError error) {
        return switch (error) {
            case EHIGHERTERMREQUEST, EHIGHERTERMRESPONSE -> "another node has begun a later term";
            case ENEWLEADER -> "another node was elected";
            case EVOTEFORCANDIDATE -> "it votes for another node";
            case ETRANSFERLEADERSHIP -> "the leader hands over to another node";
            case ESHUTDOWN -> "it stops";
            case EBADNODE, ESTATEMACHINE, EIO -> "it cannot go on, see the lines around this one";
            case ELEADERREMOVED -> "it is no member any more";
            case ELEADERCONFLICT -> "two nodes took themselves for the leader";
            // For those who look it up in the library's RaftError.
            default -> "an election (" + error + ")";
        };
    }

    /**
     * The warning of a node whose setting {@code members} is not what the cluster agreed on when it was founded.
     *
     * @return null if it is
     */
    static @Nullable String membersDiffer(Set<String> configured, Set<String> agreed) {
        return configured.equals(agreed)
                ? null
                : "members: this node's setting names the addresses " + configured + ", but the cluster agreed on "
                        + agreed + ": it goes on with those. Make the setting the same on all nodes";
    }
}
