package io.dshm.server;

import io.dshm.proto.wire.StatusReply;
import io.dshm.server.replication.contracts.Leadership;
import io.dshm.server.replication.contracts.NoMemberException;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether the cluster has removed this node. Its own log need not tell it: nothing is sent to a node that is no member,
 * and one that was down meanwhile believes what it knew. So it is the others that say it, while this node has no
 * leader. It asks for no votes then. A leader that sends it entries has added it again. Thread-safe.
 */
final class Removal {

    private static final Logger LOG = LoggerFactory.getLogger(Removal.class);

    private final String self;

    private volatile @Nullable String problem;

    /**
     * Of a node that takes itself for a member.
     *
     * @param self its name
     */
    Removal(String self) {
        this.self = self;
    }

    boolean isRemoved() {
        return problem != null;
    }

    /** What operators are told; null if this node is a member, as far as it knows. */
    @Nullable
    String problem() {
        return problem;
    }

    /** Somebody leads, or nobody. */
    void onLeadership(Leadership leadership) {
        if (leadership.leader() != null) {
            setProblem(null);
        }
    }

    /**
     * The others were asked for their status, because this node has no leader.
     *
     * @param answers of all other members that this node knows, by their names; each is complete
     */
    void judge(Map<String, CompletableFuture<StatusReply>> answers) {
        Set<String> denying = new TreeSet<>();
        answers.forEach((name, answer) -> {
            if (answer.isCompletedExceptionally()
                    && answer.handle((reply, failure) -> failure).join() instanceof NoMemberException) {
                denying.add(name);
            }
        });
        int majority = (answers.size() + 1) / 2 + 1;
        if (!denying.isEmpty() && denying.size() >= Math.min(answers.size(), majority)) {
            setProblem(self + " was removed from the cluster: " + String.join(" and ", denying)
                    + " said that it is no member. It asks for no votes. Stop it, and do not start it again with its data; to take it in"
                    + " again, use dshm cluster add");
        } else if (answers.values().stream().anyMatch(answer -> !answer.isCompletedExceptionally())) {
            setProblem(null);
        }
    }

    private synchronized void setProblem(@Nullable String found) {
        if (problem == null && found != null) {
            LOG.warn("members: {}", found);
        } else if (problem != null && found == null) {
            LOG.info("members: {} is a member again", self);
        }
        problem = found;
    }
}
