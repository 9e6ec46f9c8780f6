package io.dshm.server;

import io.dshm.proto.Formats;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.FoundCluster;
import io.dshm.proto.wire.Member;
import io.dshm.server.network.ClusterMembers;
import io.dshm.server.statemachine.ClusterState;
import io.dshm.server.statemachine.StateMachine;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * From the cluster's own list of members, which is in its state, to this node's knowledge of them. A cluster that has
 * no list yet gets one from the setting of its leader, with its id; from then on the setting says only where this node
 * finds others when it has no data.
 */
final class Membership {

    private static final Logger LOG = LoggerFactory.getLogger(Membership.class);

    private final Map<String, String> setting;
    private final ClusterMembers members;
    private final StateMachine stateMachine;
    private final Consumer<ClusterState> listener;

    /** What was applied last. Confined to the thread that applies. */
    private @Nullable ClusterState seen;

    /**
     * The members as this node's setting names them.
     *
     * @param setting addresses by names
     * @param listener is told of each change, on the thread that applies
     */
    Membership(
            Map<String, String> setting,
            ClusterMembers members,
            StateMachine stateMachine,
            Consumer<ClusterState> listener) {
        this.setting = new TreeMap<>(setting);
        this.members = members;
        this.stateMachine = stateMachine;
        this.listener = listener;
    }

    /** Something was applied. On the thread that applies. */
    void onApplied() {
        ClusterState now = stateMachine.cluster();
        if (now.id() == 0 || now.equals(seen)) {
            return;
        }
        seen = now;
        listener.accept(now);
        members.agreed(now.members());
        if (!now.members().equals(setting)) {
            LOG.warn(
                    "members: the setting names {}, the cluster's members are {}: those count. Make the setting the same, so that this"
                            + " node finds them if it loses its data",
                    setting,
                    now.members());
        }
    }

    /** What a leader has to propose for a cluster that has no id; null if there is nothing to do. Any thread. */
    @Nullable
    CommandRecord due() {
        if (stateMachine.format() < Formats.BOUNDS || stateMachine.cluster().id() != 0) {
            return null;
        }
        FoundCluster.Builder found =
                FoundCluster.newBuilder().setId(ThreadLocalRandom.current().nextLong(1, Long.MAX_VALUE));
        setting.forEach((name, address) ->
                found.addMembers(Member.newBuilder().setName(name).setAddress(address)));
        return CommandRecord.newBuilder().setFoundCluster(found).build();
    }
}
