package io.dshm.proto.text;

import io.dshm.proto.Command;
import io.dshm.proto.ErrorCode;
import io.dshm.proto.Limits;
import io.dshm.proto.Rejection;
import io.dshm.proto.Reply.Failure;
import io.dshm.proto.Request;
import io.netty.buffer.ByteBuf;
import java.util.Objects;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Makes requests of the bytes that one client sends. One instance a connection, used by one thread at a time.
 *
 * <p>Every request that it returns is owed one reply, in the order in which they are returned, a {@link Rejection} its
 * failure. A request with data that its line refuses is returned as soon as that is read;
 * its data is skipped by the calls that follow.
 *
 * <p>After a {@link Rejection} that closes, and after QUIT, it takes all further bytes and returns nothing any more.
 */
public final class RequestDecoder {

    private static final Rejection LINE_TOO_LARGE = new Rejection(
            new Failure(ErrorCode.TOO_LARGE, "a line has at most " + Limits.LINE_BYTES_MAX + " bytes"), true);
    private static final Rejection REQUESTS_BUSY = new Rejection(
            new Failure(ErrorCode.BUSY, "too many bytes of large requests are on their way to this node"), false);

    private static final Rejection LONG_LINE_TOO_LARGE = new Rejection(
            new Failure(ErrorCode.TOO_LARGE, "a line has at most " + Limits.LONG_LINE_BYTES_MAX + " bytes"), true);
    private static final Rejection LINES_BUSY = new Rejection(
            new Failure(ErrorCode.BUSY, "too many bytes of long lines are on their way to this node"), true);
    private static final Rejection HTTP =
            new Rejection(new Failure(ErrorCode.MALFORMED_REQUEST, "this port does not speak HTTP"), true);
    private static final Rejection TLS =
            new Rejection(new Failure(ErrorCode.MALFORMED_REQUEST, "this port does not speak TLS"), true);

    private static final Failure AUTH_FIRST = new Failure(ErrorCode.AUTH_REQUIRED, "AUTH user secret comes first");

    private static final int CRLF_BYTES = 2;

    /** The first byte of a TLS record with a handshake. No verb begins with it, nor does any readable line. */
    private static final byte TLS_HANDSHAKE = 0x16;

    private enum State {
        /** A line is expected, or has begun. */
        LINE,
        /** Within the data of a request; {@link #unfinished} is there. */
        VALUE,
        /** Within the data of a request that was refused; {@link #toSwallow} is above 0. */
        SWALLOW,
        /** No more requests. */
        CLOSED
    }

    /** A request whose data is on its way. */
    private record Partial(DataParser.Unfinished request, PartialValue value) {}

    private final ValueBudget budget;
    private final BooleanSupplier takesData;
    private final DataParser dataParser;
    private final boolean ofMulti;
    private final RequestLine line = new RequestLine();

    private State state = State.LINE;

    /** In LINE: how many unread bytes of the caller's buffer are known to hold no line end. */
    private int searched;

    /** What the present request holds of the budget, without data that is on its way: a long line, parsed or not. */
    private final HeldBytes held;

    private @Nullable Partial unfinished;
    private long toSwallow;

    /**
     * A decoder for a new connection.
     *
     * @param valueBytesMax bytes of a value, 0 to {@link Limits#VALUE_BYTES_MAX}; larger ones are refused
     * @param budget what requests of more than {@link Limits#VALUE_BUDGET_STEP_BYTES} are counted against, and
     *     unfinished lines of more than {@link Limits#LINE_BYTES_MAX}
     */
    public RequestDecoder(int valueBytesMax, ValueBudget budget) {
        this(valueBytesMax, budget, () -> true);
    }

    /**
     * The same for a client that has to say first who it is.
     *
     * @param takesData whether it has: before, requests with data are refused and their data is swallowed, and lines
     *     are short, so that it takes nothing of the budget
     */
    public RequestDecoder(int valueBytesMax, ValueBudget budget, BooleanSupplier takesData) {
        this(valueBytesMax, budget, takesData, false);
    }

    /** A decoder of the data of a MULTI or a TAKE_ALL, in which no other one may stand. */
    static RequestDecoder ofMulti(int valueBytesMax) {
        return new RequestDecoder(valueBytesMax, ValueBudget.UNLIMITED, () -> true, true);
    }

    private RequestDecoder(int valueBytesMax, ValueBudget budget, BooleanSupplier takesData, boolean ofMulti) {
        if (valueBytesMax < 0 || valueBytesMax > Limits.VALUE_BYTES_MAX) {
            throw new IllegalArgumentException(
                    "valueBytesMax is 0 to " + Limits.VALUE_BYTES_MAX + ", not " + valueBytesMax);
        }
        this.budget = budget;
        this.held = new HeldBytes(budget);
        this.takesData = takesData;
        this.dataParser = new DataParser(valueBytesMax);
        this.ofMulti = ofMulti;
    }

    /**
     * The bytes of the budget that a request holds when it is returned. From then on the caller owns them, and gives
     * them back when the request is done.
     *
     * @return {@link Request#heldBytes}, or 0 for at most {@link Limits#VALUE_BUDGET_STEP_BYTES}
     */
    public static int budgetOf(Request request) {
        return PartialValue.budgetOf(request.heldBytes());
    }

    /**
     * The next request, or null when more bytes are needed for it.
     *
     * <p>When it returns null, {@code in} is empty but for the beginning of a line, at most
     * {@link Limits#LONG_LINE_BYTES_MAX} and one byte. The next call must find that beginning again at the reader
     * index, with more bytes after it.
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
            if (request != null) {
                return settled(request);
            }
            if (searched > 0) {
                return null;
            }
        }
        return null;
    }

    /**
     * Whether the client owes the rest of a request that it has begun. Meaningful after {@link #decode} returned null;
     * the data of a refused request counts too.
     */
    public boolean midRequest() {
        return switch (state) {
            case LINE -> searched > 0;
            case VALUE, SWALLOW -> true;
            case CLOSED -> false;
        };
    }

    /** Ends decoding and gives back what an unfinished request holds of the budget. May be called again. */
    public void close() {
        if (unfinished != null) {
            unfinished.value.release();
            unfinished = null;
        }
        held.become(0);
        searched = 0;
        state = State.CLOSED;
    }

    private @Nullable Request decodeLine(ByteBuf in) {
        int start = in.readerIndex();
        if (in.getByte(start) == TLS_HANDSHAKE) {
            // Its "lines" may hold bytes that others have chosen, such as a session ticket: none of them is parsed.
            return refuseAndClose(TLS);
        }
        int lineMax = Limits.LINE_BYTES_MAX;
        int lineFeed = findLineFeed(in, lineMax);
        if ((lineFeed < 0 ? isLongerThan(lineMax, in) : lineFeed - start > lineMax) && takesData.getAsBoolean()) {
            lineMax = Verb.lineBytesMax(in);
            lineFeed = findLineFeed(in, lineMax);
        }
        if (lineFeed < 0 && !isLongerThan(lineMax, in)) {
            searched = in.readableBytes();
            return held.become(isLong(searched) ? searched : 0) ? null : refuseAndClose(LINES_BUSY);
        }
        searched = 0;
        boolean hasCarriageReturn = lineFeed > start && in.getByte(lineFeed - 1) == '\r';
        int length = lineFeed - start - (hasCarriageReturn ? 1 : 0);
        if (lineFeed < 0 || length > lineMax) {
            return refuseAndClose(lineMax == Limits.LINE_BYTES_MAX ? LINE_TOO_LARGE : LONG_LINE_TOO_LARGE);
        }
        if (length == 0) {
            in.readerIndex(lineFeed + 1);
            return null;
        }
        line.read(in, length);
        in.readerIndex(lineFeed + 1);
        Request request = parseLine();
        if (request instanceof Rejection && line.isHttpRequest()) {
            // A browser, sent here by a foreign page: the body of its request may be commands that the page has chosen.
            request = refuseAndClose(HTTP);
        }
        line.forget();
        return request;
    }

    /** Where the line ends, or a negative number if that is not within so many bytes and its end. */
    private int findLineFeed(ByteBuf in, int lineMax) {
        int start = in.readerIndex();
        int visible = Math.min(in.readableBytes(), lineMax + CRLF_BYTES);
        return in.indexOf(start + Math.min(searched, visible), start + visible, (byte) '\n');
    }

    private static boolean isLongerThan(int lineMax, ByteBuf in) {
        return in.readableBytes() >= lineMax + CRLF_BYTES;
    }

    /** Only some verbs may have a line of so many bytes. */
    private static boolean isLong(int lineBytes) {
        return lineBytes > Limits.LINE_BYTES_MAX + CRLF_BYTES;
    }

    /** A request that is whole, and holds what its caller will give back; or the refusal for want of that. */
    private Request settled(Request request) {
        if (!held.become(budgetOf(request))) {
            return REQUESTS_BUSY;
        }
        held.handOver();
        return request;
    }

    private @Nullable Request parseLine() {
        Verb verb = line.verb();
        if (verb == null) {
            return line.unknownVerb();
        }
        if (ofMulti && (verb == Verb.MULTI || verb == Verb.TAKE_ALL)) {
            return verb.malformed("a " + verb + " cannot stand in another one");
        }
        return switch (verb) {
            case GET -> LineParser.get(line);
            case SET -> beginData(DataVerb.SET);
            case PUT -> beginData(DataVerb.PUT);
            case LPUSH -> beginData(DataVerb.LPUSH);
            case RPUSH -> beginData(DataVerb.RPUSH);
            case MULTI -> beginData(DataVerb.MULTI);
            case TAKE_ALL -> beginData(DataVerb.TAKE_ALL);
            case INCR -> LineParser.incr(line);
            case RATE_LIMITER -> LineParser.rateLimiter(line);
            case TOUCH -> LineParser.touch(line);
            case DELETE -> LineParser.delete(line);
            case FLUSHALL -> LineParser.flushAll(line);
            case READ_MODE -> LineParser.setReadMode(line);
            case SHARES -> LineParser.setShares(line);
            case FETCH, STAT -> TypedParser.fetch(verb, line);
            case REMOVE -> TypedParser.remove(line);
            case EXPIRE -> TypedParser.expire(line);
            case INCR_NUMBER -> TypedParser.incrNumber(line);
            case TAKE -> LimitParser.take(line);
            case RESERVE -> HolderParser.reserve(line);
            case SETTLE -> HolderParser.settle(line);
            case GRANT -> HolderParser.grant(line);
            case RETURN -> HolderParser.giveBack(line);
            case ACQUIRE -> HolderParser.acquire(line);
            case RELEASE -> HolderParser.release(line);
            case LPOP, RPOP -> TypedParser.pop(verb, line);
            case KEYS -> TypedParser.keys(line);
            case REGION -> TypedParser.regionInfo(line);
            case FLUSH_EXPIRED -> TypedParser.flushExpired(line);
            case AUTH -> AuthWords.parse(line);
            case PING -> LineParser.bare(verb, line, Command.Ping.PING);
            case INFO -> LineParser.bare(verb, line, Command.Info.INFO);
            case QUIT -> {
                Request request = LineParser.bare(verb, line, Command.Quit.QUIT);
                if (request == Command.Quit.QUIT) {
                    state = State.CLOSED;
                }
                yield request;
            }
        };
    }

    /** Null while the data is not there. */
    private @Nullable Request beginData(DataVerb verb) {
        int lengthArgument = verb.lengthArgument();
        long length = line.arguments() <= lengthArgument ? Decimals.UNREADABLE : line.count(lengthArgument);
        if (length == Decimals.UNREADABLE) {
            return refuseAndClose(verb.verb().malformedAndCloses("length must be a number of 1 to 18 digits"));
        }
        Failure fault = dataParser.argumentsFault(verb, line);
        boolean malformed = fault != null && fault.code() == ErrorCode.MALFORMED_REQUEST;
        if (!line.hasOptionsOnly(lengthArgument + 1) || (malformed && line.arguments() > lengthArgument + 1)) {
            // Probably a key with a space: the length may be any of the words, and data must never be run as commands.
            return refuseAndClose(verb.verb().malformedAndCloses("there are too many words, as of a key with a space"));
        }
        Rejection refusal =
                fault != null && malformed ? LineParser.refusal(fault) : dataParser.refusal(verb, line, length, fault);
        if (refusal != null) {
            return refuseAndSwallow(refusal, length);
        }
        if (!takesData.getAsBoolean()) {
            return refuseAndSwallow(LineParser.refusal(AUTH_FIRST), length);
        }
        if (!held.become(PartialValue.budgetOf(line.length()))) {
            return refuseAndSwallow(REQUESTS_BUSY, length);
        }
        unfinished = new Partial(dataParser.begin(verb, line), new PartialValue((int) length, budget));
        if (length == 0) {
            return finish();
        }
        state = State.VALUE;
        return null;
    }

    private Rejection refuseAndClose(Rejection refusal) {
        state = State.CLOSED;
        return refusal;
    }

    private Rejection refuseAndSwallow(Rejection refusal, long length) {
        toSwallow = length;
        state = length > 0 ? State.SWALLOW : State.LINE;
        return refusal;
    }

    private @Nullable Request decodeValue(ByteBuf in) {
        PartialValue value = Objects.requireNonNull(unfinished).value;
        if (!value.readFrom(in)) {
            unfinished = null;
            return refuseAndSwallow(REQUESTS_BUSY, value.missing());
        }
        return value.missing() > 0 ? null : finish();
    }

    private Request finish() {
        Partial partial = Objects.requireNonNull(unfinished);
        unfinished = null;
        state = State.LINE;
        byte[] data = partial.value.take();
        held.takeOver(PartialValue.budgetOf(data.length));
        return partial.request.finish(data);
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
