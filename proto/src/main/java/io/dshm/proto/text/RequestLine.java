package io.dshm.proto.text;

import io.dshm.proto.Doubles;
import io.dshm.proto.Key;
import io.dshm.proto.Rejection;
import io.dshm.proto.Reply.Failure;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One line of a request, cut into words at every space: two spaces in a row have an empty word between them, which
 * nothing accepts. One instance serves all lines of a connection, one after the other.
 *
 * <p>Arguments are numbered from 0; the verb is none of them.
 */
@SuppressWarnings("EnumOrdinal") // an array by option
final class RequestLine {

    /** The most arguments that a verb has, options included: TAKE's. */
    private static final int ARGUMENTS_MAX = 12;

    /** Nearly all lines are shorter; for a longer one there is an array of its own. */
    private static final int SHORT_LINE_BYTES = 256;

    /** What the last word of an HTTP request's first line begins with; the version follows. */
    private static final byte[] HTTP = " HTTP/".getBytes(StandardCharsets.US_ASCII);

    private final byte[] shortLine = new byte[SHORT_LINE_BYTES];
    private byte[] bytes = shortLine;

    /** Where the words end: the verb's end, then those of the arguments that a verb may have. */
    private final int[] ends = new int[1 + ARGUMENTS_MAX];

    private int arguments;

    /** Bytes of the line. */
    private int length;

    /** Which argument each option is, for those in the line; see {@link #readOptions}. */
    private final int[] places = new int[Option.COUNT];

    /** A bit for each option in the line. */
    private long options;

    /** Its bytes, without its end. */
    int length() {
        return length;
    }

    /** Takes a line of {@code length} bytes, its end not included, out of a buffer. */
    void read(ByteBuf in, int length) {
        this.length = length;
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

    /** The refusal of a line whose verb is none that is known. */
    Rejection unknownVerb() {
        return OtherVerbs.refusal(bytes, 0, ends[0]);
    }

    /** The number of arguments, also of those beyond what any verb has, which cannot be read. */
    int arguments() {
        return arguments;
    }

    boolean isEmpty(int argument) {
        return start(argument) == end(argument);
    }

    /** Whether this argument is that word; it is ASCII, and case matters. */
    boolean is(int argument, String word) {
        return isWord(start(argument), end(argument), word);
    }

    private boolean isWord(int from, int to, String word) {
        return to - from == word.length() && startsWith(bytes, from, to, word);
    }

    static boolean startsWith(byte[] bytes, int from, int to, String word) {
        if (to - from < word.length()) {
            return false;
        }
        for (int i = 0; i < word.length(); i++) {
            if (bytes[from + i] != word.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    /**
     * Reads the options, which are all arguments from one on.
     *
     * @return whether each of these arguments is one of the allowed options, none of them twice
     */
    boolean readOptions(int from, Set<Option> allowed) {
        options = 0;
        if (arguments > ARGUMENTS_MAX) {
            return false;
        }
        for (int argument = from; argument < arguments; argument++) {
            Option option = optionAt(argument);
            if (option == null || !allowed.contains(option) || has(option)) {
                return false;
            }
            options |= bit(option);
            places[option.ordinal()] = argument;
        }
        return true;
    }

    /**
     * Whether all arguments from one on have the form {@code name=value}, whatever the name. Numbers do not, so no
     * length is among them.
     */
    boolean hasOptionsOnly(int from) {
        if (arguments > ARGUMENTS_MAX) {
            return false;
        }
        for (int argument = from; argument < arguments; argument++) {
            if (!hasName(argument)) {
                return false;
            }
        }
        return true;
    }

    private boolean hasName(int argument) {
        for (int at = start(argument) + 1; at < end(argument); at++) {
            if (bytes[at] == '=') {
                return true;
            }
        }
        return false;
    }

    /**
     * Whether this is the first line of an HTTP request: a method, a target, and {@code HTTP/} with a version. Commands
     * may end in such a word, too, as a key or a region; that is for the caller to tell apart.
     */
    boolean isHttpRequest() {
        int lastSpace = length - 1;
        while (lastSpace >= 0 && bytes[lastSpace] != ' ') {
            lastSpace--;
        }
        return arguments >= 2
                && lastSpace + HTTP.length <= length
                && Arrays.equals(bytes, lastSpace, lastSpace + HTTP.length, HTTP, 0, HTTP.length);
    }

    /** Whether this argument looks like an option, which no other argument that is optional does. */
    boolean isOption(int argument) {
        return optionAt(argument) != null;
    }

    private @Nullable Option optionAt(int argument) {
        return Option.at(bytes, start(argument), end(argument));
    }

    private static long bit(Option option) {
        return 1L << option.ordinal();
    }

    /** Whether the line has this option; see {@link #readOptions}. */
    boolean has(Option option) {
        return (options & bit(option)) != 0;
    }

    /** Whether this option, which is there, has that value. */
    boolean is(Option option, String value) {
        return isWord(start(option), end(option), value);
    }

    /** See {@link Decimals#count}; of an option that is there. */
    long count(Option option) {
        return Decimals.count(bytes, start(option), end(option));
    }

    /** See {@link Decimals#secondsAsMillis}; of an option that is there. */
    long secondsAsMillis(Option option) {
        return Decimals.secondsAsMillis(bytes, start(option), end(option));
    }

    /** See {@link Decimals#isLong}; of an option that is there. */
    boolean isLong(Option option) {
        return Decimals.isLong(bytes, start(option), end(option));
    }

    /** See {@link Decimals#toLong}; of an option that is there. */
    long toLong(Option option) {
        return Decimals.toLong(bytes, start(option), end(option));
    }

    /** The value of an option that is there. */
    byte[] bytes(Option option) {
        return Arrays.copyOfRange(bytes, start(option), end(option));
    }

    /** See {@link Doubles#isNumber}; of an option that is there. */
    boolean isNumber(Option option) {
        return Doubles.isNumber(bytes, start(option), end(option));
    }

    /** See {@link Doubles#parse}; of an option that is there. */
    double toNumber(Option option) {
        return Doubles.parse(bytes, start(option), end(option));
    }

    /** See {@link Doubles#isNumber}. */
    boolean isNumber(int argument) {
        return Doubles.isNumber(bytes, start(argument), end(argument));
    }

    /** See {@link Doubles#parse}. */
    double toNumber(int argument) {
        return Doubles.parse(bytes, start(argument), end(argument));
    }

    /** Why this argument is no key for that verb; null if it is one. */
    @Nullable
    Failure keyFault(Verb verb, int argument) {
        return Names.keyFault(verb, bytes, start(argument), end(argument));
    }

    /** The key that this argument is, see {@link #keyFault}. */
    Key key(int argument) {
        return Key.of(bytes(argument));
    }

    /** Why this argument names no region; null if it does. */
    @Nullable
    Failure regionFault(Verb verb, int argument) {
        return Names.regionFault(verb, bytes, start(argument), end(argument));
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

    private int start(Option option) {
        return start(place(option)) + option.prefix().length();
    }

    private int end(Option option) {
        return end(place(option));
    }

    private int place(Option option) {
        if (!has(option)) {
            throw new IllegalStateException("the line has no " + option.prefix());
        }
        return places[option.ordinal()];
    }

    private int start(int argument) {
        return ends[argument] + 1;
    }

    private int end(int argument) {
        return ends[argument + 1];
    }
}
