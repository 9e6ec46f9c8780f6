package io.dshm.server.store;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Some thousandth of all entries, without an object for any of them: for one writer and any number of readers without
 * locks.
 *
 * <p><b>How it works.</b> Entries are records (see {@link Draft}) that stand one after the other in chunks, which are
 * arrays of bytes. A hash table of numbers, the index, says where: a slot holds {@link #FREE}, {@link #REMOVED}, or a
 * chunk's number, a place in it, and some bits of the hash, by which most other keys are told apart without a look at
 * the record. A key is looked for from the slot of its hash on, slot by slot, up to a free one. To change an entry is
 * to append a record and to point its slot there; to remove it, to mark the slot. What no slot points to any more is
 * garbage. When the index is full, or there is no room and a ninth of the chunks is garbage, the writer makes a new
 * segment of what is alive ({@link #rebuilt}), and the {@link Table} puts it into the place of this one: some ten
 * microseconds for the thousand entries that a segment has when there are five million.
 *
 * <p>What is large or has a shape of its own, as a list, is an object beside: the content that the record refers to.
 *
 * <p><b>Why readers are right.</b>
 *
 * <ul>
 *   <li>A record, the chunk that it stands in and its content are complete before its slot is written, with release
 *       semantics, and are read after the slot, with acquire semantics. A record does not change after that, nor does
 *       the place in a chunk get another.
 *   <li>A slot that is free can come to hold a key. From then on it is this key's, or removed, as long as the segment
 *       is used: no slot is used again. So a reader that looks for a key finds its slot if the key was there when it
 *       began and stays, and comes to a free slot or the end of all slots in a bounded number of steps otherwise.
 *   <li>A segment that was replaced does not change any more: neither index nor chunks nor contents. Whoever reads it
 *       began before that, and sees the state of that moment. The collector takes it when nobody does.
 *   <li>So that a long list does not live on until the next rebuilding, a content is dropped as soon as its record is
 *       replaced: after its slot was written. A reader that finds none reads the slot again, and finds what came after
 *       it.
 * </ul>
 *
 * <p>{@code SegmentTest} lets a writer do anything between a reader's two steps, {@link #find} and {@link #read}.
 */
final class Segment {

    /** A slot that no key ever had. */
    static final int FREE = 0;

    /** The slot of a key that is not there any more. */
    static final int REMOVED = 1;

    /** Low bits of a slot: where in a chunk the record begins, in units of {@link #UNIT_BYTES}. */
    private static final int START_BITS = 14;

    /** The bits above: the chunk's number plus one, so that no slot of a key is {@link #FREE} or {@link #REMOVED}. */
    private static final int CHUNK_BITS = 10;

    /** The bits above: the low ones of the hash, which have not chosen the slot. */
    private static final int TAG_SHIFT = START_BITS + CHUNK_BITS;

    private static final int TAGS = (1 << (Integer.SIZE - TAG_SHIFT)) - 1;

    private static final int UNIT_BYTES = 4;

    /** Chunks are as large as places can be told, at most; a record that is larger has a chunk of its own. */
    private static final int CHUNK_BYTES_MAX = UNIT_BYTES << START_BITS;

    /** And that large at least: room for some records more than the first. */
    private static final int CHUNK_BYTES_MIN = 256;

    private static final int CHUNKS_MAX = (1 << CHUNK_BITS) - 1;

    /**
     * A new chunk is as large as this part of what is alive; so much room and as much garbage there is, at most. While
     * entries are {@linkplain #entriesExpected expected}, there may be more.
     */
    private static final int ROOM_PART = 8;

    private static final VarHandle SLOT = MethodHandles.arrayElementVarHandle(int[].class);
    private static final VarHandle CONTENT = MethodHandles.arrayElementVarHandle(Object[].class);

    private static final Object[] NO_CONTENTS = {};

    private final int[] index;

    /**
     * Replaced by larger ones; whoever has read a slot sees those that were there when it was written, or later ones.
     */
    private byte[][] chunks = new byte[2][];

    private Object[] contents = NO_CONTENTS;

    // The writer's own from here on.

    /** How many slots may be used, so that there are always some free ones. */
    private final int slotsMax;

    /** What the chunks shall have room for, all together, before they grow by parts. */
    private final long bytesPlanned;

    /** How many entries are sure to come; until then the chunks grow faster. 0 when the first entry is replaced. */
    private int entriesExpected;

    private int chunkCount;
    private int contentCount;

    /** The end of the last record in the last chunk. */
    private int tail;

    /** Slots that are not free. */
    private int slotsUsed;

    private int liveCount;
    private long liveBytes;

    /** Of all chunks together. */
    private long chunkBytes;

    /** A segment without entries, to which none can be added: it is to be {@linkplain #rebuilt} first. */
    Segment() {
        this(new int[1], 0, 0, 0);
    }

    private Segment(int[] index, int slotsMax, long bytesPlanned, int entriesExpected) {
        this.index = index;
        this.slotsMax = slotsMax;
        this.bytesPlanned = bytesPlanned;
        this.entriesExpected = entriesExpected;
    }

    /** A segment without entries, with slots for so many. */
    static Segment expecting(int entries) {
        return new Segment(newIndex(entries), entries, 0, entries);
    }

    /** At most three quarters of the slots are used. */
    private static int[] newIndex(int slotsMax) {
        return new int[slotsMax + slotsMax / 3 + 1];
    }

    /** How many slots there are, numbered from 0 on. Any thread. */
    int slots() {
        return index.length;
    }

    /** What a slot holds. Any thread. */
    int slot(int number) {
        return (int) SLOT.getAcquire(index, number);
    }

    /** Whether that is the slot of a key that is there. */
    static boolean isLive(int slot) {
        return slot != FREE && slot != REMOVED;
    }

    /**
     * The number of the slot that a key has, or -1. A reader that looks into it may find it removed. Any thread;
     * allocates nothing.
     */
    int find(byte[] key, int hash) {
        int number = firstOf(hash);
        for (int steps = index.length; steps > 0; steps--) {
            int slot = slot(number);
            if (slot == FREE) {
                return -1;
            }
            if (isLive(slot) && slot >>> TAG_SHIFT == (hash & TAGS) && holds(slot, key, hash)) {
                return number;
            }
            number = number + 1 == index.length ? 0 : number + 1;
        }
        return -1;
    }

    private int firstOf(int hash) {
        // The high bits have chosen the segment.
        long fraction = Integer.toUnsignedLong(hash << Table.SEGMENT_BITS);
        return (int) ((fraction * index.length) >>> Integer.SIZE);
    }

    private boolean holds(int slot, byte[] key, int hash) {
        byte[] chunk = chunkOf(slot);
        int at = startOf(slot);
        if ((int) Cursor.INTS.get(chunk, at) != hash) {
            return false;
        }
        int lengthAt = at + Integer.BYTES + 1;
        if (Varints.read(chunk, lengthAt) != key.length) {
            return false;
        }
        int keyAt = Varints.end(chunk, lengthAt);
        return Arrays.equals(chunk, keyAt, keyAt + key.length, key, 0, key.length);
    }

    private byte[] chunkOf(int slot) {
        return chunks[((slot >>> START_BITS) & CHUNKS_MAX) - 1];
    }

    private static int startOf(int slot) {
        return (slot & ((1 << START_BITS) - 1)) * UNIT_BYTES;
    }

    /**
     * Moves a cursor to the entry of a slot. Any thread; allocates nothing.
     *
     * @return false if there is none; then the cursor is anywhere
     */
    boolean read(int number, Cursor cursor) {
        int slot = slot(number);
        while (isLive(slot)) {
            if (moveTo(slot, cursor)) {
                return true;
            }
            int now = slot(number);
            if (now == slot) {
                // Only in a frozen copy: what came after it is not in here.
                return false;
            }
            slot = now;
        }
        return false;
    }

    /** Says false if the content is dropped. */
    private boolean moveTo(int slot, Cursor cursor) {
        cursor.moveTo(chunkOf(slot), startOf(slot));
        if (!cursor.refers()) {
            return true;
        }
        Object content = CONTENT.getAcquire(contents, cursor.contentNumber());
        cursor.setContent(content);
        return content != null;
    }

    /**
     * A copy that shows what is in here now, and then stays as it is. An entry is missing whose content was dropped
     * meanwhile. Any thread.
     */
    Segment frozen() {
        int[] slots = new int[index.length];
        for (int number = 0; number < slots.length; number++) {
            slots[number] = slot(number);
        }
        Segment copy = new Segment(slots, 0, 0, 0);
        // After all slots: so they have what any of them refers to.
        copy.chunks = chunks;
        copy.contents = contents.clone();
        // Who finds a content dropped sees all that the writer did before it was.
        VarHandle.acquireFence();
        return copy;
    }

    /** Entries. Writer only. */
    int liveCount() {
        return liveCount;
    }

    /** Reads the places that a put of that key reads first, for {@link Store#prefetch}. Writer only. */
    int prefetch(int hash) {
        int slot = index[firstOf(hash)];
        int read = slot;
        // In this order: most slots have another tag, so the processor guesses it, and does not wait for the slot.
        if (slot >>> TAG_SHIFT == (hash & TAGS) && isLive(slot)) {
            read += chunkOf(slot)[startOf(slot)];
        }
        if (chunkCount > 0) {
            byte[] last = chunks[chunkCount - 1];
            read += last[Math.min(tail, last.length - 1)];
        }
        return read;
    }

    /** Whether there is room for a record at that slot, or, if the number is negative, at a new one. Writer only. */
    boolean hasRoomFor(int number, int recordBytes) {
        boolean slotIsThere = number >= 0 || slotsUsed < slotsMax;
        boolean chunkHasRoom = chunkCount > 0 && fits(rounded(recordBytes));
        // What is not alive was removed, or left over at a chunk's end, of which there are many while chunks are small.
        long garbageMax = liveCount < entriesExpected ? liveBytes + CHUNK_BYTES_MIN : liveBytes / ROOM_PART;
        boolean mayGrow = chunkBytes <= liveBytes + garbageMax && chunkCount < CHUNKS_MAX;
        return slotIsThere && (chunkHasRoom || mayGrow);
    }

    private boolean fits(int recordBytes) {
        return tail + recordBytes <= chunks[chunkCount - 1].length && tail < CHUNK_BYTES_MAX;
    }

    /** Whether so much has been removed that it should be {@linkplain #rebuilt}. Writer only. */
    boolean isSparse() {
        return chunkBytes > liveBytes + liveBytes / 2 + 2 * CHUNK_BYTES_MIN || slotsMax > 4 * liveCount + 8;
    }

    /**
     * Sets the entry of a key; there is {@linkplain #hasRoomFor room}. Writer only.
     *
     * @param number of its slot, or negative if it has none
     * @param scratch is left anywhere
     */
    void put(int number, Draft draft, Cursor scratch) {
        int place = append(draft.bytes(), 0, draft.length(), draft.content());
        if (number < 0) {
            add(draft.hash(), place);
        } else {
            replace(number, tagged(draft.hash(), place), scratch);
        }
    }

    /** Removes the entry of a slot. Writer only. */
    void remove(int number, Cursor scratch) {
        replace(number, REMOVED, scratch);
        liveCount--;
    }

    private void replace(int number, int slot, Cursor scratch) {
        // No new one is expected then, and what is replaced is garbage: the same holds for it as in other segments.
        entriesExpected = 0;
        int before = index[number];
        SLOT.setRelease(index, number, slot);
        scratch.moveTo(chunkOf(before), startOf(before));
        liveBytes -= rounded(scratch.recordBytes());
        if (scratch.refers()) {
            // The last of all.
            CONTENT.setRelease(contents, scratch.contentNumber(), null);
        }
    }

    private static int tagged(int hash, int place) {
        return ((hash & TAGS) << TAG_SHIFT) | place;
    }

    private void add(int hash, int place) {
        int number = firstOf(hash);
        while (index[number] != FREE) {
            number = number + 1 == index.length ? 0 : number + 1;
        }
        SLOT.setRelease(index, number, tagged(hash, place));
        slotsUsed++;
        liveCount++;
    }

    /** Puts a record behind the others, where nobody looks yet, and says where. */
    private int append(byte[] from, int at, int length, @Nullable Object content) {
        int taken = rounded(length);
        if (chunkCount == 0 || !fits(taken)) {
            addChunk(taken);
        }
        byte[] chunk = chunks[chunkCount - 1];
        int start = tail;
        System.arraycopy(from, at, chunk, start, length);
        if (content != null) {
            Cursor.INTS.set(chunk, start + length - Integer.BYTES, addContent(content));
        }
        tail += taken;
        liveBytes += taken;
        return (chunkCount << START_BITS) | (start / UNIT_BYTES);
    }

    private static int rounded(int length) {
        return (length + UNIT_BYTES - 1) & -UNIT_BYTES;
    }

    private void addChunk(int recordBytes) {
        if (chunkCount == CHUNKS_MAX) {
            throw new IllegalStateException("a segment of " + chunkBytes + " bytes");
        }
        if (chunkCount == chunks.length) {
            chunks = Arrays.copyOf(chunks, 2 * chunkCount);
        }
        long wanted = Math.max(bytesPlanned - chunkBytes, Math.max(liveBytes / ROOM_PART, bytesExpected()));
        long bytes = Math.max(CHUNK_BYTES_MIN, Math.min(wanted, CHUNK_BYTES_MAX));
        // A whole number of records like this one: so nothing is left over where all are alike.
        int records = (int) ((bytes + recordBytes - 1) / recordBytes);
        byte[] chunk = new byte[records * recordBytes];
        chunks[chunkCount] = chunk;
        chunkCount++;
        chunkBytes += chunk.length;
        tail = 0;
    }

    /** What the entries to come take, if they are like those that are there; as much as those at most. */
    private long bytesExpected() {
        int missing = entriesExpected - liveCount;
        return missing <= 0 || liveCount == 0 ? 0 : Math.min(liveBytes, liveBytes / liveCount * missing);
    }

    private int addContent(Object content) {
        if (contentCount == contents.length) {
            contents = Arrays.copyOf(contents, contentCount + contentCount / ROOM_PART + 2);
        }
        contents[contentCount] = content;
        return contentCount++;
    }

    /**
     * A segment with the same entries that has no garbage, and room for more of them. This one must not be written any
     * more. Writer only.
     *
     * @param recordBytes of the record that is to be added
     * @param scratch is left anywhere
     */
    Segment rebuilt(int recordBytes, Cursor scratch) {
        int slots = liveCount + liveCount / 2 + 2;
        long room = Math.max(liveBytes / ROOM_PART, rounded(recordBytes));
        Segment fresh = new Segment(newIndex(slots), slots, liveBytes + room, 0);
        for (int slot : index) {
            if (isLive(slot)) {
                moveTo(slot, scratch);
                int place = fresh.append(chunkOf(slot), startOf(slot), scratch.recordBytes(), scratch.content());
                fresh.add(scratch.hash(), place);
            }
        }
        return fresh;
    }
}
