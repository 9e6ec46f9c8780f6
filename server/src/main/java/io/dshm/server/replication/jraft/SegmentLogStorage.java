package io.dshm.server.replication.jraft;

import com.alipay.sofa.jraft.conf.Configuration;
import com.alipay.sofa.jraft.conf.ConfigurationEntry;
import com.alipay.sofa.jraft.entity.LogEntry;
import com.alipay.sofa.jraft.option.LogStorageOptions;
import com.alipay.sofa.jraft.storage.LogStorage;
import io.dshm.proto.Limits;
import io.dshm.server.replication.log.DiskFolder;
import io.dshm.server.replication.log.LogRecord;
import io.dshm.server.replication.log.SegmentedLog;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Raft's log in a {@link SegmentedLog}. Thread-safe, in that one thread at a time appends and cuts.
 *
 * <p>To the library, an empty log ends at index 0, wherever it begins: the library takes the end from its snapshot.
 */
final class SegmentLogStorage implements LogStorage {

    private static final Logger LOG = LoggerFactory.getLogger(SegmentLogStorage.class);

    /** Of the log that a snapshot lets go of, so that segments are freed soon. */
    private static final int SEGMENTS_A_SNAPSHOT = 8;

    /** Of the largest log. */
    private static final int SPARE_SHARE = 4;

    private final Path folder;
    private final SegmentedLog.@Nullable Settings settings;
    private @Nullable SegmentedLog opened;
    private volatile boolean closed;

    /**
     * A log that is not open yet.
     *
     * @param folder of the log alone; exists
     * @param settings null if it is only to be read
     */
    SegmentLogStorage(Path folder, SegmentedLog.@Nullable Settings settings) {
        this.folder = folder;
        this.settings = settings;
    }

    /**
     * How a node's log uses its disk.
     *
     * @param snapshotLogBytes a snapshot is taken after so much of the log
     * @param logBytesMax of the whole log
     * @param disk a full one gets back what is kept to be used again
     */
    static SegmentedLog.Settings settings(long snapshotLogBytes, long logBytesMax, DiskSpace disk) {
        long share = Long.highestOneBit(Math.max(1, snapshotLogBytes / SEGMENTS_A_SNAPSHOT));
        long spare = Math.min(Limits.LOG_SPARE_BYTES_MAX, logBytesMax / SPARE_SHARE);
        LongSupplier spareBytesMax = () -> disk.isFull() ? 0 : spare;
        return new SegmentedLog.Settings(
                Math.max(Limits.LOG_SEGMENT_BYTES_MIN, Math.min(Limits.LOG_SEGMENT_BYTES_MAX, share)),
                Limits.LOG_STEP_BYTES,
                spareBytesMax,
                () -> ThreadLocalRandom.current().nextLong());
    }

    /**
     * Opens the log.
     *
     * @throws UncheckedIOException if it cannot be opened; of a {@code DamagedLogException} if something is lost
     */
    @Override
    public boolean init(LogStorageOptions options) {
        try {
            DiskFolder files = new DiskFolder(folder);
            SegmentedLog log =
                    settings == null ? SegmentedLog.openForReading(files) : SegmentedLog.open(files, settings);
            opened = log;
            if (log.tornTail() != null) {
                LOG.warn("{}", log.tornTail());
            }
            for (long index : log.withMembers()) {
                LogEntry entry = EntryRecords.entry(requireRecord(log, index));
                ConfigurationEntry members = new ConfigurationEntry();
                members.setId(entry.getId());
                members.setConf(new Configuration(entry.getPeers(), entry.getLearners()));
                if (entry.getOldPeers() != null) {
                    members.setOldConf(new Configuration(entry.getOldPeers(), entry.getOldLearners()));
                }
                options.getConfigurationManager().add(members);
            }
            return true;
        } catch (IOException e) {
            shutdown();
            throw new UncheckedIOException(e);
        }
    }

    private static LogRecord requireRecord(SegmentedLog log, long index) throws IOException {
        LogRecord found = log.read(index);
        if (found == null) {
            throw new IOException("the entry at index " + index + " is not in the log");
        }
        return found;
    }

    private SegmentedLog log() {
        SegmentedLog log = opened;
        if (log == null) {
            throw new IllegalStateException("the log is not open");
        }
        return log;
    }

    @Override
    public void shutdown() {
        closed = true;
        try {
            if (opened != null) {
                opened.close();
            }
        } catch (IOException e) {
            LOG.warn("the log is not closed; everything in it is on the disk", e);
        }
    }

    @Override
    public long getFirstLogIndex() {
        return log().first();
    }

    @Override
    public long getLastLogIndex() {
        long next = log().next();
        return next == log().first() ? 0 : next - 1;
    }

    /**
     * The entry at an index.
     *
     * @return null if the log does not have it, or is closed; a follower takes null for an entry of another leader, and
     *     cuts the log off there
     * @throws UncheckedIOException if the log has it and it cannot be read; of a {@code DamagedLogException} if it is
     *     damaged
     */
    @Override
    public @Nullable LogEntry getEntry(long index) {
        try {
            LogRecord found = log().read(index);
            return found == null ? null : EntryRecords.entry(found);
        } catch (IOException e) {
            if (closed) {
                LOG.debug("index {} is asked for, and the log is closed", index, e);
                return null;
            }
            throw new UncheckedIOException(
                    "the entry at index " + index + " of the log cannot be read: " + e.getMessage(), e);
        }
    }

    @Override
    @Deprecated
    public long getTerm(long index) {
        LogEntry entry = getEntry(index);
        return entry == null ? 0 : entry.getId().getTerm();
    }

    @Override
    public boolean appendEntry(LogEntry entry) {
        return appendEntries(List.of(entry)) == 1;
    }

    /** All of them, or none that the library may count on. */
    @Override
    public int appendEntries(List<LogEntry> entries) {
        try {
            EntryRecords.append(log(), entries);
            return entries.size();
        } catch (IOException e) {
            LOG.error("entries cannot be appended to the log in {}: {}", folder, e.getMessage(), e);
            return 0;
        }
    }

    @Override
    public boolean truncatePrefix(long firstIndexKept) {
        return cut(() -> log().cutBefore(firstIndexKept));
    }

    @Override
    public boolean truncateSuffix(long lastIndexKept) {
        return cut(() -> log().cutAfter(lastIndexKept));
    }

    @Override
    public boolean reset(long nextLogIndex) {
        return cut(() -> log().reset(nextLogIndex));
    }

    /** Gives back to the disk what is kept to be used again, as far as the settings say so now. */
    void trim() {
        if (opened != null) {
            cut(opened::trim);
        }
    }

    @FunctionalInterface
    private interface Cut {
        void run() throws IOException;
    }

    private boolean cut(Cut cut) {
        try {
            cut.run();
            return true;
        } catch (IOException e) {
            LOG.error("the log in {} cannot be cut off: {}", folder, e.getMessage(), e);
            return false;
        }
    }
}
