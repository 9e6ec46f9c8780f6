package io.dshm.proto.snapshot;

import com.google.protobuf.InvalidProtocolBufferException;
import io.dshm.proto.StrictParser;
import io.dshm.proto.wire.SnapshotEntry;
import io.dshm.proto.wire.SnapshotFrame;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A frame of entries, read without protobuf's objects: a snapshot of millions of entries is little else than plain
 * values, and a message, a list and three strings of bytes for each of them took longer than all else that the reading
 * does. An entry that is not a plain value in just the bytes that protobuf writes is left to its parser, so what is
 * read is the same, and so is what is refused.
 *
 * <p>Used by one thread.
 */
final class EntriesFrame {

    private static final StrictParser<SnapshotEntry> PARSER = new StrictParser<>(SnapshotEntry.parser());

    private static final int BYTES = 2; // protobuf's wire type of what has a length

    private static final int FRAME_TAG = SnapshotFrame.ENTRIES_FIELD_NUMBER << 3 | BYTES;
    private static final int ENTRY_TAG = 1 << 3 | BYTES;
    private static final int KEY_TAG = SnapshotEntry.KEY_FIELD_NUMBER << 3 | BYTES;
    private static final int EXPIRES_TAG = SnapshotEntry.EXPIRES_AT_MILLIS_FIELD_NUMBER << 3;
    private static final int VERSION_TAG = SnapshotEntry.VERSION_FIELD_NUMBER << 3;
    private static final int VALUE_TAG = SnapshotEntry.VALUE_FIELD_NUMBER << 3 | BYTES;

    /** Of a length: 28 bits, which is more than a frame has. */
    private static final int LENGTH_VARINT_BYTES_MAX = 4;

    /** Of a positive number: 63 bits. */
    private static final int VARINT_BYTES_MAX = 9;

    private final byte[] bytes;

    /** What is read next. */
    private int at;

    EntriesFrame(byte[] bytes) {
        this.bytes = bytes;
    }

    /** Whether it is a frame of entries, each of which ends where it says. */
    static boolean isOne(byte[] bytes) {
        EntriesFrame frame = new EntriesFrame(bytes);
        if (!frame.hasTag(FRAME_TAG, bytes.length) || frame.length(bytes.length) != bytes.length - frame.at) {
            return false;
        }
        while (frame.at < bytes.length) {
            int length = frame.hasTag(ENTRY_TAG, bytes.length) ? frame.length(bytes.length) : -1;
            if (length < 0) {
                return false;
            }
            frame.at += length;
        }
        return true;
    }

    /**
     * Gives all entries to the visitor; the frame {@linkplain #isOne is one}. To be called once.
     *
     * @return how many there are
     * @throws InvalidProtocolBufferException if one is not an entry, or holds a field that this version does not know
     */
    int read(SnapshotPart.Visitor visitor) throws IOException {
        hasTag(FRAME_TAG, bytes.length);
        length(bytes.length);
        int count = 0;
        while (at < bytes.length) {
            hasTag(ENTRY_TAG, bytes.length);
            int length = length(bytes.length);
            int start = at;
            int end = start + length;
            if (!readPlain(end, visitor)) {
                visitor.entry(PARSER.parse(ByteBuffer.wrap(bytes, start, length)));
            }
            at = end;
            count++;
        }
        return count;
    }

    private boolean readPlain(int end, SnapshotPart.Visitor visitor) throws IOException {
        byte[] key = bytesOf(KEY_TAG, end);
        long expiresAtMillis = key == null ? -1 : numberOf(EXPIRES_TAG, end);
        long version = expiresAtMillis < 0 ? -1 : numberOf(VERSION_TAG, end);
        byte[] value = version < 0 ? null : bytesOf(VALUE_TAG, end);
        if (key == null || key.length == 0 || value == null || at != end) {
            return false;
        }
        visitor.plainEntry(key, expiresAtMillis, version, value);
        return true;
    }

    private boolean hasTag(int tag, int end) {
        boolean there = at < end && bytes[at] == tag;
        at += there ? 1 : 0;
        return there;
    }

    /** What has that tag and a length, or null if it is not there. */
    private byte @Nullable [] bytesOf(int tag, int end) {
        int length = hasTag(tag, end) ? length(end) : -1;
        if (length < 0) {
            return null;
        }
        byte[] found = Arrays.copyOfRange(bytes, at, at + length);
        at += length;
        return found;
    }

    /** A length, of what ends there or before; -1 if it is longer, or not as protobuf writes it. */
    private int length(int end) {
        long length = varint(LENGTH_VARINT_BYTES_MAX, end);
        return length > end - at ? -1 : (int) length;
    }

    /** The positive number that has that tag; 0 if it is not there, -1 if protobuf does not write it so. */
    private long numberOf(int tag, int end) {
        if (!hasTag(tag, end)) {
            return 0;
        }
        long number = varint(VARINT_BYTES_MAX, end);
        return number == 0 ? -1 : number;
    }

    /** A number of no more bytes than it needs; negative if it is none. */
    private long varint(int bytesMax, int end) {
        long number = 0;
        for (int i = 0; i < bytesMax && at < end; i++) {
            byte next = bytes[at++];
            number |= (next & 0x7FL) << (7 * i);
            if (next >= 0) {
                return next == 0 && i > 0 ? -1 : number;
            }
        }
        return -1;
    }
}
