package io.dshm.server;

import io.dshm.proto.wire.CommandRecord;
import io.dshm.server.guard.Guard;
import io.dshm.server.network.ClusterMembers;
import io.dshm.server.replication.Replicator;
import io.dshm.server.replication.Roles;
import io.dshm.server.replication.forwarding.PeerConnector;
import io.dshm.server.replication.jraft.RaftGroup;
import io.netty.channel.EventLoop;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a node does again and again as a member of its cluster.
 *
 * @param lane runs all of it, until it shuts down
 * @param node its name
 */
record PeriodicTasks(EventLoop lane, String node, ClusterMembers members, PeerConnector connector) {

    private static final Logger LOG = LoggerFactory.getLogger(PeriodicTasks.class);

    /** Between two questions to another node for its disk, and how long one may take. */
    private static final int DISK_QUESTION_MILLIS = 1_000;

    /** Between two looks of a leader whether its cluster has an id. */
    private static final long FOUNDING_MILLIS = 200;

    /** Between two looks of a node without a leader whether the others have become another cluster. */
    private static final long LOOK_AROUND_MILLIS = 2_000;

    /** Between two lines of a node that waits. */
    private static final int WAITING_LINE_MILLIS = 30_000;

    void start(
            RaftGroup raft,
            Roles roles,
            Replicator replicator,
            Membership membership,
            OwnCluster ownCluster,
            NodeStatus status) {
        every(LOOK_AROUND_MILLIS, "looking for another cluster", () -> {
            if (roles.leadership().leader() == null) {
                ownCluster.lookAround(members.others());
            }
        });
        every(FOUNDING_MILLIS, "giving the cluster an id", () -> found(membership, roles, replicator));
        every(DISK_QUESTION_MILLIS, "asking for disks", () -> askForDisks(raft));
        every(WAITING_LINE_MILLIS, "saying what the node waits for", () -> sayWhatItWaitsFor(status));
    }

    /** Asks the others whether their disks are full. */
    private void askForDisks(RaftGroup raft) {
        for (String other : members.others()) {
            connector
                    .ask(other, DISK_QUESTION_MILLIS)
                    .whenComplete(Guard.last("asking for a disk", (answer, failure) -> {
                        if (failure == null) {
                            raft.onPeerDisk(other, answer.getDiskFull());
                        }
                    }));
        }
    }

    private void every(long millis, String what, Runnable task) {
        lane.scheduleWithFixedDelay(Guard.of(what, task), millis, millis, TimeUnit.MILLISECONDS);
    }

    private static void found(Membership membership, Roles roles, Replicator replicator) {
        CommandRecord due = roles.leadership().self() ? membership.due() : null;
        if (due != null) {
            replicator.propose(due);
        }
    }

    private void sayWhatItWaitsFor(NodeStatus status) {
        String problem = status.problem();
        if (problem != null) {
            LOG.info("{} is not ready: {}. See 'Looking at a node' in deploy/README.md", node, problem);
        }
    }
}
