package io.dshm.server.store;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;

/**
 * All entries by their keys: {@value #SEGMENTS} {@link Segment}s, of which the high bits of a hash choose one. Each
 * grows and shrinks by itself, so that no operation takes long, however many entries there are.
 *
 * <p>A segment that has no more room is replaced by one with the same content, which is published with release
 * semantics and read with acquire semantics: a reader has the old one or the new one, and never goes back from the new
 * one to the old one.
 */
final class Table {

    static final int SEGMENT_BITS = 12;

    /** Segments; a power of two. */
    static final int SEGMENTS = 1 << SEGMENT_BITS;

    /**
     * With fewer entries in a segment there is little to gain, and chunks that begin small leave more room unused if
     * some of the entries are much larger than others. With many more it would take long to do without, because entries
     * in the order of their hashes fill a small index from one end.
     */
    private static final int EXPECTED_MIN = 400;

    /** How many more than on average a segment is prepared for: with a thousand, one in forty has more. */
    private static final int EXPECTED_SPARE_PART = 16;

    /** All segments without entries. */
    private static final Segment EMPTY = new Segment();

    private static final VarHandle SEGMENT = MethodHandles.arrayElementVarHandle(Segment[].class);

    private final Segment[] segments = new Segment[SEGMENTS];

    /** The writer's. */
    private final Cursor scratch = new Cursor();

    Table() {
        Arrays.fill(segments, EMPTY);
    }

    /**
     * Makes segments with slots for so many entries, all together, of an empty table. They are spread by a hash, so few
     * segments get many more than the others; those grow. Writer only.
     */
    void expect(long entries) {
        long each = entries / SEGMENTS;
        if (each >= EXPECTED_MIN) {
            int slots = Math.toIntExact(each + each / EXPECTED_SPARE_PART);
            Arrays.setAll(segments, number -> Segment.expecting(slots));
        }
    }

    static int numberOf(int hash) {
        return hash >>> (Integer.SIZE - SEGMENT_BITS);
    }

    /** A segment as it is; it may be replaced at any time. Any thread. */
    Segment segment(int number) {
        return (Segment) SEGMENT.getAcquire(segments, number);
    }

    /**
     * Sets the entry of a key. Writer only.
     *
     * @param slot of its segment, or negative if it has none
     */
    void put(byte[] key, int hash, int slot, Draft draft) {
        int number = numberOf(hash);
        Segment segment = segments[number];
        if (segment.hasRoomFor(slot, draft.length())) {
            segment.put(slot, draft, scratch);
        } else {
            Segment fresh = segment.rebuilt(draft.length(), scratch);
            SEGMENT.setRelease(segments, number, fresh);
            fresh.put(slot < 0 ? slot : fresh.find(key, hash), draft, scratch);
        }
        scratch.leave();
    }

    /** Removes the entry of a slot. Writer only. */
    void remove(int number, int slot) {
        segments[number].remove(slot, scratch);
        scratch.leave();
    }

    /** Gives memory back if a segment has become sparse. Writer only. */
    void shrinkIfSparse(int number) {
        Segment segment = segments[number];
        if (segment.liveCount() == 0) {
            SEGMENT.setRelease(segments, number, EMPTY);
        } else if (segment.isSparse()) {
            SEGMENT.setRelease(segments, number, segment.rebuilt(0, scratch));
            scratch.leave();
        }
    }
}
