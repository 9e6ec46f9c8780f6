package io.dshm.server.statemachine;

import io.dshm.proto.wire.SnapshotClient;
import io.dshm.proto.wire.SnapshotHeader;
import io.dshm.proto.wire.SnapshotNode;
import io.dshm.proto.wire.SnapshotRegion;
import io.dshm.proto.wire.SnapshotUpload;
import io.dshm.proto.wire.SnapshotUsers;
import io.dshm.server.store.View;
import java.io.IOException;

/** A state, for a snapshot to be written of it. For one thread. */
public interface StateSource {

    /** Receives what is in a state beside the entries of the store. */
    interface Consumer {
        void node(SnapshotNode node) throws IOException;

        void client(SnapshotClient client) throws IOException;

        void upload(SnapshotUpload upload) throws IOException;

        void region(SnapshotRegion region) throws IOException;

        void users(SnapshotUsers users) throws IOException;
    }

    /** Where in the log the state is, without the number of a part. */
    SnapshotHeader header();

    /** Visits what is in the state beside the store. To be called once. */
    void forEachOther(Consumer consumer) throws IOException;

    /** Visits, in no particular order, the entries that a command can still find. To be called once. */
    void forEachEntry(View.Consumer consumer) throws IOException;
}
