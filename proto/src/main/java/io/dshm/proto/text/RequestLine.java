package io.dshm.proto.text;

import io.dshm.proto.Key;
import io.dshm.proto.Reply.Failure;
import io.netty.buffer.ByteBuf;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One line of a request, cut into words at every space: two spaces in a row have an empty word between them, which
 * nothing accepts. One instance serves all lines of a connection, one after the other.
 *
 * <p>Arguments are numbered from 0; the verb is none of them.
 */
final class RequestLine {

    /** The most arguments that a verb has: INCR's. */
    private static final int ARGUMENTS_MAX = 4;

    /** Nearly all lines are shorter; for a longer one there is an array of its own. */
    private static final int SHORT_LINE_BYTES = 256;

    private final byte[] shortLine = new byte[SHORT_LINE_BYTES];
    private byte[] bytes = shortLine;

    /** Where the words end: the verb's end, then those of the arguments that a verb may have. */
    private final int[] ends = new int[1 + ARGUMENTS_MAX];

    private int arguments;

    /** Takes a line of {@code length} bytes, its end not included, out of a buffer. */
    void read(ByteBuf in, int length) {
        bytes = length <= shortLine.length ? shortLine : new byte[length];
        in.readBytes(bytes, 0, length);
        int words = 0;
        for (int at = 0; at <= length; at++) {
            if (at == length || bytes[at] == ' ') {
                if (words < ends.length) {
                    ends[words] = at;
                }
                words++;
            }
        }
        arguments = words - 1;
    }

    /** Lets go of a long line. */
    void forget() {
        bytes = shortLine;
    }

    /** The line's verb, null if it is none that is known. */
    @Nullable
    Verb verb() {
        return Verb.at(bytes, 0, ends[0]);
    }

    /** The number of arguments, also of those beyond what any verb has, which cannot be read. */
    int arguments() {
        return arguments;
    }

    boolean isEmpty(int argument) {
        return start(argument) == end(argument);
    }

    /** Whether this argument is one word after the other; they are ASCII, and case matters. */
    boolean is(int argument, String first, String second) {
        int from = start(argument);
        return end(argument) - from == first.length() + second.length()
                && matches(from, first)
                && matches(from + first.length(), second);
    }

    private boolean matches(int from, String word) {
        for (int i = 0; i < word.length(); i++) {
            if (bytes[from + i] != word.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    /** Why this argument is no key; null if it is one. */
    @Nullable
    Failure keyFault(int argument) {
        return Names.keyFault(bytes, start(argument), end(argument));
    }

    /** The key that this argument is, see {@link #keyFault}. */
    Key key(int argument) {
        return Key.of(bytes(argument));
    }

    /** Why this argument names no region; null if it does. */
    @Nullable
    Failure regionFault(int argument) {
        return Names.regionFault(bytes, start(argument), end(argument));
    }

    byte[] bytes(int argument) {
        return Arrays.copyOfRange(bytes, start(argument), end(argument));
    }

    /** See {@link Decimals#count}. */
    long count(int argument) {
        return Decimals.count(bytes, start(argument), end(argument));
    }

    /** See {@link Decimals#secondsAsMillis}. */
    long secondsAsMillis(int argument) {
        return Decimals.secondsAsMillis(bytes, start(argument), end(argument));
    }

    /** See {@link Decimals#isLong}. */
    boolean isLong(int argument) {
        return Decimals.isLong(bytes, start(argument), end(argument));
    }

    /** See {@link Decimals#toLong}. */
    long toLong(int argument) {
        return Decimals.toLong(bytes, start(argument), end(argument));
    }

    private int start(int argument) {
        return ends[argument] + 1;
    }

    private int end(int argument) {
        return ends[argument + 1];
    }
}
