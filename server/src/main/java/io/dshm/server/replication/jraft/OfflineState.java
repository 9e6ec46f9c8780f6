package io.dshm.server.replication.jraft;

import com.alipay.sofa.jraft.entity.EnumOutter.EntryType;
import com.alipay.sofa.jraft.entity.LogEntry;
import com.alipay.sofa.jraft.entity.RaftOutter.SnapshotMeta;
import com.alipay.sofa.jraft.option.RaftOptions;
import com.alipay.sofa.jraft.storage.LogStorage;
import io.dshm.server.statemachine.CorruptStateException;
import io.dshm.server.statemachine.SnapshotReader;
import io.dshm.server.statemachine.StateMachine;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;

/** What the data folder of a node that does not run holds: its newest snapshot, and all of its log behind that. */
public final class OfflineState {

    private OfflineState() {}

    /**
     * How far the data go.
     *
     * @param snapshotIndex the last index in the snapshot, 0 without one
     * @param lastIndex the last one in the log, or in the snapshot if there is none behind it
     * @param lastTerm its term, 0 if there is neither
     */
    public record Extent(long snapshotIndex, long lastIndex, long lastTerm) {

        /** Up to where the node had kept entries, if these do not go so far; 0 if they do. */
        public long missingUpTo(Progress progress) {
            return progress.lastIndex() > lastIndex ? progress.lastIndex() : 0;
        }
    }

    /**
     * Applies all of it, also what the node did not know to be committed: any of it may have been acknowledged.
     *
     * @param into an empty state machine
     * @throws IOException if a part cannot be read, is damaged or has a gap; the message says which
     */
    public static Extent read(Path folder, StateMachine into) throws IOException {
        Path snapshots = folder.resolve(DataParts.SNAPSHOT);
        try {
            SnapshotMeta snapshot = CheckedLogStorage.lastSnapshot(snapshots);
            long index = snapshot.getLastIncludedIndex();
            if (index > 0) {
                into.load(new SnapshotReader(SnapshotFolder.path(snapshots, index)));
            }
            return readLog(folder, index, snapshot.getLastIncludedTerm(), into);
        } catch (CorruptStateException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    private static Extent readLog(Path folder, long snapshot, long snapshotTerm, StateMachine into) throws IOException {
        Path path = folder.resolve(DataParts.logIn(folder));
        LogStorage log = path.endsWith(DataParts.OLD_LOG)
                ? RocksDbLog.in(folder, new RaftOptions())
                : new SegmentLogStorage(path, null);
        try {
            if (!log.init(LogTakeOver.storageOptions())) {
                throw new IOException(path + " cannot be opened; the lines before this one say why");
            }
        } catch (UncheckedIOException e) {
            throw new IOException(path + " cannot be opened: " + e.getMessage(), e);
        }
        try {
            long last = log.getLastLogIndex();
            long term = snapshotTerm;
            for (long index = Math.max(snapshot + 1, 1); index <= last; index++) {
                LogEntry entry = log.getEntry(index);
                if (entry == null) {
                    throw new IOException(path + " lacks the entry at index " + index + ", and goes on to " + last);
                }
                term = entry.getId().getTerm();
                if (entry.getType() == EntryType.ENTRY_TYPE_DATA) {
                    into.apply(index, entry.getData());
                }
            }
            return new Extent(snapshot, Math.max(snapshot, last), term);
        } catch (UncheckedIOException e) {
            throw new IOException(path + ": " + e.getMessage(), e);
        } finally {
            log.shutdown();
        }
    }
}
