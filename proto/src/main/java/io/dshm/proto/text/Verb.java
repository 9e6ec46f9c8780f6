package io.dshm.proto.text;

import io.dshm.proto.Limits;
import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/** The verbs of the protocol; their names are what stands on the wire, in any case. */
enum Verb {
    GET,
    SET(2, Limits.KEY_BYTES_MAX),
    INCR,
    RATE_LIMITER,
    TOUCH,
    DELETE,
    FLUSHALL,
    READ_MODE,
    QUIT,
    FETCH(-1, Limits.LONG_KEY_BYTES_MAX),
    STAT(-1, Limits.LONG_KEY_BYTES_MAX),
    PUT(2, Limits.LONG_KEY_BYTES_MAX),
    REMOVE(-1, Limits.LONG_KEY_BYTES_MAX),
    EXPIRE(-1, Limits.LONG_KEY_BYTES_MAX),
    INCR_NUMBER(-1, Limits.LONG_KEY_BYTES_MAX),
    LPUSH(1, Limits.LONG_KEY_BYTES_MAX),
    RPUSH(1, Limits.LONG_KEY_BYTES_MAX),
    LPOP(-1, Limits.LONG_KEY_BYTES_MAX),
    RPOP(-1, Limits.LONG_KEY_BYTES_MAX),
    KEYS,
    REGION,
    FLUSH_EXPIRED,
    MULTI(0, Limits.KEY_BYTES_MAX),
    PING,
    INFO;

    /** More than the longest name. */
    private static final int NAME_BYTES_MAX = 16;

    private static final Verb[] ALL = values();

    private final int lengthArgument;
    private final int keyBytesMax;

    Verb() {
        this(-1, Limits.KEY_BYTES_MAX);
    }

    Verb(int lengthArgument, int keyBytesMax) {
        this.lengthArgument = lengthArgument;
        this.keyBytesMax = keyBytesMax;
    }

    /** Which argument of this verb is the length of its data; -1 if it has none. */
    int lengthArgument() {
        return lengthArgument;
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
