package io.dshm.server.replication.jraft;

import com.alipay.sofa.jraft.entity.LogEntry;
import com.alipay.sofa.jraft.entity.RaftOutter.SnapshotMeta;
import com.alipay.sofa.jraft.option.LogStorageOptions;
import com.alipay.sofa.jraft.option.RaftOptions;
import com.alipay.sofa.jraft.storage.LogStorage;
import com.alipay.sofa.jraft.storage.snapshot.Snapshot;
import com.alipay.sofa.jraft.storage.snapshot.local.LocalSnapshotMetaTable;
import io.dshm.proto.Limits;
import io.dshm.server.replication.jraft.repairs.DelegatingLogStorage;
import io.dshm.server.replication.log.DamagedLogException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A log that says in {@link Progress} how far it goes, and does not open if it, or the snapshot that holds what it no
 * longer does, goes less far than that. Ends the node when an entry cannot be read. Thread-safe as the storage below.
 */
final class CheckedLogStorage extends DelegatingLogStorage {

    private static final Logger LOG = LoggerFactory.getLogger(CheckedLogStorage.class);

    private final Path folder;
    private final Path log;
    private final Progress progress;
    private final DiskSpace disk;
    private final Consumer<String> onFatal;

    /**
     * A log that is not open.
     *
     * @param folder the node's data folder
     * @param onFatal is told why this node must not start, or not go on
     */
    CheckedLogStorage(LogStorage storage, Path folder, Progress progress, DiskSpace disk, Consumer<String> onFatal) {
        super(storage);
        this.disk = disk;
        this.folder = folder;
        this.log = folder.resolve(DataParts.logIn(folder));
        this.progress = progress;
        this.onFatal = onFatal;
    }

    @Override
    public boolean init(LogStorageOptions options) {
        boolean opened = false;
        try {
            opened = open(options);
            if (!opened) {
                return false;
            }
            long snapshot = lastSnapshotIndex(folder.resolve(DataParts.SNAPSHOT));
            progress.requireIndex(Math.max(super.getLastLogIndex(), snapshot), log);
            return true;
        } catch (IOException e) {
            if (opened) {
                super.shutdown();
            }
            onFatal.accept(String.valueOf(e.getMessage()));
            return false;
        }
    }

    /** False if the disk is full: what becomes of that is said by who started this. */
    private boolean open(LogStorageOptions options) throws IOException {
        String why = "cannot be opened, the lines before this one say why";
        @Nullable IOException cause = null;
        try {
            if (super.init(options)) {
                return true;
            }
        } catch (UncheckedIOException e) {
            IOException found = Objects.requireNonNull(e.getCause());
            cause = found;
            why = "cannot be opened: " + found.getMessage();
            LOG.error("{} cannot be opened", log, found);
        }
        if (Files.getFileStore(folder).getUsableSpace() < Limits.DISK_FREE_BYTES_MIN
                && !(cause instanceof DamagedLogException)) {
            return false;
        }
        // A shortage of descriptors, a folder that may not be read or a disk that fails is no reason to delete
        // anything.
        throw cause == null || cause instanceof DamagedLogException
                ? new HalfFolderException(log, why)
                : new IOException("data-dir: " + log + " " + why, cause);
    }

    /** The last index in the newest snapshot; 0 without one. Throws as {@link #lastSnapshot}. */
    static long lastSnapshotIndex(Path snapshots) throws IOException {
        return lastSnapshot(snapshots).getLastIncludedIndex();
    }

    /**
     * The library takes a snapshot whose list of files cannot be read for none.
     *
     * @return what Raft knows of the newest snapshot; index and term 0 without one
     * @throws HalfFolderException if its list is missing or damaged
     * @throws IOException if the disk fails
     */
    static SnapshotMeta lastSnapshot(Path snapshots) throws IOException {
        long newest = SnapshotFolder.newestIndex(snapshots);
        if (newest == 0) {
            return SnapshotMeta.getDefaultInstance();
        }
        Path list = SnapshotFolder.path(snapshots, newest).resolve(Snapshot.JRAFT_SNAPSHOT_META_FILE);
        LocalSnapshotMetaTable table = new LocalSnapshotMetaTable(new RaftOptions());
        if (!Files.isRegularFile(list)) {
            throw new HalfFolderException(list, "is missing");
        }
        // The library does not tell a disk that fails from a file that is damaged: so it is read here first.
        boolean empty = Files.readAllBytes(list).length == 0;
        try {
            if (!empty && table.loadFromFile(list.toString()) && table.hasMeta()) {
                return table.getMeta();
            }
        } catch (IOException e) {
            throw new HalfFolderException(list, "is damaged", e);
        }
        throw new HalfFolderException(list, "is damaged");
    }

    /** A node that cannot read an entry of its own does not go on: the library would cut off what is behind it. */
    @Override
    public @Nullable LogEntry getEntry(long index) {
        try {
            return super.getEntry(index);
        } catch (UncheckedIOException e) {
            onFatal.accept(String.valueOf(e.getMessage()));
            throw e;
        }
    }

    @Override
    public boolean appendEntry(LogEntry entry) {
        makeRoomFor(List.of(entry));
        boolean appended = super.appendEntry(entry);
        if (appended) {
            progress.appended(entry.getId().getIndex());
        }
        return appended;
    }

    @Override
    public int appendEntries(List<LogEntry> entries) {
        makeRoomFor(entries);
        int appended = super.appendEntries(entries);
        if (appended > 0) {
            progress.appended(entries.get(appended - 1).getId().getIndex());
        }
        return appended;
    }

    private void makeRoomFor(List<LogEntry> entries) {
        long bytes = 0;
        for (LogEntry entry : entries) {
            bytes += entry.getData() == null ? 0 : entry.getData().remaining();
        }
        try {
            disk.beforeAppend(bytes);
        } catch (IOException e) {
            // Whether the entry can be appended will be seen.
            LOG.warn("it is not known how much of the disk is free", e);
        }
    }

    @Override
    public boolean truncateSuffix(long lastIndexKept) {
        return isCut(lastIndexKept) && super.truncateSuffix(lastIndexKept);
    }

    /** A snapshot holds what is before that index. */
    @Override
    public boolean reset(long nextLogIndex) {
        return isCut(nextLogIndex - 1) && super.reset(nextLogIndex);
    }

    /** What this node has applied is never cut off: it may be the last copy of it. */
    private boolean isCut(long lastIndexKept) {
        try {
            progress.cut(lastIndexKept, log);
            return true;
        } catch (HalfFolderException e) {
            onFatal.accept(String.valueOf(e.getMessage()));
            return false;
        } catch (IOException e) {
            LOG.error("nothing is cut off the log", e);
            return false;
        }
    }
}
