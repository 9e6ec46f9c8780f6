package io.dshm.server.statemachine;

import io.dshm.proto.wire.SnapshotClient;
import io.dshm.proto.wire.SnapshotHeader;
import io.dshm.proto.wire.SnapshotNode;
import io.dshm.proto.wire.SnapshotRegion;
import io.dshm.proto.wire.SnapshotUpload;
import io.dshm.proto.wire.SnapshotUsers;
import io.dshm.server.store.View;
import java.io.IOException;

/**
 * A node's state as a new cluster begins with it, which that node founds alone: all entries, the limits of regions, the
 * users, and the clients with an identity of their own. What was registered by nodes of the old cluster stays behind,
 * and its id; see {@link RestoredState}.
 */
public final class RecoveredState implements StateSource, AutoCloseable {

    private final StateView view;

    /** Holds that state still until it is closed. */
    public RecoveredState(StateMachine stateMachine) {
        this.view = stateMachine.view();
    }

    @Override
    public SnapshotHeader header() {
        return ClusterState.without(view.header());
    }

    @Override
    public void forEachOther(Consumer consumer) throws IOException {
        view.forEachOther(new Consumer() {
            @Override
            public void node(SnapshotNode node) {}

            @Override
            public void client(SnapshotClient client) throws IOException {
                consumer.client(client);
            }

            @Override
            public void region(SnapshotRegion region) throws IOException {
                consumer.region(region);
            }

            @Override
            public void users(SnapshotUsers users) throws IOException {
                consumer.users(users);
            }

            @Override
            public void upload(SnapshotUpload upload) {}
        });
    }

    @Override
    public void forEachEntry(View.Consumer consumer) throws IOException {
        view.forEachEntry(consumer);
    }

    @Override
    public void close() {
        view.close();
    }
}
