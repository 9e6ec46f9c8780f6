package io.dshm.server.store;

import io.dshm.server.store.limiters.Limiter;
import io.dshm.server.store.limiters.Meter;
import io.dshm.server.store.limiters.SlidingLog;

/**
 * What entries count for where memory is limited: a formula over sizes. All nodes of a cluster must have the same one,
 * since the leader decides by it for all.
 */
public final class EntryBytes {

    /**
     * What an entry costs beside its key and value: the rest of its record, 11 to 18 bytes, and its slots in the index,
     * 5 to 8. Part of the formula of {@link #of}.
     */
    private static final long ENTRY_BYTES = 24;

    /**
     * One for so many bytes of records: the room that is free for more of them, and what was replaced and is not yet
     * collected.
     */
    private static final int ROOM_PART = 9;

    /** What the flags of a typed value take. */
    private static final long TYPED_BYTES = 2;

    private static final long NUMBER_BYTES = Double.BYTES;

    /**
     * What a content costs that is an object: its header, what refers to it, and the typed value or the like around it.
     */
    private static final long OBJECT_BYTES = 48;

    /**
     * Arrays from this length on take whole regions of the heap: of G1's smallest, which are these. On heaps of 4 GiB
     * and more regions are larger, and such a value may take more than is counted; there the limit leaves more room.
     */
    private static final long REGION_BYTES = 1 << 20;

    private static final int ARRAY_HEADER_BYTES = 16;

    /** What a list costs beside its elements. */
    private static final long LIST_BYTES = 80 + OBJECT_BYTES;

    private EntryBytes() {}

    /**
     * What an entry counts for in {@link Store#bytes}: the bytes of its key and value, and 24 for what is around them,
     * and a ninth of all that. For a typed value there are 2 more, for a number 8 beyond. A value of more than 4 KiB
     * counts for its bytes, rounded up to eight (half a MiB or more to whole MiB), and 48; a list for 128 and what its
     * elements {@linkplain ListValue#bytes take}; a limiter for what {@linkplain Limiter#bytes it takes}, and 48 unless
     * it is a {@link Meter}. It is what the entry takes in memory, within some percent, but depends on the entry alone,
     * so that it is the same on every node.
     */
    public static long of(byte[] key, Entry entry) {
        return of(key.length, entry.content());
    }

    /** The same by the length of the key and what {@link Entry#content} is. */
    static long of(int keyBytes, Object content) {
        if (content instanceof byte[] value) {
            return ofPlain(keyBytes, value.length);
        }
        if (content instanceof Pieces pieces) {
            return ofPlain(keyBytes, pieces.length());
        }
        if (content instanceof Limiter limiter) {
            return limiter instanceof Meter
                    ? ofLimiter(keyBytes, Meter.BYTES)
                    : ofLimiter(keyBytes, OBJECT_BYTES + limiter.bytes());
        }
        Object value = ((Typed) content).held();
        if (value instanceof ListValue list) {
            return ofString(keyBytes, 0) + LIST_BYTES + list.bytes();
        }
        if (value instanceof byte[] string) {
            return ofString(keyBytes, string.length);
        }
        if (value instanceof Pieces pieces) {
            return ofString(keyBytes, pieces.length());
        }
        return value instanceof Double ? ofNumber(keyBytes) : ofString(keyBytes, 0);
    }

    /** The same of an entry with a plain value, by the lengths of both. */
    public static long ofPlain(int keyBytes, int valueBytes) {
        return valueBytes > Draft.INLINE_BYTES_MAX
                ? recordBytes(keyBytes) + OBJECT_BYTES + arrayBytes(valueBytes)
                : recordBytes(keyBytes + valueBytes);
    }

    private static long recordBytes(int bytes) {
        long whole = ENTRY_BYTES + bytes;
        return whole + whole / ROOM_PART;
    }

    /** The same of an entry with a string. */
    public static long ofString(int keyBytes, int valueBytes) {
        return ofPlain(keyBytes, valueBytes) + TYPED_BYTES;
    }

    /** The same of an entry with a number; a truth value takes less. */
    public static long ofNumber(int keyBytes) {
        return ofString(keyBytes, 0) + NUMBER_BYTES;
    }

    /** The same of an entry with a list of one element, a string of that length or a number. */
    public static long ofList(int keyBytes, int elementBytes) {
        return ofString(keyBytes, 0) + LIST_BYTES + ofElement(elementBytes);
    }

    /** What one more element of a list counts for; its length is 0 for a number. */
    public static long ofElement(int elementBytes) {
        return ListValue.bytesOf(elementBytes);
    }

    /** The same as {@link #of} of an entry with a limiter that has granted once. */
    public static long ofLimiter(int keyBytes) {
        return ofLimiter(keyBytes, OBJECT_BYTES + SlidingLog.bytesOfOne(false));
    }

    /** The same of an entry with a limiter that takes so many bytes, and those of an object if it is one. */
    public static long ofLimiter(int keyBytes, long bytes) {
        return recordBytes(keyBytes) + bytes;
    }

    /** What one more grant of a limiter counts for. */
    public static long ofGrant() {
        return SlidingLog.GRANT_BYTES;
    }

    /** What the mark of a flush counts for in {@link Store#markBytes}. */
    public static long ofMark(int regionBytes) {
        return FlushMarks.bytesOf(regionBytes);
    }

    private static long arrayBytes(int length) {
        return length + ARRAY_HEADER_BYTES < REGION_BYTES / 2
                ? roundedUp(length)
                : (length + ARRAY_HEADER_BYTES + REGION_BYTES - 1) / REGION_BYTES * REGION_BYTES;
    }

    private static long roundedUp(long length) {
        return (length + 7) & -8;
    }
}
