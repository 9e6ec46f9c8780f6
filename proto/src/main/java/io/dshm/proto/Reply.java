package io.dshm.proto;

import org.jspecify.annotations.Nullable;

/** What a client gets. Byte arrays in replies are shared with the store and never changed. */
public sealed interface Reply {

    /** The command took effect; there is nothing to tell. */
    enum Done implements Reply {
        DONE,
        /** A DELETE found nothing to delete. The text protocol does not tell it from {@link #DONE}. */
        ABSENT
    }

    /** Bytes of any kind. */
    @SuppressWarnings("ArrayRecordComponent") // shared with the store, see above
    record Value(byte[] bytes) implements Reply {}

    /** A value that is an integer; on the wire its decimal digits. */
    record IntegerValue(long number) implements Reply {}

    /**
     * An error.
     *
     * @param code what clients decide by
     * @param text for people, one line of ASCII; null where the code alone is the protocol's whole reply
     */
    record Failure(ErrorCode code, @Nullable String text) implements Reply {

        public static final Failure MALFORMED_REQUEST = new Failure(ErrorCode.MALFORMED_REQUEST, null);
        public static final Failure BAD_REQUEST = new Failure(ErrorCode.BAD_REQUEST, null);
        public static final Failure NOT_FOUND = new Failure(ErrorCode.NOT_FOUND, null);
        public static final Failure OVERFLOW = new Failure(ErrorCode.OVERFLOW, null);
    }
}
