package io.dshm.server.replication.log;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A log of entries with consecutive indexes, in files that are called segments.
 *
 * <p><b>How it works.</b> Entries are records, one behind the other in the last segment. What is appended together is a
 * group: one write and one {@code fdatasync}. Room on the disk is taken before, by writing zeros, some of them at a
 * time; so the sync changes no size and no list of blocks, and needs no journal. When a segment is full, the next one
 * begins. A segment's head says which entries the log had when it began: the first one, and the next one to come.
 * <b>Cutting is nothing but a new segment whose head says so</b>, at either end. A segment of which no entry is left is
 * used again, under the next number and with a new salt, or deleted.
 *
 * <p>At the start, {@link Recovery} reads the heads and the records in order, and so gets to the same state.
 *
 * <p><b>Why no entry is lost that {@link #commit} has returned for.</b>
 *
 * <ol>
 *   <li>A group is written when all groups before it are on the disk. If the sync fails, nothing is ever written again,
 *       and the log has to be opened anew.
 *   <li>The next segment is there, under its name, only when all groups of this one are on the disk, its own head is,
 *       and that says where this one ends. The name is on the disk before anything is written to it.
 *   <li>So a place in which there should be a record and is none was never on the disk only if it is in the last
 *       segment, and no group begins behind it. Each record says where its group begins: one that begins later proves
 *       that something is lost, and the log does not open. Otherwise it is the last group, and whoever opens the log
 *       has to know whether it was acknowledged: the node does, as long as the machine has not lost its power
 *       ({@code Progress}).
 *   <li>What is found at the start may be in the page cache only, and what a failed sync has left is there without ever
 *       being written again. So the last group is written and synced once more, and the names are, before the log is
 *       used.
 *   <li>A segment is used again, or deleted, only when none of its entries is in the log any more, and the head that
 *       says so is on the disk.
 * </ol>
 *
 * <p><b>Why no entry comes back that was cut off, or never was in the log.</b>
 *
 * <ol>
 *   <li>A segment's head is on the disk before the file has its name, and a file gets its name at once, as a whole.
 *       Before that, the log is as before the cut; from then on it is cut at every start. A head that is damaged is no
 *       end of the log: it does not open.
 *   <li>Both sums of a record begin with its segment's salt. A record of the file's earlier use, or one that a client
 *       has put into a value, has another one: 32 bits of chance, once a start.
 *   <li>Records of the same segment may be left behind the end by a write that was not finished; they are found at the
 *       start, at any multiple of 8, by the sum of their heads. Nothing is written to that segment any more: the next
 *       entry begins another one, whose head says where this one ends. Otherwise a later entry could end where one of
 *       them begins, and it would be an entry again, behind another one than the one it followed. They are not
 *       overwritten, because a sync that fails may leave a page cache in which they are gone, and a disk on which they
 *       are not.
 * </ol>
 *
 * <p>What this relies on: a sector is written as a whole or not at all. Two groups may share one, which is then written
 * twice with the same beginning.
 *
 * <p><b>Threads.</b> One thread at a time writes; any thread reads. A reader holds the read lock, so that no file is
 * used again meanwhile; the writer takes the write lock only to change what readers see, never while it waits for the
 * disk to sync entries.
 */
public final class SegmentedLog implements Closeable {

    /**
     * What a log may take.
     *
     * @param segmentBytes of a segment, unless a group is larger
     * @param stepBytes the room on the disk that is taken at once
     * @param spareBytesMax of segments that are kept to be used again; may change
     * @param salts random numbers
     */
    public record Settings(long segmentBytes, long stepBytes, LongSupplier spareBytesMax, LongSupplier salts) {}

    private static final String SPARE = "spare";
    private static final int READ_BYTES = 4096;
    private static final int BUFFER_BYTES = 256 * 1024;
    private static final long GROUP_BYTES_MAX = 1L << 30;

    /**
     * A page. What is written at once gets one piece of the page cache, which some file systems bring to the disk as a
     * whole: with zeros of 64 KiB, each sync of 100 bytes was measured to write 64 KiB.
     */
    private static final int ZEROS_BYTES = 4096;

    private final LogFolder folder;
    private final Settings settings;
    private final SegmentFormat format = new SegmentFormat();
    private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
    private final ByteBuffer zeros = ByteBuffer.allocateDirect(ZEROS_BYTES);
    private final List<Long> withMembers;
    private final @Nullable String tornTail;

    private final ArrayDeque<Segment> segments;
    private final Runs runs;
    private volatile long first;
    private volatile long next;

    // Of the thread that writes.
    private ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);
    private long end;

    /** Behind {@link #end}, there are records that are no part of the log. */
    private boolean leftover;

    private long written;
    private int[] pending = new int[64];
    private int pendingCount;
    private boolean failed;

    private SegmentedLog(LogFolder folder, Settings settings, Recovery found) {
        this.folder = folder;
        this.settings = settings;
        this.segments = new ArrayDeque<>(found.segments);
        this.runs = found.runs;
        this.withMembers = List.copyOf(found.withMembers);
        this.tornTail = found.tornTail;
        this.first = found.first;
        this.next = found.next;
        this.end = found.end;
        this.leftover = found.tornTail != null;
    }

    /**
     * Opens the log in that folder; an empty folder is an empty log. What was found is on the disk on return.
     *
     * @throws DamagedLogException if anything is missing that was on the disk
     */
    public static SegmentedLog open(LogFolder folder, Settings settings) throws IOException {
        Recovery found = Recovery.read(folder);
        SegmentedLog log = new SegmentedLog(folder, settings, found);
        try {
            log.secure(found.lastGroup);
        } catch (IOException e) {
            log.close();
            throw e;
        }
        return log;
    }

    /** Opens the log in that folder to read it, and changes nothing. */
    public static SegmentedLog openForReading(LogFolder folder) throws IOException {
        SegmentedLog log = new SegmentedLog(folder, new Settings(0, 0, () -> 0, () -> 0), Recovery.read(folder));
        log.failed = true;
        return log;
    }

    private void secure(long lastGroup) throws IOException {
        if (folder.names().contains(SPARE)) {
            folder.delete(SPARE);
        }
        Segment current = segments.peekLast();
        if (current != null) {
            current.file.close();
            current.file = folder.open(current.name(), true);
            for (long at = lastGroup; at < end; at += buffer.limit()) {
                buffer.clear().limit((int) Math.min(buffer.capacity(), end - at));
                current.file.read(buffer, at);
                current.file.write(buffer.flip(), at);
            }
            current.file.sync();
        }
        folder.sync();
    }

    /** What is said about an end that no orderly stop leaves; null if there is nothing to say. */
    public @Nullable String tornTail() {
        return tornTail;
    }

    /** The indexes of the changes of members that were there when the log was opened. */
    public Collection<Long> withMembers() {
        return withMembers;
    }

    /** The index of the first entry, or of the next one if there is none. */
    public long first() {
        return first;
    }

    /** The index of the next entry to be appended. */
    public long next() {
        return next;
    }

    /** Reads an entry; null if the log does not have it. */
    public @Nullable LogRecord read(long index) throws IOException {
        lock.readLock().lock();
        try {
            Runs.Run run = index < first || index >= next ? null : runs.of(index);
            if (run == null) {
                return null;
            }
            Segment segment = run.segment;
            SegmentFormat reading = new SegmentFormat();
            Window window = new Window(segment.file, Long.MAX_VALUE, READ_BYTES);
            long salt = segment.head.salt();
            long at = run.offsetBefore(index);
            for (long before = (index - run.first) % Runs.STRIDE; ; before--) {
                int place = window.at(at, SegmentFormat.RECORD_HEAD_BYTES);
                boolean right = reading.isHead(window.bytes(), place, at, salt);
                long bytes = right ? SegmentFormat.padded(SegmentFormat.length(window.bytes(), place)) : 0;
                if (right && before == 0) {
                    place = window.at(at, bytes);
                    right = reading.isWhole(window.bytes(), place, salt)
                            && SegmentFormat.index(window.bytes(), place) == index;
                }
                if (!right) {
                    throw new DamagedLogException(
                            folder.pathOf(segment.name()),
                            at,
                            "there is no whole record, on the way to index " + index);
                }
                if (before == 0) {
                    return SegmentFormat.record(window.bytes(), place);
                }
                at += bytes;
            }
        } finally {
            lock.readLock().unlock();
        }
    }

    /** How many bytes an entry takes. */
    public static long bytesOf(long membersBytes, long dataBytes) {
        return SegmentFormat.recordBytes(membersBytes, dataBytes);
    }

    /**
     * Begins a group: takes the room that it needs. If this or anything up to {@link #commit} fails, the log takes
     * nothing more.
     *
     * @param bytes the sum of {@link #bytesOf} of its entries
     * @throws IOException if there is no room, or the log has failed before; nothing was appended
     */
    public synchronized void begin(long bytes) throws IOException {
        requireUsable();
        if (bytes > GROUP_BYTES_MAX) {
            throw new IOException("a group of " + bytes + " bytes is too large");
        }
        failed = true;
        if (segments.isEmpty()
                || leftover
                || (end > SegmentFormat.RECORDS_AT && end + bytes > settings.segmentBytes())) {
            roll(first, next);
        }
        Segment current = segments.getLast();
        long needed = end + bytes;
        if (needed > current.size) {
            long steps = (needed + settings.stepBytes() - 1) / settings.stepBytes();
            long size = Math.max(needed, Math.min(steps * settings.stepBytes(), settings.segmentBytes()));
            writeZeros(current, current.size, size);
            current.size = size;
        }
        buffer.clear();
        written = end;
        pendingCount = 0;
        failed = false;
    }

    /**
     * Adds an entry to the group.
     *
     * @param index the next one
     * @param type 0 to 127, for the caller to use
     * @param members empty in all but changes of members
     */
    public synchronized void add(long index, long term, int type, byte[] members, ByteBuffer data) throws IOException {
        requireUsable();
        if (index != next + pendingCount) {
            throw new IOException(
                    "the entry at index " + index + " is to be appended behind " + (next + pendingCount - 1));
        }
        failed = true;
        int bytes = (int) SegmentFormat.recordBytes(members.length, data.remaining());
        if (bytes > buffer.remaining()) {
            flush();
            if (bytes > buffer.capacity()) {
                buffer = ByteBuffer.allocateDirect(Integer.highestOneBit(bytes - 1) << 1);
            }
        }
        if (pendingCount == pending.length) {
            pending = Arrays.copyOf(pending, 2 * pendingCount);
        }
        pending[pendingCount++] = (int) (written + buffer.position());
        format.put(buffer, segments.getLast().head.salt(), (int) end, index, term, type, members, data);
        failed = false;
    }

    /**
     * Appends the group. It is on the disk on return.
     *
     * @throws IOException if that is not certain
     */
    public synchronized void commit() throws IOException {
        requireUsable();
        failed = true;
        Segment current = segments.getLast();
        flush();
        current.file.sync();
        lock.writeLock().lock();
        try {
            for (int i = 0; i < pendingCount; i++) {
                runs.add(current, next + i, pending[i]);
            }
            next += pendingCount;
        } finally {
            lock.writeLock().unlock();
        }
        end = written;
        pendingCount = 0;
        failed = false;
    }

    private void flush() throws IOException {
        int bytes = buffer.position();
        segments.getLast().file.write(buffer.flip(), written);
        written += bytes;
        buffer.clear();
    }

    private void writeZeros(Segment segment, long from, long to) throws IOException {
        for (long at = from; at < to; at += zeros.limit()) {
            zeros.clear().limit((int) Math.min(zeros.capacity(), to - at));
            segment.file.write(zeros, at);
        }
    }

    /** Forgets the entries before that index. On the disk on return, as with the other cuts. */
    public void cutBefore(long firstKept) throws IOException {
        if (firstKept > first) {
            cut(firstKept, Math.max(next, firstKept));
        }
    }

    /** Forgets the entries after that index. */
    public void cutAfter(long lastKept) throws IOException {
        if (lastKept < first - 1) {
            throw new IOException("the log begins at " + first + " and cannot be cut off behind " + lastKept);
        }
        if (lastKept < next - 1) {
            cut(first, lastKept + 1);
        }
    }

    /** Forgets everything; the next entry has that index. */
    public void reset(long index) throws IOException {
        cut(index, index);
    }

    private synchronized void cut(long newFirst, long newNext) throws IOException {
        requireUsable();
        failed = true;
        roll(newFirst, newNext);
        failed = false;
        trim();
    }

    /** Begins a segment whose head says that the log has these entries. */
    private void roll(long newFirst, long newNext) throws IOException {
        Segment previous = segments.peekLast();
        // No entry that the present heads allow is in it.
        Segment dead = takeDead();
        if (dead != null) {
            folder.rename(dead.name(), SPARE);
            folder.sync();
        }
        SegmentFormat.Head head = new SegmentFormat.Head(
                previous == null ? 1 : previous.head.number() + 1,
                settings.salts().getAsLong() | 1,
                newFirst,
                newNext,
                previous == null ? 0 : end);
        String name = SegmentFormat.name(head.number());
        try (LogFolder.LogFile file = folder.open(SPARE, true)) {
            file.write(format.head(head), 0);
            file.sync();
        }
        folder.rename(SPARE, name);
        folder.sync();
        Segment begun = new Segment(head, folder.open(name, true));
        lock.writeLock().lock();
        try {
            for (Segment segment : segments) {
                segment.closeUntilRead(folder);
            }
            segments.add(begun);
            runs.dropBefore(newFirst);
            runs.dropFrom(newNext);
            first = newFirst;
            next = newNext;
        } finally {
            lock.writeLock().unlock();
        }
        end = SegmentFormat.RECORDS_AT;
        leftover = false;
    }

    /** The first segment, if none of its entries is in the log any more, and it is not the last one. */
    private @Nullable Segment takeDead() throws IOException {
        lock.writeLock().lock();
        try {
            Segment oldest = segments.peekFirst();
            if (oldest == null || segments.size() == 1 || runs.use(oldest)) {
                return null;
            }
            segments.removeFirst();
            oldest.file.close();
            return oldest;
        } finally {
            lock.writeLock().unlock();
        }
    }

    /** Deletes segments that are not needed any more, beyond those that are kept to be used again. */
    public synchronized void trim() throws IOException {
        if (failed) {
            return;
        }
        long dead = 0;
        for (Segment segment : segments) {
            if (segment == segments.peekLast() || runs.use(segment)) {
                break;
            }
            dead += segment.size;
        }
        while (dead > settings.spareBytesMax().getAsLong()) {
            Segment oldest = takeDead();
            if (oldest == null) {
                return;
            }
            dead -= oldest.size;
            // One after the other, and none after one that failed: there is no gap at the next start, whatever happens.
            failed = true;
            folder.delete(oldest.name());
            folder.sync();
            failed = false;
        }
    }

    private void requireUsable() throws IOException {
        if (failed) {
            throw new IOException("the log is closed, or a write to it has failed");
        }
    }

    @Override
    public synchronized void close() throws IOException {
        failed = true;
        lock.writeLock().lock();
        try {
            for (Segment segment : segments) {
                segment.file.close();
            }
        } finally {
            lock.writeLock().unlock();
        }
    }
}
