package io.dshm.proto.text;

import io.dshm.proto.Command;
import io.dshm.proto.ErrorCode;
import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.proto.Rejection;
import io.dshm.proto.Reply.Failure;
import io.dshm.proto.Request;
import io.netty.buffer.ByteBuf;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Makes requests of the bytes that one client sends. One instance a connection, used by one thread at a time.
 *
 * <p>Every request that it returns is owed one reply, in the order in which they are returned, a {@link Rejection} its
 * failure. A refused SET is returned as soon as its line is read; its data is skipped by the calls that follow.
 *
 * <p>After a {@link Rejection} that closes, and after QUIT, it takes all further bytes and returns nothing any more.
 */
public final class RequestDecoder {

    private static final Rejection MALFORMED_AND_CLOSES = new Rejection(Failure.MALFORMED_REQUEST, true);
    private static final Rejection LINE_TOO_LARGE = new Rejection(
            new Failure(ErrorCode.TOO_LARGE, "a line has at most " + Limits.LINE_BYTES_MAX + " bytes"), true);
    private static final Rejection VALUES_BUSY = new Rejection(
            new Failure(ErrorCode.BUSY, "too many bytes of large values are on their way to this node"), false);

    private static final int CRLF_BYTES = 2;

    private enum State {
        /** A line is expected, or has begun. */
        LINE,
        /** Within the data of a SET; {@link #set} is there. */
        VALUE,
        /** Within the data of a SET that was refused; {@link #toSwallow} is above 0. */
        SWALLOW,
        /** No more requests. */
        CLOSED
    }

    /** A SET whose data is on its way. */
    private record PartialSet(Key key, long ttlMillis, PartialValue value) {}

    private final int valueBytesMax;
    private final ValueBudget budget;
    private final Rejection valueTooLarge;
    private final RequestLine line = new RequestLine();

    private State state = State.LINE;

    /** In LINE: how many unread bytes of the caller's buffer are known to hold no line end. */
    private int searched;

    private @Nullable PartialSet set;
    private long toSwallow;

    /**
     * A decoder for a new connection.
     *
     * @param valueBytesMax bytes of a value, 0 to {@link Limits#VALUE_BYTES_MAX}; larger ones are refused
     * @param budget what values of more than {@link Limits#VALUE_BUDGET_STEP_BYTES} are counted against
     */
    public RequestDecoder(int valueBytesMax, ValueBudget budget) {
        if (valueBytesMax < 0 || valueBytesMax > Limits.VALUE_BYTES_MAX) {
            throw new IllegalArgumentException(
                    "valueBytesMax is 0 to " + Limits.VALUE_BYTES_MAX + ", not " + valueBytesMax);
        }
        this.valueBytesMax = valueBytesMax;
        this.budget = budget;
        this.valueTooLarge = new Rejection(
                new Failure(ErrorCode.TOO_LARGE, "a value has at most " + valueBytesMax + " bytes"), false);
    }

    /**
     * What a value holds of the budget when its SET is returned: from then on that is the caller's, who gives it back
     * when the value is on its way no more.
     *
     * @param valueLength bytes of the value
     * @return bytes, 0 for a value of at most {@link Limits#VALUE_BUDGET_STEP_BYTES}
     */
    public static int budgetOf(int valueLength) {
        return PartialValue.budgetOf(valueLength);
    }

    /**
     * The next request, or null when more bytes are needed for it.
     *
     * <p>When it returns null, {@code in} is empty but for the beginning of a line, at most {@link
     * Limits#LINE_BYTES_MAX} and one byte. The next call must find that beginning again at the reader index, with more
     * bytes after it.
     *
     * @param in what has arrived; read from, neither kept nor released
     */
    public @Nullable Request decode(ByteBuf in) {
        while (in.isReadable()) {
            Request request = switch (state) {
                case LINE -> decodeLine(in);
                case VALUE -> decodeValue(in);
                case SWALLOW -> swallow(in);
                case CLOSED -> ignore(in);
            };
            if (request != null || searched > 0) {
                return request;
            }
        }
        return null;
    }

    /**
     * Whether the client owes the rest of a request that it has begun. Meaningful after {@link #decode} returned null;
     * the data of a refused SET counts too.
     */
    public boolean midRequest() {
        return switch (state) {
            case LINE -> searched > 0;
            case VALUE, SWALLOW -> true;
            case CLOSED -> false;
        };
    }

    /** Ends decoding and gives back what an unfinished value holds of the budget. May be called again. */
    public void close() {
        if (set != null) {
            set.value.release();
            set = null;
        }
        searched = 0;
        state = State.CLOSED;
    }

    private @Nullable Request decodeLine(ByteBuf in) {
        int start = in.readerIndex();
        int visible = Math.min(in.readableBytes(), Limits.LINE_BYTES_MAX + CRLF_BYTES);
        int lineFeed = in.indexOf(start + Math.min(searched, visible), start + visible, (byte) '\n');
        if (lineFeed < 0 && visible < Limits.LINE_BYTES_MAX + CRLF_BYTES) {
            searched = visible;
            return null;
        }
        searched = 0;
        boolean hasCarriageReturn = lineFeed > start && in.getByte(lineFeed - 1) == '\r';
        int length = lineFeed - start - (hasCarriageReturn ? 1 : 0);
        if (lineFeed < 0 || length > Limits.LINE_BYTES_MAX) {
            state = State.CLOSED;
            return LINE_TOO_LARGE;
        }
        if (length == 0) {
            in.readerIndex(lineFeed + 1);
            return null;
        }
        line.read(in, length);
        in.readerIndex(lineFeed + 1);
        Request request = parseLine();
        line.forget();
        return request;
    }

    private @Nullable Request parseLine() {
        Verb verb = line.verb();
        if (verb == null) {
            return LineParser.MALFORMED;
        }
        return switch (verb) {
            case GET -> LineParser.get(line);
            case SET -> beginSet();
            case INCR -> LineParser.incr(line);
            case RATE_LIMITER -> LineParser.rateLimiter(line);
            case TOUCH -> LineParser.touch(line);
            case DELETE -> LineParser.delete(line);
            case FLUSHALL -> LineParser.flushAll(line);
            case READ_MODE -> LineParser.readMode(line);
            case QUIT -> {
                Request request = LineParser.quit(line);
                if (request == Command.Quit.QUIT) {
                    state = State.CLOSED;
                }
                yield request;
            }
        };
    }

    /** Null while the value is not there. */
    private @Nullable Request beginSet() {
        long length = line.arguments() < 3 ? Decimals.UNREADABLE : line.count(2);
        if (length == Decimals.UNREADABLE) {
            return refuseAndClose();
        }
        long ttlMillis = line.secondsAsMillis(1);
        Failure keyFault = line.keyFault(0);
        boolean malformed = ttlMillis == Decimals.UNREADABLE
                || (keyFault != null && keyFault.code() == ErrorCode.MALFORMED_REQUEST);
        if (malformed && line.arguments() > 3) {
            // A key with a space in it, most likely: the length may be any of the words, and data is never a command.
            return refuseAndClose();
        }
        if (malformed || line.arguments() > 3) {
            return refuseAndSwallow(LineParser.MALFORMED, length);
        }
        if (keyFault != null) {
            return refuseAndSwallow(new Rejection(keyFault, false), length);
        }
        if (length > valueBytesMax) {
            return refuseAndSwallow(valueTooLarge, length);
        }
        PartialValue value = new PartialValue((int) length, budget);
        if (length == 0) {
            return new Command.Set(line.key(0), ttlMillis, value.take());
        }
        set = new PartialSet(line.key(0), ttlMillis, value);
        state = State.VALUE;
        return null;
    }

    private Rejection refuseAndClose() {
        state = State.CLOSED;
        return MALFORMED_AND_CLOSES;
    }

    private Rejection refuseAndSwallow(Rejection refusal, long length) {
        toSwallow = length;
        state = length > 0 ? State.SWALLOW : State.LINE;
        return refusal;
    }

    private @Nullable Request decodeValue(ByteBuf in) {
        PartialSet partial = Objects.requireNonNull(set);
        if (!partial.value.readFrom(in)) {
            set = null;
            return refuseAndSwallow(VALUES_BUSY, partial.value.missing());
        }
        if (partial.value.missing() > 0) {
            return null;
        }
        set = null;
        state = State.LINE;
        return new Command.Set(partial.key, partial.ttlMillis, partial.value.take());
    }

    private @Nullable Request swallow(ByteBuf in) {
        int part = (int) Math.min(toSwallow, in.readableBytes());
        in.skipBytes(part);
        toSwallow -= part;
        if (toSwallow == 0) {
            state = State.LINE;
        }
        return null;
    }

    private @Nullable Request ignore(ByteBuf in) {
        in.skipBytes(in.readableBytes());
        return null;
    }
}
