package io.dshm.proto;

import java.util.Locale;

/** What kind of entry a key has. On the wire a type is its name in lower case. */
public enum ValueType {
    /** A value as SET stores it: bytes, without flags. */
    RAW,
    /** Bytes. */
    STRING,
    /** A double, see {@link Doubles}. */
    NUMBER,
    /** {@code true} or {@code false}. */
    BOOLEAN,
    /** A list of strings and numbers. */
    LIST,
    /** A rate limiter. */
    LIMITER;

    private final String wireName = name().toLowerCase(Locale.ROOT);

    /** The type as it stands on the wire, for example {@code number}. */
    public String wireName() {
        return wireName;
    }
}
