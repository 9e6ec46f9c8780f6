package io.dshm.server.replication.log;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of a segment's file, all numbers big-endian. {@code server/README.md} has them as tables.
 *
 * <p>A file begins with a head, in a page of its own; records follow at {@value #RECORDS_AT}, each at a multiple of 8.
 * A record begins with a head of its own; then come the members (empty in all but changes of members), the data, and
 * zeros up to the next multiple of 8. Both of its sums begin with the segment's salt, a random number: what an earlier
 * use of the file has left in it, and what a client has put into a value, is no record.
 *
 * <p>Not thread-safe.
 */
final class SegmentFormat {

    static final int VERSION = 1;
    static final int RECORDS_AT = 4096;
    static final int RECORD_HEAD_BYTES = 40;

    private static final long MAGIC = 0x4453484d_4c4f4731L; // DSHMLOG1
    private static final int HEAD_BYTES = 64;
    private static final int HEAD_SUM_AT = HEAD_BYTES - Integer.BYTES;

    private static final int BODY_SUM_AT = 4;
    private static final int LENGTH_AT = 8;
    private static final int GROUP_AT = 12;
    private static final int INDEX_AT = 16;
    private static final int TERM_AT = 24;
    private static final int MEMBERS_AT = 32;
    private static final int TYPE_AT = 36;

    private static final String SUFFIX = ".segment";
    private static final int NAME_DIGITS = 16;

    /**
     * A segment's head: the state of the log when the segment began.
     *
     * @param number of the segment; each has one more than the one before
     * @param salt of the sums of its records
     * @param first the first index that the log has
     * @param next the index of the next entry
     * @param previousEnd the offset at which the records of the segment before end; 0 if there is none
     */
    record Head(long number, long salt, long first, long next, long previousEnd) {}

    private final CRC32C crc = new CRC32C();
    private final ByteBuffer saltBytes = ByteBuffer.allocate(Long.BYTES);

    static String name(long number) {
        return String.format("%0" + NAME_DIGITS + "x", number) + SUFFIX;
    }

    /** The number in a segment's name; -1 if it is not one. */
    static long numberOf(String name) {
        return name.matches("[0-7][0-9a-f]{15}\\.segment") ? Long.parseLong(name.substring(0, NAME_DIGITS), 16) : -1;
    }

    /** The head's whole page, ready to be written. */
    ByteBuffer head(Head head) {
        ByteBuffer page = ByteBuffer.allocateDirect(RECORDS_AT);
        page.putLong(MAGIC)
                .putInt(VERSION)
                .putInt(0)
                .putLong(head.number())
                .putLong(head.salt())
                .putLong(head.first())
                .putLong(head.next())
                .putLong(head.previousEnd());
        page.putInt(HEAD_SUM_AT, sumOf(page, 0, HEAD_SUM_AT, 0));
        return page.clear();
    }

    /** The head in that page; null if there is none. */
    @Nullable
    Head head(ByteBuffer page) {
        if (page.limit() < HEAD_BYTES
                || page.getLong(0) != MAGIC
                || page.getInt(HEAD_SUM_AT) != sumOf(page, 0, HEAD_SUM_AT, 0)
                || page.getInt(8) != VERSION) {
            return null;
        }
        return new Head(page.getLong(16), page.getLong(24), page.getLong(32), page.getLong(40), page.getLong(48));
    }

    /** How many bytes a record takes. */
    static long recordBytes(long membersBytes, long dataBytes) {
        return padded(RECORD_HEAD_BYTES + membersBytes + dataBytes);
    }

    static long padded(long bytes) {
        return (bytes + 7) & -8L;
    }

    /**
     * Puts a record at the buffer's position.
     *
     * @param group the offset in the file at which the write begins that this record is a part of
     */
    void put(ByteBuffer into, long salt, int group, long index, long term, int type, byte[] members, ByteBuffer data) {
        int at = into.position();
        int length = RECORD_HEAD_BYTES + members.length + data.remaining();
        int end = at + (int) padded(length);
        into.putInt(at + LENGTH_AT, length)
                .putInt(at + GROUP_AT, group)
                .putLong(at + INDEX_AT, index)
                .putLong(at + TERM_AT, term)
                .putInt(at + MEMBERS_AT, members.length)
                .putInt(at + TYPE_AT, type << 24)
                .put(at + RECORD_HEAD_BYTES, members)
                .put(at + RECORD_HEAD_BYTES + members.length, data, data.position(), data.remaining());
        for (int padding = at + length; padding < end; padding++) {
            into.put(padding, (byte) 0);
        }
        into.putInt(at + BODY_SUM_AT, sumOf(into, at + RECORD_HEAD_BYTES, end, salt));
        into.putInt(at, sumOf(into, at + BODY_SUM_AT, at + RECORD_HEAD_BYTES, salt));
        into.position(end);
    }

    /**
     * Whether a record's head stands there, whatever is behind it.
     *
     * @param offset of that place in the file
     */
    boolean isHead(ByteBuffer buffer, int at, long offset, long salt) {
        if (buffer.limit() - at < RECORD_HEAD_BYTES) {
            return false;
        }
        int length = length(buffer, at);
        int group = group(buffer, at);
        int members = buffer.getInt(at + MEMBERS_AT);
        return length >= RECORD_HEAD_BYTES
                && members >= 0
                && members <= length - RECORD_HEAD_BYTES
                && group >= RECORDS_AT
                && group <= offset
                && buffer.getInt(at) == sumOf(buffer, at + BODY_SUM_AT, at + RECORD_HEAD_BYTES, salt);
    }

    /** Whether the rest of a record, whose head is right, is there and right, too. */
    boolean isWhole(ByteBuffer buffer, int at, long salt) {
        long end = at + padded(length(buffer, at));
        return end <= buffer.limit()
                && buffer.getInt(at + BODY_SUM_AT) == sumOf(buffer, at + RECORD_HEAD_BYTES, (int) end, salt);
    }

    /** Without the zeros at its end. */
    static int length(ByteBuffer buffer, int at) {
        return buffer.getInt(at + LENGTH_AT);
    }

    static int group(ByteBuffer buffer, int at) {
        return buffer.getInt(at + GROUP_AT);
    }

    static long index(ByteBuffer buffer, int at) {
        return buffer.getLong(at + INDEX_AT);
    }

    static long term(ByteBuffer buffer, int at) {
        return buffer.getLong(at + TERM_AT);
    }

    static boolean hasMembers(ByteBuffer buffer, int at) {
        return buffer.getInt(at + MEMBERS_AT) > 0;
    }

    /** A copy of a record. */
    static LogRecord record(ByteBuffer buffer, int at) {
        byte[] members = new byte[buffer.getInt(at + MEMBERS_AT)];
        byte[] data = new byte[length(buffer, at) - RECORD_HEAD_BYTES - members.length];
        buffer.get(at + RECORD_HEAD_BYTES, members);
        buffer.get(at + RECORD_HEAD_BYTES + members.length, data);
        return new LogRecord(index(buffer, at), term(buffer, at), buffer.get(at + TYPE_AT), members, data);
    }

    private int sumOf(ByteBuffer buffer, int from, int to, long salt) {
        crc.reset();
        if (salt != 0) {
            saltBytes.putLong(0, salt);
            crc.update(saltBytes.array());
        }
        int position = buffer.position();
        int limit = buffer.limit();
        crc.update(buffer.limit(to).position(from));
        buffer.limit(limit).position(position);
        return (int) crc.getValue();
    }
}
