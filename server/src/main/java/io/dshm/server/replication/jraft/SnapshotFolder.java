package io.dshm.server.replication.jraft;

import com.alipay.sofa.jraft.conf.Configuration;
import com.alipay.sofa.jraft.entity.LocalFileMetaOutter.LocalFileMeta;
import com.alipay.sofa.jraft.entity.LocalStorageOutter.StablePBMeta;
import com.alipay.sofa.jraft.entity.PeerId;
import com.alipay.sofa.jraft.entity.RaftOutter.SnapshotMeta;
import com.alipay.sofa.jraft.option.RaftOptions;
import com.alipay.sofa.jraft.storage.io.ProtoBufFile;
import com.alipay.sofa.jraft.storage.snapshot.Snapshot;
import com.alipay.sofa.jraft.storage.snapshot.SnapshotWriter;
import com.alipay.sofa.jraft.storage.snapshot.local.LocalSnapshotMetaTable;
import com.alipay.sofa.jraft.storage.snapshot.local.LocalSnapshotStorage;
import io.dshm.proto.snapshot.FileSync;
import io.dshm.proto.snapshot.SnapshotFormat;
import io.dshm.server.statemachine.SnapshotFiles;
import io.dshm.server.statemachine.StateSource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Where SOFAJRaft keeps its snapshots: writing one, opening the newest, and making the folder of a node that begins
 * with one.
 */
final class SnapshotFolder {

    private static final String RAFT_META = "raft_meta";

    /** The term of a new cluster's snapshot. */
    private static final long FIRST_TERM = 1;

    private SnapshotFolder() {}

    /** While the files are written, this one keeps room for {@code __raft_snapshot_meta}. */
    static final String ROOM = "room-for-meta";

    /** Some blocks: the library writes its file of a few hundred bytes anew, and then renames it. */
    private static final int ROOM_BYTES = 64 * 1024;

    /**
     * Writes this state as a snapshot, on the disk when this returns; the number of its files. Where a disk fills up,
     * it is here that something fails, and not in the library that completes the snapshot: there it would be an error
     * of the disk, which ends the node.
     */
    static int write(StateSource state, SnapshotWriter writer) throws IOException {
        Path folder = Path.of(writer.getPath());
        Path room = folder.resolve(ROOM);
        Files.write(room, new byte[ROOM_BYTES]);
        FileSync.sync(room);
        var parts = new io.dshm.server.statemachine.SnapshotWriter(folder, state).write();
        for (var part : parts) {
            LocalFileMeta meta =
                    LocalFileMeta.newBuilder().setChecksum(part.checksum()).build();
            if (!writer.addFile(part.name(), meta)) {
                throw new IOException("cannot add " + part.name() + " to the snapshot");
            }
        }
        Files.delete(room);
        // SOFAJRaft syncs neither the files nor the folder that they are in.
        FileSync.sync(folder);
        return parts.size();
    }

    /**
     * Makes, in the data folder of a node that has none yet, what the first start of a new group's member finds there:
     * a snapshot of this state with these members, and an empty log.
     *
     * @param peers the members' Raft addresses
     */
    static void found(Path dataFolder, List<PeerId> peers, StateSource state) throws IOException {
        RaftOptions options = new RaftOptions();
        Files.createDirectories(dataFolder.resolve(DataParts.LOG));
        Path meta = Files.createDirectories(dataFolder.resolve(DataParts.META));
        StablePBMeta terms = StablePBMeta.newBuilder()
                .setTerm(FIRST_TERM)
                .setVotedfor(PeerId.emptyPeer().toString())
                .build();
        if (!new ProtoBufFile(meta.resolve(RAFT_META).toString()).save(terms, true)) {
            throw new IOException("cannot write " + meta.resolve(RAFT_META));
        }
        Path snapshots = dataFolder.resolve(DataParts.SNAPSHOT);
        LocalSnapshotStorage storage = new LocalSnapshotStorage(snapshots.toString(), "", options);
        SnapshotWriter writer = storage.init(null) ? storage.create() : null;
        if (writer == null) {
            throw new IOException("cannot write into " + snapshots);
        }
        try (writer) {
            write(state, writer);
            SnapshotMeta.Builder members = SnapshotMeta.newBuilder()
                    .setLastIncludedIndex(state.header().getIndex())
                    .setLastIncludedTerm(FIRST_TERM);
            new Configuration(peers).listPeers().forEach(peer -> members.addPeers(peer.toString()));
            writer.saveMeta(members.build());
        }
        Path written = path(snapshots, state.header().getIndex());
        if (!Files.exists(written)) {
            throw new IOException("cannot write " + written);
        }
        FileSync.sync(snapshots);
        FileSync.sync(meta);
        FileSync.sync(dataFolder);
    }

    /** Opens the newest snapshot, if it is of this index or a later one. */
    static Optional<SnapshotFiles> openNewest(Path dataFolder, long indexMin) throws IOException {
        Path snapshots = dataFolder.resolve(DataParts.SNAPSHOT);
        while (true) {
            long newest = newestIndex(snapshots);
            if (newest < Math.max(1, indexMin)) {
                return Optional.empty();
            }
            try {
                return Optional.of(open(path(snapshots, newest)));
            } catch (NoSuchFileException e) {
                // A newer one is there by now.
                if (newestIndex(snapshots) <= newest) {
                    throw e;
                }
            }
        }
    }

    /** The folder of the snapshot of that index. */
    static Path path(Path snapshots, long index) {
        return snapshots.resolve(Snapshot.JRAFT_SNAPSHOT_PREFIX + index);
    }

    /** The index of the newest snapshot; 0 if there is none. */
    static long newestIndex(Path snapshots) throws IOException {
        try (Stream<Path> all = Files.list(snapshots)) {
            return all.map(path -> path.getFileName().toString())
                    .filter(name -> name.startsWith(Snapshot.JRAFT_SNAPSHOT_PREFIX))
                    .map(name -> Long.parseLong(name.substring(Snapshot.JRAFT_SNAPSHOT_PREFIX.length())))
                    .max(Comparator.naturalOrder())
                    .orElse(0L);
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    private static SnapshotFiles open(Path folder) throws IOException {
        LocalSnapshotMetaTable table = new LocalSnapshotMetaTable(new RaftOptions());
        Path metaFile = folder.resolve(Snapshot.JRAFT_SNAPSHOT_META_FILE);
        if (!Files.exists(metaFile)) {
            throw new NoSuchFileException(metaFile.toString());
        }
        if (!table.loadFromFile(metaFile.toString()) || !table.hasMeta()) {
            throw new IOException("cannot read " + metaFile);
        }
        List<FileChannel> files = new ArrayList<>();
        boolean whole = false;
        try {
            long entryCount = 0;
            for (int part = 0; part < table.listFiles().size(); part++) {
                String name = SnapshotFormat.fileName(part);
                files.add(FileChannel.open(folder.resolve(name), StandardOpenOption.READ));
                entryCount += io.dshm.server.statemachine.SnapshotWriter.Part.entryCount(
                        table.getFileMeta(name).getChecksum());
            }
            SnapshotMeta meta = table.getMeta();
            SnapshotFiles opened = new SnapshotFiles(
                    meta.getLastIncludedIndex(), meta.getLastIncludedTerm(), entryCount, List.copyOf(files));
            whole = true;
            return opened;
        } finally {
            if (!whole) {
                for (FileChannel file : files) {
                    file.close();
                }
            }
        }
    }
}
