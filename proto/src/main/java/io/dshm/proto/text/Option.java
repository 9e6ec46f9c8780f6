package io.dshm.proto.text;

import java.util.Locale;

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
    ID,
    SEQ,
    DONE,
    RETRY;

    static final Option[] ALL = values();

    /** The name with what separates it from its value. */
    private final String prefix = name().toLowerCase(Locale.ROOT) + "=";

    String prefix() {
        return prefix;
    }
}
