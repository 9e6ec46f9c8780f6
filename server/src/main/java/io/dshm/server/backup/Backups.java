package io.dshm.server.backup;

import io.dshm.proto.snapshot.BackupWriter;
import io.dshm.proto.wire.BackupHead;
import io.dshm.server.statemachine.SnapshotFiles;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/** Makes backups of this node's state. Thread-safe. */
public final class Backups {

    /** Where snapshots come from. */
    @FunctionalInterface
    public interface Source {

        /**
         * A snapshot of the present state. Blocks while it is written.
         *
         * @param confirmed whether it must hold everything that any node has acknowledged before this call
         * @throws IOException if there is none; the message says why
         */
        SnapshotFiles take(boolean confirmed) throws IOException, InterruptedException;
    }

    private final String cluster;
    private final String node;
    private final Supplier<List<String>> members;
    private final Source source;
    private final LongSupplier wallMillis;

    /** @param members their present list, as {@code name=host:raft-port:forwarding-port} */
    public Backups(
            String cluster, String node, Supplier<List<String>> members, Source source, LongSupplier wallMillis) {
        this.cluster = cluster;
        this.node = node;
        this.members = members;
        this.source = source;
        this.wallMillis = wallMillis;
    }

    /**
     * Writes a backup of the state as it is now. Blocks.
     *
     * @param confirmed whether it must hold everything that any node has acknowledged before this call; otherwise it
     *     holds what this node has
     * @param out gets nothing if no snapshot can be taken; it is neither flushed nor closed
     * @return what the backup says of itself
     * @throws IOException if it cannot be written, or no snapshot can be taken
     */
    public BackupHead write(boolean confirmed, OutputStream out) throws IOException, InterruptedException {
        try (SnapshotFiles snapshot = source.take(confirmed)) {
            BackupHead head = BackupHead.newBuilder()
                    .setCluster(cluster)
                    .setNode(node)
                    .addAllMembers(members.get())
                    .setIndex(snapshot.index())
                    .setTerm(snapshot.term())
                    .setCreatedMillis(wallMillis.getAsLong())
                    .setEntryCount(snapshot.entryCount())
                    .setContentBytes(snapshot.bytes())
                    .build();
            BackupWriter writer = new BackupWriter(out, head);
            snapshot.copyTo(writer);
            writer.finish();
            return head;
        }
    }
}
