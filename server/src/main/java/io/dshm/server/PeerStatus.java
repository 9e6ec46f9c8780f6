package io.dshm.server;

import io.dshm.proto.wire.StatusReply;
import io.dshm.server.replication.jraft.RaftGroup;
import io.dshm.server.replication.reads.LocalReads;
import io.dshm.server.statemachine.ClusterClock;
import io.dshm.server.statemachine.StateMachine;
import org.jspecify.annotations.Nullable;

/** What other nodes are told of this one. Any thread. */
record PeerStatus(ClusterClock clock, LocalReads reads, StateMachine stateMachine, NodeFolder folder, RaftGroup raft) {

    /** Null while it is not known yet. */
    @Nullable
    StatusReply get() {
        if (!folder.isDecided()) {
            return StatusReply.getDefaultInstance();
        }
        if (!raft.isRunning()) {
            return null;
        }
        StatusReply.Builder reply = clock.answer()
                .toStatus()
                .setHasState(raft.hasState())
                .setClusterId(folder.clusterId())
                .setAppliedIndex(reads.appliedIndex())
                .setVotes(raft.mayVote())
                .setDiskFull(raft.isOwnDiskFull());
        if (raft.mayVote()) {
            reply.addAllVoters(raft.memberChanges().roles().voters());
            stateMachine.cluster().list().forEach(reply::addMembers);
        }
        return reply.build();
    }
}
