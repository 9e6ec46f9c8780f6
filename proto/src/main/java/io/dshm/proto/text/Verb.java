package io.dshm.proto.text;

import io.dshm.proto.Limits;
import io.netty.buffer.ByteBuf;
import java.util.EnumSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The verbs of the protocol; their names are what stands on the wire, in any case. */
enum Verb {
    GET,
    SET,
    INCR,
    RATE_LIMITER,
    TOUCH,
    DELETE,
    FLUSHALL,
    READ_MODE,
    QUIT,
    FETCH,
    STAT,
    PUT,
    REMOVE,
    EXPIRE,
    INCR_NUMBER,
    LPUSH,
    RPUSH,
    LPOP,
    RPOP,
    KEYS,
    REGION,
    FLUSH_EXPIRED,
    MULTI,
    PING,
    INFO;

    /** More than the longest name. */
    private static final int NAME_BYTES_MAX = 16;

    private static final Verb[] ALL = values();

    /** Of the verbs that take keys of up to {@link Limits#LONG_KEY_BYTES_MAX}. */
    private static final Set<Verb> LONG_KEYS =
            EnumSet.of(FETCH, STAT, PUT, REMOVE, EXPIRE, INCR_NUMBER, LPUSH, RPUSH, LPOP, RPOP);

    /** Which argument of this verb is the length of its data; -1 if it has none. */
    int lengthArgument() {
        return switch (this) {
            case SET, PUT -> 2;
            case LPUSH, RPUSH -> 1;
            case MULTI -> 0;
            default -> -1;
        };
    }

    /** Bytes of a key for this verb. */
    int keyBytesMax() {
        return LONG_KEYS.contains(this) ? Limits.LONG_KEY_BYTES_MAX : Limits.KEY_BYTES_MAX;
    }

    /** Bytes of the longest line of the verb that a buffer begins with, whatever follows it there. */
    static int lineBytesMax(ByteBuf in) {
        byte[] start = new byte[Math.min(NAME_BYTES_MAX + 1, in.readableBytes())];
        in.getBytes(in.readerIndex(), start);
        int end = 0;
        while (end < start.length && start[end] != ' ') {
            end++;
        }
        Verb verb = at(start, 0, end);
        return verb != null && LONG_KEYS.contains(verb) ? Limits.LONG_LINE_BYTES_MAX : Limits.LINE_BYTES_MAX;
    }

    /** The verb in {@code bytes[from, to)}, or null if that is none. */
    static @Nullable Verb at(byte[] bytes, int from, int to) {
        for (Verb verb : ALL) {
            if (verb.matches(bytes, from, to)) {
                return verb;
            }
        }
        return null;
    }

    private boolean matches(byte[] bytes, int from, int to) {
        String name = name();
        if (name.length() != to - from) {
            return false;
        }
        for (int at = from; at < to; at++) {
            if (upperCase(bytes[at]) != name.charAt(at - from)) {
                return false;
            }
        }
        return true;
    }

    private static int upperCase(byte character) {
        return character >= 'a' && character <= 'z' ? character - ('a' - 'A') : character;
    }
}
