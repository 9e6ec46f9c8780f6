package io.dshm.server.replication.jraft;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether the disk of the data folder has room, on this node and on the others. The library gives a node up for good
 * when it cannot append an entry, so this node stops appending before that.
 *
 * <p>A file of zeros, {@value #RESERVE}, keeps some of the disk for this node. When less than half as much is free
 * beside it, the disk counts as full: the file is emptied, clients' writes are refused, and what is free now is for
 * entries that are on their way, and for a snapshot, so that the log can be cut off. When half of that is gone, too,
 * nothing is appended any more. When there is room for the file again, it is written again, and writes go on.
 *
 * <p>Thread-safe; {@link #look} is for one thread.
 */
final class DiskSpace {

    private static final Logger LOG = LoggerFactory.getLogger(DiskSpace.class);

    /** In the data folder. */
    static final String RESERVE = "disk-reserve";

    private static final int BLOCK_BYTES = 1 << 20;

    /** Asks for the free bytes of a disk. */
    @FunctionalInterface
    interface Usable {
        long bytes() throws IOException;
    }

    private final Path reserve;
    private final long reserveBytes;
    private final Usable usable;

    /** The others whose disks are full, as far as this node knows. */
    private final Set<String> fullPeers = ConcurrentHashMap.newKeySet();

    /** How many the group has. */
    private volatile int members;

    private volatile boolean full;
    private volatile Runnable onFull = () -> {};
    private final AtomicBoolean becameFull = new AtomicBoolean();
    private volatile boolean exhausted;

    /**
     * The disk of this folder, which exists.
     *
     * @param reserveBytes what the file takes
     * @param members of the group
     */
    DiskSpace(Path folder, long reserveBytes, int members) throws IOException {
        this(folder, reserveBytes, members, usableOf(Files.getFileStore(folder)));
    }

    /** The same, of which somebody else says how much is free. */
    DiskSpace(Path folder, long reserveBytes, int members, Usable usable) {
        this.reserve = folder.resolve(RESERVE);
        this.reserveBytes = reserveBytes;
        this.members = members;
        this.usable = usable;
    }

    private static Usable usableOf(FileStore store) {
        return store::getUsableSpace;
    }

    /**
     * Looks how much is free, and takes or gives up the reserve.
     *
     * @return whether the disk has become full since the last look
     */
    boolean look() throws IOException {
        long free = usable.bytes();
        long reserved = Files.exists(reserve) ? Files.size(reserve) : 0;
        if (!full && free + reserved < reserveBytes + reserveBytes / 2) {
            release(free);
        } else if ((full || reserved < reserveBytes) && free + reserved >= 2 * reserveBytes) {
            reserve();
            if (full) {
                LOG.info("the disk has room again ({} bytes): writes go on", free);
            }
            full = false;
            exhausted = false;
        }
        exhausted = full && usable.bytes() < reserveBytes / 2;
        return becameFull.getAndSet(false);
    }

    private synchronized void release(long free) throws IOException {
        full = true;
        becameFull.set(true);
        if (Files.exists(reserve)) {
            try (FileChannel file = FileChannel.open(reserve, StandardOpenOption.WRITE)) {
                file.truncate(0);
            }
        }
        onFull.run();
        LOG.warn(
                "the disk of {} is full ({} bytes are free beside the reserve): clients' writes get disk_full until there is room",
                reserve.getParent(),
                free);
    }

    private void reserve() throws IOException {
        ByteBuffer zeros = ByteBuffer.allocateDirect(BLOCK_BYTES);
        try (FileChannel file = FileChannel.open(reserve, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            for (long at = file.size(); at < reserveBytes; at += zeros.limit()) {
                zeros.clear().limit((int) Math.min(BLOCK_BYTES, reserveBytes - at));
                file.write(zeros, at);
            }
        }
    }

    /** Entries of so many bytes are about to be appended: another program may have taken what was free a moment ago. */
    void beforeAppend(long bytes) throws IOException {
        if (!full) {
            long free = usable.bytes();
            if (free < bytes + reserveBytes / 4) {
                release(free);
            }
        }
    }

    /** Whether so many bytes of a snapshot may be written; if not, the disk is full. */
    boolean hasRoomFor(long bytes) throws IOException {
        long needed = bytes + reserveBytes / 2;
        long free = usable.bytes();
        if (free < needed && !full) {
            release(free);
            free = usable.bytes();
        }
        return free >= needed;
    }

    /** Does that when the disk becomes full: gives back what it can. */
    void onFull(Runnable giveBack) {
        onFull = giveBack;
    }

    /** What is free beside the reserve. */
    long freeBytes() throws IOException {
        return usable.bytes();
    }

    /** Whether this node's disk is full. */
    boolean isFull() {
        return full;
    }

    /** Whether this node appends nothing more. */
    boolean isExhausted() {
        return exhausted;
    }

    /** Another node has said whether its disk is full. */
    void heard(String node, boolean isFull) {
        if (isFull) {
            fullPeers.add(node);
        } else {
            fullPeers.remove(node);
        }
    }

    /** These are the other members now: what was heard of further ones does not matter any more. */
    void setOthers(Set<String> others) {
        members = others.size() + 1;
        fullPeers.retainAll(others);
    }

    /**
     * Whether no write of a client can be taken: the leader's disk is full, or those of too many nodes for a majority.
     */
    boolean refusesWrites(@Nullable String leader, String self) {
        if (!full && fullPeers.isEmpty()) {
            return false;
        }
        int withRoom = members - fullPeers.size() - (full ? 1 : 0);
        boolean leaderFull = leader != null && (leader.equals(self) ? full : fullPeers.contains(leader));
        return leaderFull || withRoom <= members / 2;
    }

    /** Whether that node is known to have no room. */
    boolean isFullAt(String node) {
        return fullPeers.contains(node);
    }

    /** The sizes of all files in a folder, in bytes; those that vanish meanwhile do not count. */
    static long bytesIn(Path folder) throws IOException {
        long bytes = 0;
        try (var files = Files.newDirectoryStream(folder)) {
            for (Path file : files) {
                Map<String, Object> seen = Map.of();
                try {
                    seen = Files.readAttributes(file, "size");
                } catch (java.nio.file.NoSuchFileException e) {
                    LOG.trace("{} has gone", file, e);
                }
                bytes += seen.get("size") instanceof Long size ? size : 0;
            }
        }
        return bytes;
    }
}
