package io.dshm.server.store;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A hash table for one writer and any number of readers without locks, in which no operation takes long.
 *
 * <p><b>How it works.</b> The high bits of a hash choose one of {@value #SEGMENTS} segments, the low bits a bucket in
 * it; a bucket is a chain of {@link Node}s. Each segment is an array that grows and shrinks by itself: at five million
 * entries a segment has about 1,200, so that to resize it takes some ten microseconds, where one large table would
 * hold up everything for as long as it takes to move five million.
 *
 * <p><b>Why readers are right.</b>
 *
 * <ul>
 *   <li>A node is complete before it is linked, and is linked at the head. So behind any node the chain only ever loses
 *       nodes, and a reader comes to its end in a bounded number of steps.
 *   <li>An unlinked node keeps its successor. A reader on it misses nothing that is still there.
 *   <li>To resize, nodes are copied, never moved, and the new array is published when it is complete. From then on the
 *       old one does not change. A reader that still uses it began before, and reads the state of that moment.
 *   <li>All links are written with release and read with acquire semantics at least, so what a reader finds includes
 *       all that the writer did before, and a reader never goes back in time.
 * </ul>
 */
final class Table {

    /** Segments; a power of two. */
    static final int SEGMENTS = 1 << 12;

    private static final int SEGMENT_SHIFT = Integer.SIZE - Integer.numberOfTrailingZeros(SEGMENTS);

    /** Buckets of a segment that has any entries, at least. */
    private static final int BUCKETS_MIN = 4;

    /** Buckets of a segment, at most: as many as the low bits of the hash can tell apart. */
    private static final int BUCKETS_MAX = 1 << SEGMENT_SHIFT;

    /** A segment with fewer entries than one for so many buckets is shrunk: far from where it grows, at one to one. */
    private static final int SPARSE_BUCKETS = 4;

    /** The one bucket of all segments without entries. Nothing is ever linked into it. */
    private static final Node[] EMPTY = new Node[1];

    private static final VarHandle SEGMENT = MethodHandles.arrayElementVarHandle(Node[][].class);
    private static final VarHandle BUCKET = MethodHandles.arrayElementVarHandle(Node[].class);

    /** The arrays of the segments, each of a power of two buckets. */
    private final Node[][] segments = new Node[SEGMENTS][];

    /** Nodes of each segment. Writer only. */
    private final int[] sizes = new int[SEGMENTS];

    Table() {
        Arrays.fill(segments, EMPTY);
    }

    static int segmentOf(int hash) {
        return hash >>> SEGMENT_SHIFT;
    }

    /** The buckets of a segment as they are; each is to be read with {@link #first}. Any thread. */
    Node[] buckets(int segment) {
        return (Node[]) SEGMENT.getAcquire(segments, segment);
    }

    /** The first node of a bucket. Any thread. */
    static @Nullable Node first(Node[] buckets, int bucket) {
        return (Node) BUCKET.getAcquire(buckets, bucket);
    }

    /** The node of that key. Any thread; allocates nothing. */
    @Nullable
    Node find(byte[] key, int hash) {
        Node[] buckets = buckets(segmentOf(hash));
        Node node = first(buckets, hash & (buckets.length - 1));
        while (node != null && !(node.hash == hash && Arrays.equals(node.key, key))) {
            node = node.next;
        }
        return node;
    }

    /** Links a key that is not there yet. Writer only. */
    void link(byte[] key, int hash, Entry entry) {
        int segment = segmentOf(hash);
        int size = ++sizes[segment];
        int length = segments[segment].length;
        if (segments[segment] == EMPTY) {
            SEGMENT.setRelease(segments, segment, new Node[BUCKETS_MIN]);
        } else if (size > length && length < BUCKETS_MAX) {
            resize(segment, 2 * length);
        }
        Node[] buckets = segments[segment];
        int bucket = hash & (buckets.length - 1);
        BUCKET.setRelease(buckets, bucket, new Node(key, hash, entry, buckets[bucket]));
    }

    /** Unlinks a node that is linked. Writer only. */
    void unlink(Node node) {
        int segment = segmentOf(node.hash);
        Node[] buckets = segments[segment];
        int bucket = node.hash & (buckets.length - 1);
        Node before = null;
        for (Node at = buckets[bucket]; at != node; at = at.next) {
            if (at == null) {
                throw new IllegalStateException("the node is not in its chain");
            }
            before = at;
        }
        if (before == null) {
            BUCKET.setRelease(buckets, bucket, node.next);
        } else {
            before.next = node.next;
        }
        sizes[segment]--;
    }

    /** Gives memory back if a segment has become sparse; says whether it did, and so moved nodes. Writer only. */
    boolean shrinkIfSparse(int segment) {
        int size = sizes[segment];
        int length = segments[segment].length;
        if (size == 0) {
            SEGMENT.setRelease(segments, segment, EMPTY);
            return length > EMPTY.length;
        }
        if (length <= BUCKETS_MIN || size >= length / SPARSE_BUCKETS) {
            return false;
        }
        resize(segment, Math.max(BUCKETS_MIN, 2 * Integer.highestOneBit(size)));
        return true;
    }

    private void resize(int segment, int length) {
        Node[] fresh = new Node[length];
        for (Node head : segments[segment]) {
            for (Node node = head; node != null; node = node.next) {
                int bucket = node.hash & (length - 1);
                fresh[bucket] = new Node(node.key, node.hash, node.entry, fresh[bucket]);
            }
        }
        SEGMENT.setRelease(segments, segment, fresh);
    }
}
