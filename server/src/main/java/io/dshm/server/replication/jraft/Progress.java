package io.dshm.server.replication.jraft;

import io.dshm.proto.snapshot.FileSync;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32C;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How far this node had come: up to which index it has entries on its disk, in its log or in a snapshot, and in which
 * term it has voted for whom. It lies beside the parts that hold this, so that one of them that is missing, or an older
 * copy, is noticed at the next start.
 *
 * <p>What is in the file is never ahead of what is on the disk: it is written after an entry or a vote is, and before
 * entries are cut off. So it need not be synced for each of them, and costs a write of some bytes into the page cache.
 * After the end of a process it is exact; after a power cut it may be some seconds behind, and less is noticed then.
 *
 * <p>It does not help against an older copy of the whole folder. Thread-safe.
 */
public final class Progress implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Progress.class);

    private static final String FILE = "progress";
    private static final long MAGIC = 0x4453484d_50524f31L; // DSHMPRO1
    private static final int RECORD_BYTES = 7 * Long.BYTES;
    private static final int FILE_BYTES = RECORD_BYTES + Integer.BYTES;

    private final Path path;
    private final FileChannel file;
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(FILE_BYTES);
    private final CRC32C sum = new CRC32C();
    private final long owner;

    private long starts;
    private long lastIndex;
    private long term;
    private long vote;
    private boolean isBehind;

    /** Written by the thread that applies. In the file it is as old as the last append. */
    private volatile long applied;

    private Progress(Path path, FileChannel file, long owner) {
        this.path = path;
        this.file = file;
        this.owner = owner;
    }

    /** Begins a new file in that folder: nothing is known. It is on the disk on return. */
    public static Progress create(Path folder, long owner) throws IOException {
        Path path = folder.resolve(FILE);
        Progress progress = new Progress(
                path,
                FileChannel.open(
                        path,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.TRUNCATE_EXISTING,
                        StandardOpenOption.WRITE),
                owner);
        progress.write();
        progress.file.force(true);
        FileSync.sync(folder);
        return progress;
    }

    /**
     * Opens that folder's file.
     *
     * @throws HalfFolderException if it is missing, damaged, or another folder's
     */
    public static Progress open(Path folder, long owner) throws IOException {
        Path path = folder.resolve(FILE);
        ByteBuffer read;
        try {
            read = ByteBuffer.wrap(Files.readAllBytes(path));
        } catch (NoSuchFileException e) {
            throw new HalfFolderException(path, "is missing", e);
        }
        CRC32C sum = new CRC32C();
        if (read.capacity() == FILE_BYTES) {
            sum.update(read.slice(0, RECORD_BYTES));
        }
        if (read.capacity() != FILE_BYTES
                || read.getInt(RECORD_BYTES) != (int) sum.getValue()
                || read.getLong() != MAGIC) {
            throw new HalfFolderException(path, "is damaged");
        }
        if (read.getLong() != owner) {
            throw new HalfFolderException(path, "belongs to another node's data");
        }
        Progress progress = new Progress(path, FileChannel.open(path, StandardOpenOption.WRITE), owner);
        progress.starts = read.getLong();
        progress.lastIndex = read.getLong();
        progress.term = read.getLong();
        progress.vote = read.getLong();
        progress.applied = read.getLong();
        return progress;
    }

    /** How often the node had started when this was written last. */
    public synchronized long starts() {
        return starts;
    }

    /** The last index of an entry that the node has kept, in its log or in a snapshot. */
    synchronized long lastIndex() {
        return lastIndex;
    }

    /** The last index that the node is known to have applied, as old as its last append. */
    public long committed() {
        return applied;
    }

    /** The node starts for that time. */
    public synchronized void setStarts(long value) throws IOException {
        starts = value;
        write();
    }

    /**
     * Checks what is there.
     *
     * @param index the last one in the log, or in the last snapshot
     * @throws HalfFolderException if there was more
     */
    synchronized void requireIndex(long index, Path log) throws HalfFolderException {
        if (index < lastIndex) {
            throw new HalfFolderException(
                    log, "ends at index " + index + ", but this node has kept entries up to " + lastIndex);
        }
    }

    /** Entries up to this index are on the disk. */
    synchronized void appended(long index) {
        lastIndex = index;
        try {
            write();
            isBehind = false;
        } catch (IOException e) {
            // The entries are on the disk. Less than it could will be noticed at the next start: no reason to stop.
            if (!isBehind) {
                LOG.warn("{} cannot be written; it is tried again with each entry", path, e);
            }
            isBehind = true;
        }
    }

    /** This node has applied all entries up to this index: they are committed. Only the thread that applies. */
    void applied(long index) {
        applied = Math.max(applied, index);
    }

    /**
     * The entries after this index are going to be cut off. That is on the disk on return.
     *
     * @throws HalfFolderException if this node has applied some of them: who leads does not have what was committed
     */
    synchronized void cut(long lastIndexKept, Path log) throws IOException {
        if (lastIndexKept < applied) {
            throw new HalfFolderException(
                    log,
                    "has entries up to " + applied + " that are committed, but the present leader has other ones after "
                            + lastIndexKept + ": the other nodes have lost data, or are a new cluster");
        }
        if (lastIndexKept < lastIndex) {
            lastIndex = lastIndexKept;
            write();
            file.force(false);
        }
    }

    /**
     * Checks what is there.
     *
     * @throws HalfFolderException if the node had been in a later term, or had voted for somebody else in this one
     */
    synchronized void requireVote(long storedTerm, String votedFor, Path meta) throws HalfFolderException {
        if (storedTerm < term) {
            throw new HalfFolderException(meta, "has term " + storedTerm + ", but this node had come to term " + term);
        }
        if (storedTerm == term && vote != 0 && vote != numberOf(votedFor)) {
            throw new HalfFolderException(meta, "has another vote in term " + term + " than this node had given");
        }
    }

    /** That term and vote are on the disk. */
    synchronized void voted(long newTerm, String votedFor) {
        term = newTerm;
        vote = numberOf(votedFor);
        try {
            write();
        } catch (IOException e) {
            LOG.warn("{} cannot be written; an older vote would not be noticed at the next start", path, e);
        }
    }

    private static long numberOf(String votedFor) {
        if (votedFor.isEmpty()) {
            return 0;
        }
        CRC32C sum = new CRC32C();
        sum.update(votedFor.getBytes(StandardCharsets.UTF_8));
        // Not 0, which is no vote.
        return 1 + sum.getValue();
    }

    private void write() throws IOException {
        buffer.clear();
        buffer.putLong(MAGIC)
                .putLong(owner)
                .putLong(starts)
                .putLong(lastIndex)
                .putLong(term)
                .putLong(vote)
                .putLong(applied);
        sum.reset();
        sum.update(buffer.slice(0, RECORD_BYTES));
        buffer.putInt((int) sum.getValue()).flip();
        while (buffer.hasRemaining()) {
            file.write(buffer, buffer.position());
        }
    }

    @Override
    public synchronized void close() throws IOException {
        write();
        file.force(true);
        file.close();
    }
}
