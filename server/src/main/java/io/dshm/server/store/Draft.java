package io.dshm.server.store;

import io.dshm.server.store.limiters.Meter;
import org.jspecify.annotations.Nullable;

/**
 * The record of an entry before it has a place. Its layout:
 *
 * <pre>
 * hash of the key             4 bytes
 * kind, and DEADLINE          1 byte
 * length of the key           varint
 * key
 * version                     varint
 * deadline                    varint, if there is one
 * PLAIN                       length as a varint, value
 * STRING                      flags as a varint, length as a varint, value
 * NUMBER                      flags as a varint, 8 bytes
 * TRUE, FALSE                 flags as a varint
 * METER                       number of the algorithm, 1 byte; limit, period, burst, instant, used, more as varints
 * CONTENT                     4 bytes: where the content stands among those of the {@link Segment}
 * </pre>
 *
 * <p>Used by the writer alone, again and again. {@link Cursor} reads it.
 */
final class Draft {

    static final int PLAIN = 0;
    static final int STRING = 1;
    static final int NUMBER = 2;
    static final int TRUE = 3;
    static final int FALSE = 4;
    static final int METER = 5;
    static final int CONTENT = 6;

    /** The bits of a kind. */
    static final int KINDS = 0x0F;

    /** Beside the kind: there is a deadline. */
    static final int DEADLINE = 0x10;

    /**
     * A value of more bytes is an object of its own, and so is not copied when its neighbours are: larger, and a write
     * to a small value beside large ones would copy much; smaller, and there would be an object for every session that
     * somebody keeps.
     */
    static final int INLINE_BYTES_MAX = 4 * 1024;

    /** All that is neither key nor value, at most. */
    private static final int REST_BYTES_MAX = Integer.BYTES + 2 + 9 * Varints.BYTES_MAX;

    /** What a draft keeps for the next one. */
    private static final int KEPT_BYTES_MAX = 64 * 1024;

    private byte[] bytes = new byte[256];
    private int length;
    private @Nullable Object content;

    /** The record, up to {@link #length}; after it there is something else. */
    byte[] bytes() {
        return bytes;
    }

    int length() {
        return length;
    }

    int hash() {
        return (int) Cursor.INTS.get(bytes, 0);
    }

    /** What does not stand in the record, if anything. */
    @Nullable
    Object content() {
        return content;
    }

    /** Lets go of the content. */
    void leave() {
        content = null;
    }

    /** Makes this the record of that entry. */
    void become(byte[] key, int hash, Entry entry) {
        content = null;
        length = 0;
        Object whole = entry.content();
        int room = REST_BYTES_MAX + key.length + inlineBytes(whole);
        if (bytes.length < room || (bytes.length > KEPT_BYTES_MAX && room <= KEPT_BYTES_MAX)) {
            bytes = new byte[room];
        }
        Cursor.INTS.set(bytes, 0, hash);
        length = Integer.BYTES + 1;
        varint(key.length);
        raw(key);
        varint(entry.version());
        int deadline = 0;
        if (entry.hasDeadline()) {
            deadline = DEADLINE;
            varint(entry.expiresAtMillis());
        }
        bytes[Integer.BYTES] = (byte) (deadline | addContent(whole));
    }

    private static int inlineBytes(Object whole) {
        Object value = whole instanceof Typed typed ? typed.held() : whole;
        return value instanceof byte[] string ? Math.min(string.length, INLINE_BYTES_MAX) : 0;
    }

    /** Adds what an entry holds, and says which kind it is. */
    private int addContent(Object whole) {
        if (whole instanceof byte[] value && value.length <= INLINE_BYTES_MAX) {
            varint(value.length);
            raw(value);
            return PLAIN;
        }
        if (whole instanceof Meter meter) {
            return add(meter);
        }
        if (whole instanceof Typed typed) {
            Object value = typed.held();
            if (value instanceof byte[] string && string.length <= INLINE_BYTES_MAX) {
                flags(typed);
                varint(string.length);
                raw(string);
                return STRING;
            }
            if (value instanceof Double number) {
                flags(typed);
                Cursor.LONGS.set(bytes, length, Double.doubleToRawLongBits(number));
                length += Double.BYTES;
                return NUMBER;
            }
            if (value instanceof Boolean truth) {
                flags(typed);
                return truth ? TRUE : FALSE;
            }
        }
        content = whole;
        length += Integer.BYTES;
        return CONTENT;
    }

    private int add(Meter meter) {
        bytes[length++] = (byte) meter.algorithm().code();
        varint(meter.quota().limit());
        varint(meter.quota().periodMillis());
        varint(meter.quota().burst());
        varint(meter.atMillis());
        varint(meter.used());
        varint(meter.more());
        return METER;
    }

    private void flags(Typed typed) {
        varint(Integer.toUnsignedLong(typed.flags()));
    }

    private void varint(long number) {
        length = Varints.write(bytes, length, number);
    }

    private void raw(byte[] more) {
        System.arraycopy(more, 0, bytes, length, more.length);
        length += more.length;
    }
}
