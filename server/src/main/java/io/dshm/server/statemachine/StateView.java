package io.dshm.server.statemachine;

import io.dshm.proto.Formats;
import io.dshm.proto.wire.SnapshotClient;
import io.dshm.proto.wire.SnapshotHeader;
import io.dshm.proto.wire.SnapshotNode;
import io.dshm.proto.wire.SnapshotRegion;
import io.dshm.proto.wire.SnapshotUpload;
import io.dshm.proto.wire.SnapshotUsers;
import io.dshm.server.store.Store;
import io.dshm.server.store.View;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The state at one log index, held still for one reader on any thread while entries go on being applied. To be closed
 * by that reader.
 */
public final class StateView implements StateSource, AutoCloseable {

    private final SnapshotHeader header;
    private final View entries;
    private final List<Origins.FrozenNode> nodes;
    private final Clients.View clients;
    private final List<SnapshotUpload> uploads;
    private final List<SnapshotRegion> regions;
    private final @Nullable SnapshotUsers users;

    StateView(
            SnapshotHeader header,
            View entries,
            List<Origins.FrozenNode> nodes,
            Clients.View clients,
            List<SnapshotUpload> uploads,
            List<SnapshotRegion> regions,
            @Nullable SnapshotUsers users) {
        this.header = header;
        this.entries = entries;
        this.nodes = nodes;
        this.clients = clients;
        this.uploads = uploads;
        this.regions = regions;
        this.users = users;
    }

    @Override
    public SnapshotHeader header() {
        return header;
    }

    /** In an order that is the same on all nodes. */
    @Override
    public void forEachOther(Consumer consumer) throws IOException {
        for (SnapshotRegion region : regions) {
            consumer.region(region);
        }
        if (users != null) {
            consumer.users(users);
        }
        for (Origins.FrozenNode node : nodes) {
            for (SnapshotNode piece : node.toWire()) {
                consumer.node(piece);
            }
        }
        clients.forEach(consumer);
        for (SnapshotUpload upload : uploads) {
            consumer.upload(upload);
        }
    }

    @Override
    public void forEachEntry(View.Consumer consumer) throws IOException {
        long clockMillis = header.getClockMillis();
        entries.forEach((key, entry) -> {
            if (!entry.isGoneAt(clockMillis)) {
                consumer.accept(key, entry);
            }
        });
    }

    /**
     * A number that is equal on all nodes with the same state at this index, and practically never on others. It covers
     * everything that a later command could notice. For tests and for operators. To be called once, instead of writing.
     */
    public StateDigest digest() {
        long[] sum = {0};
        RestDigest rest = new RestDigest();
        long clockMillis = header.getClockMillis();
        try {
            forEachOther(rest);
            forEachEntry((key, entry) -> sum[0] += Store.digestOf(key, entry, clockMillis));
        } catch (IOException e) {
            throw new IllegalStateException("nothing here reads or writes", e);
        }
        long digest = sum[0]
                ^ (header.getLastVersion() * 0x9E3779B97F4A7C15L)
                ^ Long.rotateLeft(clockMillis, 32)
                ^ rest.state;
        // Nothing is added for the first format, whose nodes know of no other.
        digest += (header.getFormatVersion() - Formats.FIRST) * 0x9E3779B97F4A7C15L;
        digest += ClusterState.of(header).digest();
        return new StateDigest(header.getIndex(), digest);
    }

    /** Over bytes, because a message's own hash code differs between processes. */
    private static final class RestDigest implements Consumer {

        long state;

        @Override
        public void node(SnapshotNode node) {
            add(node.toByteArray());
        }

        @Override
        public void client(SnapshotClient client) {
            add(client.toByteArray());
        }

        @Override
        public void upload(SnapshotUpload upload) {
            add(upload.toByteArray());
        }

        @Override
        public void region(SnapshotRegion region) {
            add(region.toByteArray());
        }

        @Override
        public void users(SnapshotUsers users) {
            add(users.toByteArray());
        }

        private void add(byte[] message) {
            state = 31 * state + Arrays.hashCode(message);
        }
    }

    /**
     * A digest and what it is of.
     *
     * @param index the log index after which the state has this digest
     */
    public record StateDigest(long index, long digest) {}

    @Override
    public void close() {
        clients.close();
        entries.close();
    }
}
