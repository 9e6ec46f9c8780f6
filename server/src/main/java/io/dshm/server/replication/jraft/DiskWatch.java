package io.dshm.server.replication.jraft;

import com.alipay.sofa.jraft.Node;
import com.alipay.sofa.jraft.Status;
import com.alipay.sofa.jraft.option.RaftOptions;
import com.alipay.sofa.jraft.storage.LogStorage;
import io.dshm.server.guard.Guard;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks at the disk now and then, and does what follows: a full disk gets a snapshot, so that the log is cut off, and a
 * leader with a full disk hands the leadership to a node that has room. Thread-safe.
 */
final class DiskWatch {

    private static final Logger LOG = LoggerFactory.getLogger(DiskWatch.class);

    /** Between two looks at how much of the disk is free. */
    private static final int LOOK_MILLIS = 200;

    /** And at how much the log takes. */
    private static final long LOG_SIZE_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final RaftGroup.Settings settings;
    private final Supplier<Node> node;
    private final GroupListener.Snapshots snapshots;
    private final DiskSpace space;
    private final Path log;

    /** Who leads, as far as this node knows. */
    private volatile @Nullable String leader;

    /** At the last look. */
    private volatile long freeBytes;

    private volatile long logBytes;

    /** Of the thread that looks. */
    private long logSeenNanos = System.nanoTime();

    /**
     * The disk of a node that is about to start; looks at it once.
     *
     * @param node throws while it does not run
     */
    DiskWatch(RaftGroup.Settings settings, Supplier<Node> node, GroupListener.Snapshots snapshots) throws IOException {
        this.settings = settings;
        this.node = node;
        this.snapshots = snapshots;
        this.log = settings.folder().resolve(DataParts.logIn(settings.folder()));
        this.space = new DiskSpace(
                settings.folder(),
                settings.diskReserveBytes(),
                settings.members().all().size());
        space.look();
        freeBytes = space.freeBytes();
    }

    DiskSpace space() {
        return space;
    }

    /** The storage of the node's log, which is not open yet; gives back what it can when the disk is full. */
    LogStorage newLog(RaftOptions options) {
        if (log.endsWith(DataParts.OLD_LOG)) {
            return RocksDbLog.in(settings.folder(), options);
        }
        SegmentLogStorage storage = new SegmentLogStorage(
                log, SegmentLogStorage.settings(settings.snapshotLogBytes(), settings.logBytesMax(), space));
        space.onFull(storage::trim);
        return storage;
    }

    /** From now on it is looked at. The node runs. */
    void begin(ScheduledExecutorService background) {
        background.scheduleWithFixedDelay(
                Guard.of("looking at the disk", this::look), LOOK_MILLIS, LOOK_MILLIS, TimeUnit.MILLISECONDS);
    }

    private void look() {
        space.setOthers(settings.members().others());
        try {
            boolean due = space.look();
            freeBytes = space.freeBytes();
            long now = System.nanoTime();
            if (now - logSeenNanos > LOG_SIZE_NANOS) {
                logSeenNanos = now;
                logBytes = DiskSpace.bytesIn(log);
                due |= logBytes > settings.logBytesMax();
            }
            if (due) {
                snapshots.begin();
            }
            if (space.isFull() && node.get().isLeader(false)) {
                leaveToAnother();
            }
        } catch (IOException e) {
            LOG.warn("it is not known how much of the disk is free", e);
        }
    }

    private void leaveToAnother() {
        for (String name : settings.members().others()) {
            if (!space.isFullAt(name)) {
                Status status = node.get()
                        .transferLeadershipTo(Peers.of(settings.members().raftOf(name)));
                LOG.debug("leadership handed to {}, whose disk has room: {}", name, status);
                if (status.isOk()) {
                    return;
                }
            }
        }
    }

    /** That node leads from now on; null: nobody, as far as this node knows. */
    void leads(@Nullable String name) {
        leader = name;
    }

    /** What was seen last: bytes that are free beside the reserve, bytes of the log, the age of the newest snapshot. */
    Map<String, Object> status() {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("diskFreeBytes", freeBytes);
        fields.put("logBytes", logBytes);
        fields.put("snapshotAgeSeconds", snapshotAgeSeconds());
        return fields;
    }

    /** -1 if there is none. */
    private long snapshotAgeSeconds() {
        Path snapshots = settings.folder().resolve(DataParts.SNAPSHOT);
        try {
            long newest = SnapshotFolder.newestIndex(snapshots);
            if (newest == 0) {
                return -1;
            }
            long writtenMillis = Files.getLastModifiedTime(SnapshotFolder.path(snapshots, newest))
                    .toMillis();
            return Math.max(0, TimeUnit.MILLISECONDS.toSeconds(System.currentTimeMillis() - writtenMillis));
        } catch (IOException e) {
            // There is none yet, or a newer one at this moment.
            LOG.debug("the age of the newest snapshot is not known", e);
            return -1;
        }
    }

    /** Whether clients' writes are to be refused. */
    boolean refusesWrites() {
        return space.refusesWrites(leader, settings.self());
    }

    boolean isFull() {
        return space.isFull();
    }

    boolean isExhausted() {
        return space.isExhausted();
    }

    /** Another node has said whether its disk is full. */
    void heard(String name, boolean full) {
        space.heard(name, full);
    }

    /** Whether so many bytes of another node's snapshot may be written. */
    boolean hasRoomFor(long bytes) {
        try {
            return space.hasRoomFor(bytes);
        } catch (IOException e) {
            LOG.warn("it is not known how much of the disk is free", e);
            return false;
        }
    }
}
