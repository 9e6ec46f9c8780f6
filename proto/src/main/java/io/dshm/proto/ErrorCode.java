package io.dshm.proto;

import java.util.Locale;

/**
 * Every error a client can get, with what it says about the command. On the wire an error is
 * {@code ERROR code[ text]\r\n}; clients decide by the code, the text is for people.
 */
public enum ErrorCode {
    /** A wrong number of arguments, an unreadable number, an unknown verb, a key with forbidden bytes. */
    MALFORMED_REQUEST(Effect.NONE),
    /**
     * Well-formed, but not for this kind of entry: INCR on a limiter's key, RATE_LIMITER on a plain one, GET of a list.
     */
    BAD_REQUEST(Effect.NONE),
    /** The key is absent or has expired. */
    NOT_FOUND(Effect.NONE),
    /** The key is there, or is there in another version. */
    EXISTS(Effect.NONE),
    /** INCR_NUMBER on what is no number. */
    NOT_A_NUMBER(Effect.NONE),
    /** A list's command on what is no list. */
    NOT_A_LIST(Effect.NONE),
    /** An INCR whose sum does not fit into 64 bits. */
    OVERFLOW(Effect.NONE),
    /** A key, a value, a line or a limiter's capacity beyond its limit. */
    TOO_LARGE(Effect.NONE),
    /** The connection has to say who it is before, with AUTH. */
    AUTH_REQUIRED(Effect.NONE),
    /** A wrong user or secret, or what the user may not do. Of a repeat it says nothing about the copies before it. */
    DENIED(Effect.NONE),
    /** Too much is outstanding on this node. */
    BUSY(Effect.NEVER),
    /** The nodes have no room for what it would add. What deletes or changes nothing in size goes on. */
    OUT_OF_MEMORY(Effect.NEVER),
    /** The disk of the leader, or of too many nodes, is full. Reads go on. */
    DISK_FULL(Effect.NEVER),
    /** No leader was found within the request timeout. */
    NO_LEADER(Effect.NEVER),
    /** The node is stopping. */
    SHUTTING_DOWN(Effect.NEVER),
    /** The outcome was not known within the request timeout. */
    TIMEOUT(Effect.UNKNOWN),
    /** The outcome cannot be known any more. */
    UNKNOWN_OUTCOME(Effect.UNKNOWN);

    /** What an error says about the command that got it. */
    public enum Effect {
        /** It was not applied; the request itself is at fault. */
        NONE,
        /** It was not applied and never will be; it may be sent again. */
        NEVER,
        /** It may have taken effect, or may still do so, once. */
        UNKNOWN
    }

    private final Effect effect;
    private final String wireName;

    ErrorCode(Effect effect) {
        this.effect = effect;
        this.wireName = name().toLowerCase(Locale.ROOT);
    }

    /** What this error says about the command. */
    public Effect effect() {
        return effect;
    }

    /** Whether another node, or the same one a little later, may do what this one could not. */
    public boolean mayBeBetterElsewhere() {
        return switch (this) {
            case BUSY, NO_LEADER, SHUTTING_DOWN, TIMEOUT -> true;
            default -> false;
        };
    }

    /**
     * Whether a node may say it by itself, without the log: then it says nothing about earlier copies of the same
     * write.
     */
    public boolean isOfThisCopyOnly() {
        return switch (this) {
            case AUTH_REQUIRED, DENIED, DISK_FULL, MALFORMED_REQUEST, OUT_OF_MEMORY, TOO_LARGE -> true;
            default -> false;
        };
    }

    /** The code as it stands on the wire, for example {@code not_found}. */
    public String wireName() {
        return wireName;
    }
}
