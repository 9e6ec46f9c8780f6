package io.dshm.server.store;

import java.io.IOException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * All entries of a {@link Store} as they were at one moment, read by one thread while the store's writer goes on.
 *
 * <p><b>How it works.</b> Nothing is copied when the view is opened: it notes the last version written, S. Entries up
 * to S belong to the view, later ones do not. While it is open, the writer puts an entry of the view on the view's undo
 * list before it takes it out of the table. So whatever belongs to the view can be found in the table, or on the list,
 * or, for a moment, in both. The reader goes through the table segment by segment:
 *
 * <ol>
 *   <li>It makes a {@linkplain Segment#frozen frozen} copy of the segment, and delivers none of its entries yet.
 *   <li>It drains the undo list. What is not in the copy because the writer had taken it out is on the list by now,
 *       since the list was written first. A record of this segment or a later one is delivered, and its key remembered.
 *       A record of an earlier segment is dropped: it was not on the list when that segment's turn was over, so it was
 *       found in the table, and delivered.
 *   <li>It delivers the entries up to S of the copy, except the keys that it remembers from the list.
 * </ol>
 *
 * <p>So each entry is delivered exactly once, and the memory needed is the index of one segment and the keys that were
 * overwritten before their turn. A segment that is replaced meanwhile does no harm: all that the reader misses in the
 * old one is on the list.
 *
 * <p>Entries that had been flushed when the view was opened do not belong to it; entries that are flushed later do.
 * Expired ones do, as long as they were not purged: the consumer has to look at their deadline.
 *
 * <p><b>Threads.</b> {@link Store#view} is called by the writer, {@link #forEach} by one thread of the caller's choice,
 * {@link #close} by any.
 */
public final class View implements AutoCloseable {

    /** Receives the entries of a view. */
    @FunctionalInterface
    public interface Consumer {

        /**
         * Takes one entry; there is no order among them.
         *
         * @param key not to be changed
         */
        void accept(byte[] key, Entry entry) throws IOException;
    }

    /** An entry of the view that the writer took out of the table. Linked in the order in which that happened. */
    private static final class Undo {

        final Place place;
        final @Nullable Entry entry;
        volatile @Nullable Undo next;

        Undo(Place place, @Nullable Entry entry) {
            this.place = place;
            this.entry = entry;
        }
    }

    /** A key that is found by its hash. */
    @SuppressWarnings("ArrayRecordComponent") // compared by its bytes
    private record Place(byte[] key, int hash) {

        int segment() {
            return Table.numberOf(hash);
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Place place && hash == place.hash && Arrays.equals(key, place.key);
        }

        @Override
        public int hashCode() {
            return hash;
        }
    }

    private final Table table;
    private final FlushMarks marks;
    private final long version;
    private final Runnable detach;
    private final AtomicBoolean closed = new AtomicBoolean();

    /** The last record that the writer appended. Writer only. */
    private Undo undoNewest = new Undo(new Place(new byte[0], 0), null);

    /** The last record that the reader drained. Reader only. */
    private Undo undoDrained = undoNewest;

    /**
     * Segments that need no records any more: theirs have been drained. Written by the reader. The writer may see it
     * late, and then appends a record that will be dropped.
     */
    private volatile int segmentsDone;

    /** Keys delivered from the undo list that may be in a segment whose turn is still to come. */
    private final Set<Place> undone = new HashSet<>();

    private boolean walked;

    View(Table table, FlushMarks marks, long version, Runnable detach) {
        this.table = table;
        this.marks = marks;
        this.version = version;
        this.detach = detach;
    }

    /** The last version that belongs to this view. */
    public long version() {
        return version;
    }

    /**
     * Delivers every entry of the view to the consumer, once each. At most once in the life of a view.
     *
     * @throws IOException as thrown by the consumer, which gets nothing more after that
     * @throws IllegalStateException if the view is closed, also if that happens meanwhile; or was walked before
     */
    public void forEach(Consumer consumer) throws IOException {
        if (walked) {
            throw new IllegalStateException("the view was walked before");
        }
        walked = true;
        for (int segment = 0; segment < Table.SEGMENTS; segment++) {
            Segment copy = table.segment(segment).frozen();
            drain(segment, consumer);
            // Only now: if the writer stopped recording before that, close() came before, and what is seen here says
            // so.
            if (closed.get()) {
                throw new IllegalStateException("the view was closed");
            }
            segmentsDone = segment + 1;
            deliver(copy, consumer);
        }
    }

    private void deliver(Segment copy, Consumer consumer) throws IOException {
        Cursor cursor = new Cursor();
        for (int slot = 0; slot < copy.slots(); slot++) {
            if (copy.read(slot, cursor) && cursor.version() <= version) {
                byte[] key = cursor.key();
                if (undone.isEmpty() || !undone.remove(new Place(key, cursor.hash()))) {
                    deliver(key, cursor.entry(), consumer);
                }
            }
        }
    }

    private void drain(int segment, Consumer consumer) throws IOException {
        for (Undo undo = undoDrained.next; undo != null; undo = undo.next) {
            undoDrained = undo;
            if (undo.place.segment() >= segment && undo.entry != null) {
                undone.add(undo.place);
                deliver(undo.place.key, undo.entry, consumer);
            }
        }
    }

    private void deliver(byte[] key, Entry entry, Consumer consumer) throws IOException {
        if (!marks.hideAsOf(key, entry.version(), version)) {
            consumer.accept(key, entry);
        }
    }

    /** Called by the writer before it replaces or removes the entry on which that cursor stands. */
    void preserve(Cursor there) {
        if (there.version() <= version && Table.numberOf(there.hash()) >= segmentsDone) {
            Undo undo = new Undo(new Place(there.key(), there.hash()), there.entry());
            undoNewest.next = undo;
            undoNewest = undo;
        }
    }

    /** Ends the view: the writer stops recording for it, and may open another. Any thread; again has no effect. */
    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            detach.run();
        }
    }
}
