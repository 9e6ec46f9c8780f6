package io.dshm.proto.text;

import java.util.Arrays;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What may follow a verb's arguments as {@code name=value}; the names on the wire are in lower case. */
enum Option {
    READ,
    STALE,
    TYPE,
    FLAGS,
    IF,
    INIT,
    TTL,
    MAX,
    AFTER,
    BURST,
    COST,
    SHADOW,
    POLICY,
    SHARE,
    FULL,
    HOLDER,
    HOLD,
    WANT,
    MIN,
    UNUSED,
    ID,
    SEQ,
    DONE,
    RETRY;

    static final int COUNT = values().length;

    /** Those whose name begins with a letter, for each of {@code a} to {@code z}. */
    private static final Option[][] BY_INITIAL = new Option['z' - 'a' + 1][];

    static {
        for (int place = 0; place < BY_INITIAL.length; place++) {
            char initial = (char) ('a' + place);
            BY_INITIAL[place] = Arrays.stream(values())
                    .filter(option -> option.prefix.charAt(0) == initial)
                    .toArray(Option[]::new);
        }
    }

    /** The name with what separates it from its value. */
    private final String prefix = name().toLowerCase(Locale.ROOT) + "=";

    String prefix() {
        return prefix;
    }

    /** The option that {@code bytes[from, to)} begins with, or null if that is none. */
    static @Nullable Option at(byte[] bytes, int from, int to) {
        int place = from < to ? bytes[from] - 'a' : -1;
        if (place < 0 || place >= BY_INITIAL.length) {
            return null;
        }
        for (Option option : BY_INITIAL[place]) {
            if (RequestLine.startsWith(bytes, from, to, option.prefix)) {
                return option;
            }
        }
        return null;
    }
}
