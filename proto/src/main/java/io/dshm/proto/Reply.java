package io.dshm.proto;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a client gets. Byte arrays in replies are shared with the store and never changed. */
public sealed interface Reply {

    /** The command took effect; there is no value. */
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
     * With words {@code name=value} at the end of its first line.
     *
     * @param value bytes of any kind, or null if there is nothing but the words
     * @param details the words, one space between them, ASCII
     */
    @SuppressWarnings("ArrayRecordComponent") // shared with the store, see above
    record Detailed(byte @Nullable [] value, String details) implements Reply {

        /** The value of the word with that name, or null. */
        public @Nullable String detail(String name) {
            String words = " " + details + " ";
            int at = words.indexOf(" " + name + "=");
            int from = at + name.length() + 2;
            return at < 0 ? null : words.substring(from, words.indexOf(' ', from));
        }
    }

    /** Those to the requests in a MULTI; on the wire a value. */
    record Several(List<Reply> replies) implements Reply {}

    /**
     * An error.
     *
     * @param code what clients decide by
     * @param text for people, one line of ASCII; null where the code alone is the protocol's whole reply
     */
    record Failure(ErrorCode code, @Nullable String text) implements Reply {

        public static final Failure NOT_FOUND = new Failure(ErrorCode.NOT_FOUND, null);
        public static final Failure OVERFLOW = new Failure(ErrorCode.OVERFLOW, null);
    }
}
