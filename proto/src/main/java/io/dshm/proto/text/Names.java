package io.dshm.proto.text;

import io.dshm.proto.ErrorCode;
import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.proto.Reply.Failure;
import org.jspecify.annotations.Nullable;

/** What may be a key or a region on the wire: there both are words of a line. */
final class Names {

    private static final Failure KEY_TOO_LARGE =
            new Failure(ErrorCode.TOO_LARGE, "a key has at most " + Limits.KEY_BYTES_MAX + " bytes");
    private static final Failure LONG_KEY_TOO_LARGE =
            new Failure(ErrorCode.TOO_LARGE, "a key has at most " + Limits.LONG_KEY_BYTES_MAX + " bytes");
    private static final Failure REGION_TOO_LARGE =
            new Failure(ErrorCode.TOO_LARGE, "the name of a region has at most " + Limits.KEY_BYTES_MAX + " bytes");

    private Names() {}

    /** Why {@code bytes[from, to)} is no key for that verb; null if it is one. */
    static @Nullable Failure keyFault(Verb verb, byte[] bytes, int from, int to) {
        if (!isName(bytes, from, to)) {
            return verb.malformed("a key has 1 byte or more and no control characters, one space before it")
                    .failure();
        }
        int bytesMax = verb.keyBytesMax();
        if (to - from <= bytesMax) {
            return null;
        }
        return bytesMax == Limits.KEY_BYTES_MAX ? KEY_TOO_LARGE : LONG_KEY_TOO_LARGE;
    }

    /** Why {@code bytes[from, to)}, in a line of that verb, does not name a region; null if it does. */
    static @Nullable Failure regionFault(Verb verb, byte[] bytes, int from, int to) {
        boolean valid = isName(bytes, from, to);
        for (int at = from; at < to && valid; at++) {
            valid = bytes[at] != ':'; // no key is in a region of such a name
        }
        if (!valid) {
            return verb.malformed("the name of a region has 1 byte or more, no colon and no control characters")
                    .failure();
        }
        return to - from > Limits.KEY_BYTES_MAX ? REGION_TOO_LARGE : null;
    }

    /** Whether this is 1 byte or more, all of which a key may contain. */
    static boolean isName(byte[] bytes, int from, int to) {
        for (int at = from; at < to; at++) {
            if (!Key.mayContain(bytes[at])) {
                return false;
            }
        }
        return from < to;
    }
}
