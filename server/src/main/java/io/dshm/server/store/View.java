package io.dshm.server.store;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * All entries of a {@link Store} as they were at one moment, read by one thread while the store's writer goes on.
 *
 * <p><b>How it works.</b> Nothing is copied when the view is opened: it notes the last version written, S. Entries up to S
 * belong to the view, later ones do not. While it is open, the writer puts an entry of the view on the view's undo
 * list before it takes it out of the table. So whatever belongs to the view can be found in the table, or on the
 * list, or, for a moment, in both. The reader goes through the table segment by segment:
 *
 * <ol>
 *   <li>It collects the entries up to S that it finds in the segment, and delivers none of them yet.
 *   <li>It drains the undo list. What it did not find in step 1 because the writer had taken it out is on the list by
 *       now, since the list was written first. A record of this segment or a later one is delivered, and its key
 *       remembered. A record of an earlier segment is dropped: it was not on the list when that segment's turn was over, so
 *       it was found in the table, and delivered.
 *   <li>It delivers what it collected, except the keys that it remembers from the list.
 * </ol>
 *
 * <p>So each entry is delivered exactly once, and the memory needed is one segment and the keys that were overwritten
 * before their turn. A segment that is resized meanwhile does no harm: the reader goes through one array from beginning
 * to end, and all that it misses in the old one is on the list.
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

        final byte[] key;
        final int segment;
        final @Nullable Entry entry;
        volatile @Nullable Undo next;

        Undo(byte[] key, int segment, @Nullable Entry entry) {
            this.key = key;
            this.segment = segment;
            this.entry = entry;
        }
    }

    private final Table table;
    private final FlushMarks marks;
    private final long version;
    private final Runnable detach;
    private final AtomicBoolean closed = new AtomicBoolean();

    /** The last record that the writer appended. Writer only. */
    private Undo undoNewest = new Undo(new byte[0], -1, null);

    /** The last record that the reader drained. Reader only. */
    private Undo undoDrained = undoNewest;

    /**
     * Segments that need no records any more: theirs have been drained. Written by the reader. The writer may see it
     * late, and then appends a record that will be dropped.
     */
    private volatile int segmentsDone;

    /**
     * Keys delivered from the undo list whose segment's turn was still to come. By identity: a key's array stays the same
     * for as long as its entry belongs to the view, and comparing millions of keys would take long.
     */
    private final Set<byte[]> undone = Collections.newSetFromMap(new IdentityHashMap<>());

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
        List<byte[]> keys = new ArrayList<>();
        List<Entry> entries = new ArrayList<>();
        for (int segment = 0; segment < Table.SEGMENTS; segment++) {
            collect(segment, keys, entries);
            drain(segment, consumer);
            // Only now: if the writer stopped recording before that, close() came before, and what is seen here says
            // so.
            if (closed.get()) {
                throw new IllegalStateException("the view was closed");
            }
            segmentsDone = segment + 1;
            for (int i = 0; i < keys.size(); i++) {
                if (!undone.remove(keys.get(i))) {
                    deliver(keys.get(i), entries.get(i), consumer);
                }
            }
            keys.clear();
            entries.clear();
        }
    }

    private void collect(int segment, List<byte[]> keys, List<Entry> entries) {
        Node[] buckets = table.buckets(segment);
        for (int bucket = 0; bucket < buckets.length; bucket++) {
            for (Node node = Table.first(buckets, bucket); node != null; node = node.next) {
                Entry entry = node.entry;
                if (entry.version() <= version) {
                    keys.add(node.key);
                    entries.add(entry);
                }
            }
        }
    }

    private void drain(int segment, Consumer consumer) throws IOException {
        for (Undo undo = undoDrained.next; undo != null; undo = undo.next) {
            undoDrained = undo;
            if (undo.segment >= segment && undo.entry != null) {
                undone.add(undo.key);
                deliver(undo.key, undo.entry, consumer);
            }
        }
    }

    private void deliver(byte[] key, Entry entry, Consumer consumer) throws IOException {
        if (!marks.hideAsOf(key, entry.version(), version)) {
            consumer.accept(key, entry);
        }
    }

    /** Called by the writer before it replaces the entry of a node or unlinks the node. */
    void preserve(Node node) {
        Entry entry = node.entry;
        int segment = Table.segmentOf(node.hash);
        if (entry.version() <= version && segment >= segmentsDone) {
            Undo undo = new Undo(node.key, segment, entry);
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
