package io.dshm.proto.text;

import io.dshm.proto.Command;
import io.dshm.proto.Condition;
import io.dshm.proto.Doubles;
import io.dshm.proto.ErrorCode;
import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.proto.ReadMode;
import io.dshm.proto.Rejection;
import io.dshm.proto.Reply.Failure;
import io.dshm.proto.Request;
import io.dshm.proto.ValueType;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Parses the commands that have data after their line, once their length is known. */
final class DataParser {

    /** What a line becomes when its data is there. */
    @FunctionalInterface
    interface Unfinished {

        /**
         * The command, or why it is invalid.
         *
         * @param data handed over
         */
        Request finish(byte[] data);
    }

    private static final byte[] TRUE = "true".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] FALSE = "false".getBytes(StandardCharsets.US_ASCII);

    private static final Rejection ELEMENT_TOO_LARGE =
            tooLarge("an element has at most " + Limits.ELEMENT_BYTES_MAX + " bytes");
    private static final Rejection MULTI_TOO_LARGE =
            tooLarge("the data of a MULTI has at most " + Limits.MULTI_BYTES_MAX + " bytes");
    private static final Rejection MULTI_TOO_MANY =
            tooLarge("a MULTI has at most " + Limits.MULTI_REQUESTS_MAX + " requests");

    private static final Set<Option> PUT = LineParser.identityAnd(Option.TYPE, Option.FLAGS, Option.IF, Option.FULL);
    private static final Set<Option> PUSH = LineParser.identityAnd(Option.TYPE, Option.FULL);
    private static final Set<Option> MULTI = LineParser.identityAnd(Option.READ);

    private static final ValueType[] PUT_TYPES = {ValueType.STRING, ValueType.NUMBER, ValueType.BOOLEAN, ValueType.RAW};
    private static final ValueType[] ELEMENT_TYPES = {ValueType.STRING, ValueType.NUMBER};
    private static final String BAD_TYPE = "type= is none of those that the verb takes";
    private static final String BAD_DATA = "the data is not of its type: a number, or true or false";
    private static final String NO_REQUESTS = "there is no request in the data";
    private static final long FLAGS_MAX = 0xFFFF_FFFFL;

    private final int valueBytesMax;
    private final Rejection valueTooLarge;

    /** A parser that refuses values of more than so many bytes. */
    DataParser(int valueBytesMax) {
        this.valueBytesMax = valueBytesMax;
        this.valueTooLarge = tooLarge("a value has at most " + valueBytesMax + " bytes");
    }

    private static Rejection tooLarge(String text) {
        return new Rejection(new Failure(ErrorCode.TOO_LARGE, text), false);
    }

    /** What is wrong with a line's key or expiration; null if nothing is. */
    @Nullable
    Failure argumentsFault(DataVerb verb, RequestLine line) {
        Failure keyFault = verb == DataVerb.MULTI ? null : line.keyFault(verb.verb(), 0);
        boolean hasTtl = verb.lengthArgument() == 2;
        return hasTtl && line.secondsAsMillis(1) == Decimals.UNREADABLE
                ? verb.verb().malformed(LineParser.EXP).failure()
                : keyFault;
    }

    /**
     * Why a line is refused without a look at its data; null if it is not.
     *
     * @param fault what {@link #argumentsFault} found, if it is worth telling
     */
    @Nullable
    Rejection refusal(DataVerb verb, RequestLine line, long length, @Nullable Failure fault) {
        Set<Option> options = switch (verb) {
            case PUT -> PUT;
            case LPUSH, RPUSH -> PUSH;
            case MULTI -> MULTI;
            case SET -> LineParser.IDENTITY;
        };
        if (!line.readOptions(verb.lengthArgument() + 1, options)) {
            return verb.verb().malformed();
        }
        if (!LineParser.hasIdentityOrNone(line)) {
            return verb.verb().malformed(LineParser.BAD_IDENTITY);
        }
        String wrong = switch (verb) {
            case PUT -> putFault(line, length);
            case LPUSH, RPUSH -> pushFault(line, length);
            case MULTI -> multiFault(line, length);
            case SET -> null;
        };
        if (wrong != null) {
            return verb.verb().malformed(wrong);
        }
        if (fault != null) {
            return LineParser.refusal(fault);
        }
        return switch (verb) {
            case LPUSH, RPUSH -> length > Limits.ELEMENT_BYTES_MAX ? ELEMENT_TOO_LARGE : null;
            case MULTI -> length > Limits.MULTI_BYTES_MAX ? MULTI_TOO_LARGE : null;
            case SET, PUT -> length > valueBytesMax ? valueTooLarge : null;
        };
    }

    private static @Nullable String putFault(RequestLine line, long length) {
        ValueType type = type(line, PUT_TYPES);
        if (type == null) {
            return BAD_TYPE;
        }
        if (TypedParser.condition(line) == null) {
            return "if= must be absent, present or a version";
        }
        if (TypedParser.full(line) == null) {
            return TypedParser.BAD_FULL;
        }
        long flags = line.has(Option.FLAGS) ? line.count(Option.FLAGS) : 0;
        if (flags < 0 || flags > (type == ValueType.RAW ? 0 : FLAGS_MAX)) {
            return "flags= must be 0 to " + FLAGS_MAX + ", and 0 for type=raw";
        }
        return isLengthOf(type, length) ? null : BAD_DATA;
    }

    private static @Nullable String pushFault(RequestLine line, long length) {
        ValueType type = type(line, ELEMENT_TYPES);
        if (type == null) {
            return BAD_TYPE;
        }
        if (TypedParser.full(line) == null) {
            return TypedParser.BAD_FULL;
        }
        return isLengthOf(type, length) ? null : BAD_DATA;
    }

    /** Whether a value of that type may be so long: what is longer than any number need not even arrive. */
    private static boolean isLengthOf(ValueType type, long length) {
        return type == ValueType.STRING || type == ValueType.RAW || length <= Limits.NUMBER_CHARS_MAX;
    }

    private static @Nullable String multiFault(RequestLine line, long length) {
        if (length == 0) {
            return NO_REQUESTS;
        }
        if (line.has(Option.READ) && line.has(Option.ID)) {
            return "read= is for reads, id= for writes";
        }
        return line.has(Option.READ) && LineParser.readMode(line) == null ? LineParser.MODE : null;
    }

    /** The type that a line's option names; null if it is none of these. */
    private static @Nullable ValueType type(RequestLine line, ValueType[] types) {
        if (!line.has(Option.TYPE)) {
            return ValueType.STRING;
        }
        for (ValueType type : types) {
            if (line.is(Option.TYPE, type.wireName())) {
                return type;
            }
        }
        return null;
    }

    /** What a line becomes for which there is no {@link #refusal}. */
    Unfinished begin(DataVerb verb, RequestLine line) {
        return switch (verb) {
            case PUT -> put(line);
            case LPUSH -> push(verb, Command.End.LEFT, line);
            case RPUSH -> push(verb, Command.End.RIGHT, line);
            case MULTI -> multi(line);
            case SET -> set(line);
        };
    }

    private static Unfinished set(RequestLine line) {
        Key key = line.key(0);
        long ttlMillis = line.secondsAsMillis(1);
        return identified(line, data -> new Command.Set(key, ttlMillis, data));
    }

    private static Unfinished put(RequestLine line) {
        Key key = line.key(0);
        long ttlMillis = line.secondsAsMillis(1);
        ValueType type = known(type(line, PUT_TYPES));
        int flags = line.has(Option.FLAGS) ? (int) line.count(Option.FLAGS) : 0;
        Condition condition = known(TypedParser.condition(line));
        Command.Full full = known(TypedParser.full(line));
        return identified(
                line,
                data -> isOf(type, data)
                        ? new Command.Put(key, ttlMillis, type, flags, condition, full, data)
                        : Verb.PUT.malformed(BAD_DATA));
    }

    private static Unfinished push(DataVerb verb, Command.End end, RequestLine line) {
        Key key = line.key(0);
        ValueType type = known(type(line, ELEMENT_TYPES));
        Command.Full full = known(TypedParser.full(line));
        return identified(
                line,
                data -> isOf(type, data)
                        ? new Command.Push(key, end, type, full, data)
                        : verb.verb().malformed(BAD_DATA));
    }

    private static boolean isOf(ValueType type, byte[] data) {
        return switch (type) {
            case NUMBER -> Doubles.isNumber(data);
            case BOOLEAN -> Arrays.equals(data, TRUE) || Arrays.equals(data, FALSE);
            case STRING, RAW, LIST, LIMITER -> true;
        };
    }

    private Unfinished multi(RequestLine line) {
        ReadMode mode = line.has(Option.READ) ? LineParser.readMode(line) : null;
        boolean mayWrite = mode == null;
        boolean mayRead = !line.has(Option.ID);
        return identified(line, data -> multi(data, mode, mayRead, mayWrite));
    }

    private Request multi(byte[] data, @Nullable ReadMode mode, boolean mayRead, boolean mayWrite) {
        List<Command.KeyRead> reads = new ArrayList<>();
        List<Command.KeyWrite> writes = new ArrayList<>();
        RequestDecoder decoder = RequestDecoder.ofMulti(valueBytesMax);
        ByteBuf in = Unpooled.wrappedBuffer(data);
        for (Request request = decoder.decode(in); request != null; request = decoder.decode(in)) {
            if (request instanceof Command.KeyRead read && mayRead && writes.isEmpty()) {
                reads.add(read);
            } else if (request instanceof Command.KeyWrite write && mayWrite && reads.isEmpty()) {
                writes.add(write);
            } else {
                return refusalOf(reads.size() + writes.size() + 1, request);
            }
            if (reads.size() + writes.size() > Limits.MULTI_REQUESTS_MAX) {
                return MULTI_TOO_MANY;
            }
        }
        if (decoder.midRequest()) {
            return Verb.MULTI.malformed("the data ends within request " + (reads.size() + writes.size() + 1));
        }
        if (reads.size() + writes.size() == 0) {
            return Verb.MULTI.malformed(NO_REQUESTS);
        }
        return reads.isEmpty() ? new Command.Multi(writes, data.length) : new Command.MultiRead(reads, mode);
    }

    /** Of a MULTI, because of one of its requests, counted from 1. */
    private static Rejection refusalOf(int number, Request request) {
        if (request instanceof Rejection rejection) {
            Failure failure = rejection.failure();
            return LineParser.refusal(new Failure(failure.code(), "request " + number + ": " + failure.text()));
        }
        return Verb.MULTI.malformed(
                "request " + number + " cannot stand here: all are reads of a key, or all are writes of a key");
    }

    /** The same with the identity that the line's options say, if they say any. */
    private static Unfinished identified(RequestLine line, Unfinished unfinished) {
        LineParser.Identity identity = LineParser.Identity.of(line);
        if (identity == null) {
            return unfinished;
        }
        return data -> {
            Request request = unfinished.finish(data);
            return request instanceof Command.Write write ? identity.give(write) : request;
        };
    }

    private static <T> T known(@Nullable T value) {
        if (value == null) {
            throw new IllegalStateException("not what was found before");
        }
        return value;
    }
}
