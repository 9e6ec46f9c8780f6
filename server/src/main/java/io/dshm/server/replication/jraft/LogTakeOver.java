package io.dshm.server.replication.jraft;

import com.alipay.sofa.jraft.conf.ConfigurationManager;
import com.alipay.sofa.jraft.entity.LogEntry;
import com.alipay.sofa.jraft.entity.codec.v2.LogEntryV2CodecFactory;
import com.alipay.sofa.jraft.option.LogStorageOptions;
import com.alipay.sofa.jraft.option.RaftOptions;
import com.alipay.sofa.jraft.storage.LogStorage;
import io.dshm.proto.Limits;
import io.dshm.proto.snapshot.FileSync;
import io.dshm.server.replication.log.DiskFolder;
import io.dshm.server.replication.log.SegmentedLog;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Copies the log of a release that reads format 1 only into segments, and deletes it then. To be done at a node's
 * start, when its cluster has switched to format 2: before that, the node may go back to such a release, which has to
 * find its log.
 *
 * <p>The copy is made in a folder of another name, and brought to the disk. It gets its name at once, as a whole: until
 * then the old log is the node's, and it is as it was; from then on the new one is, and what is left of the old one is
 * deleted, at the next start if need be. Whatever prevents the copy, the node goes on with its old log.
 */
public final class LogTakeOver {

    private static final Logger LOG = LoggerFactory.getLogger(LogTakeOver.class);

    /** In a folder that is no log yet. */
    private static final String COPY = DataParts.LOG + ".new";

    private static final int GROUP_BYTES = 1024 * 1024;

    /** What is done, one after the other. A test ends the process before each. */
    enum Step {
        COPY,
        NAME_COPY,
        TELL_OLD_RELEASES,
        DELETE_OLD_LOG
    }

    /** Told of each step before it is done. */
    @FunctionalInterface
    interface Listener {
        void before(Step step) throws IOException;
    }

    private final Path folder;
    private final long owner;
    private final Progress progress;
    private final Listener listener;

    LogTakeOver(Path folder, long owner, Progress progress, Listener listener) {
        this.folder = folder;
        this.owner = owner;
        this.progress = progress;
        this.listener = listener;
    }

    /**
     * Takes over the log in that data folder, if there is an old one; and if that is not possible now, says why in this
     * process's log.
     *
     * @throws IOException if it was taken over, but the folder cannot be used
     */
    public static void run(Path folder, long owner, Progress progress) throws IOException {
        new LogTakeOver(folder, owner, progress, step -> LOG.debug("taking over the log: {}", step)).run();
    }

    void run() throws IOException {
        Path old = folder.resolve(DataParts.OLD_LOG);
        Path copy = folder.resolve(COPY);
        if (!Files.isDirectory(old)) {
            return;
        }
        Path log = folder.resolve(DataParts.LOG);
        if (!Files.isDirectory(log)) {
            listener.before(Step.COPY);
            delete(copy);
            try {
                long started = System.nanoTime();
                long entries = copyTo(copy);
                requireWhole(copy, old);
                LOG.info(
                        "the log was taken over from RocksDB: {} entries in {} ms",
                        entries,
                        TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - started));
            } catch (IOException | UncheckedIOException e) {
                LOG.warn("the log stays in RocksDB until the next start: {}", e.getMessage(), e);
                delete(copy);
                return;
            }
            listener.before(Step.NAME_COPY);
            Files.move(copy, log, StandardCopyOption.ATOMIC_MOVE);
            FileSync.sync(folder);
        } else {
            try {
                requireWhole(log, log);
            } catch (IOException e) {
                LOG.warn("the old log stays beside the new one: {}", e.getMessage(), e);
                return;
            }
        }
        listener.before(Step.TELL_OLD_RELEASES);
        DataParts.prepareForFirstFormat(folder);
        listener.before(Step.DELETE_OLD_LOG);
        delete(old);
        delete(folder.resolve(RocksDbLog.LIBRARIES));
        FileSync.sync(folder);
    }

    /**
     * Reads all of that log.
     *
     * @param said the log that the message names
     */
    private void requireWhole(Path log, Path said) throws IOException {
        long last;
        try (SegmentedLog opened = SegmentedLog.openForReading(new DiskFolder(log))) {
            last = opened.next() - 1;
        }
        long snapshot = CheckedLogStorage.lastSnapshotIndex(folder.resolve(DataParts.SNAPSHOT));
        progress.requireIndex(Math.max(last, snapshot), said);
    }

    private long copyTo(Path copy) throws IOException {
        long needed = 2 * DiskSpace.bytesIn(folder.resolve(DataParts.OLD_LOG)) + Limits.DISK_FREE_BYTES_MIN;
        long free = Files.getFileStore(folder).getUsableSpace();
        if (free < needed) {
            throw new IOException("it may need " + needed + " bytes of the disk, and " + free + " are free");
        }
        Files.createDirectories(copy);
        LogStorage from = RocksDbLog.in(folder, new RaftOptions());
        if (!from.init(storageOptions())) {
            throw new IOException("it cannot be opened; the lines before this one say why");
        }
        long copied;
        try (SegmentedLog to = SegmentedLog.open(
                new DiskFolder(copy),
                new SegmentedLog.Settings(
                        Limits.LOG_SEGMENT_BYTES_MAX,
                        Limits.LOG_STEP_BYTES,
                        () -> 0,
                        () -> ThreadLocalRandom.current().nextLong()))) {
            copied = copy(from, to);
        } finally {
            from.shutdown();
        }
        DataParts.setOwner(copy, owner);
        return copied;
    }

    static LogStorageOptions storageOptions() {
        LogStorageOptions options = new LogStorageOptions();
        options.setGroupId("offline");
        options.setConfigurationManager(new ConfigurationManager());
        options.setLogEntryCodecFactory(LogEntryV2CodecFactory.getInstance());
        return options;
    }

    private static long copy(LogStorage from, SegmentedLog to) throws IOException {
        long first = from.getFirstLogIndex();
        long last = from.getLastLogIndex();
        to.reset(first);
        List<LogEntry> group = new ArrayList<>();
        long bytes = 0;
        for (long index = first; index <= last; index++) {
            LogEntry entry = from.getEntry(index);
            if (entry == null) {
                throw new IOException("it lacks the entry at index " + index + ", and goes on to " + last);
            }
            if (entry.getId().getTerm() == 0) {
                // None of Raft's: the library puts one into RocksDB where it has emptied a log.
                break;
            }
            group.add(entry);
            bytes += EntryRecords.bytes(entry);
            if (bytes >= GROUP_BYTES) {
                EntryRecords.append(to, group);
                group.clear();
                bytes = 0;
            }
        }
        if (!group.isEmpty()) {
            EntryRecords.append(to, group);
        }
        return to.next() - first;
    }

    private static void delete(Path path) throws IOException {
        if (!Files.exists(path)) {
            return;
        }
        Files.walkFileTree(path, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path visited, @Nullable IOException failure) throws IOException {
                if (failure != null) {
                    throw failure;
                }
                Files.delete(visited);
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
