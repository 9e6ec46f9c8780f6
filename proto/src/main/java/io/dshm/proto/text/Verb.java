package io.dshm.proto.text;

import io.dshm.proto.Limits;
import io.netty.buffer.ByteBuf;
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
    FETCH(Limits.LONG_KEY_BYTES_MAX),
    STAT(Limits.LONG_KEY_BYTES_MAX),
    PUT(Limits.LONG_KEY_BYTES_MAX),
    REMOVE(Limits.LONG_KEY_BYTES_MAX),
    EXPIRE(Limits.LONG_KEY_BYTES_MAX),
    INCR_NUMBER(Limits.LONG_KEY_BYTES_MAX),
    LPUSH(Limits.LONG_KEY_BYTES_MAX),
    RPUSH(Limits.LONG_KEY_BYTES_MAX),
    LPOP(Limits.LONG_KEY_BYTES_MAX),
    RPOP(Limits.LONG_KEY_BYTES_MAX),
    KEYS,
    REGION,
    FLUSH_EXPIRED,
    MULTI,
    PING,
    INFO;

    /** More than the longest name. */
    private static final int NAME_BYTES_MAX = 16;

    private static final Verb[] ALL = values();

    private final int keyBytesMax;

    Verb() {
        this(Limits.KEY_BYTES_MAX);
    }

    Verb(int keyBytesMax) {
        this.keyBytesMax = keyBytesMax;
    }

    /** Bytes of a key for this verb. */
    int keyBytesMax() {
        return keyBytesMax;
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
        boolean takesLongKeys = verb != null && verb.keyBytesMax > Limits.KEY_BYTES_MAX;
        return takesLongKeys ? Limits.LONG_LINE_BYTES_MAX : Limits.LINE_BYTES_MAX;
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
