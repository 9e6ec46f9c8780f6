package io.dshm.proto.text;

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
    QUIT;

    private static final Verb[] ALL = values();

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
