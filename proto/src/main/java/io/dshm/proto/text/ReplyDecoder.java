package io.dshm.proto.text;

import io.dshm.proto.ErrorCode;
import io.dshm.proto.Limits;
import io.dshm.proto.Reply;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Makes replies of the bytes that a server sends. One instance a connection, used by one thread at a time.
 *
 * <p>A number comes as a {@link Reply.Value} too, and so do the replies to a MULTI: on the wire there is no difference.
 */
public final class ReplyDecoder {

    private static final String LENGTH = "LEN ";
    private static final String ERROR = "ERROR ";
    private static final String DONE = "DONE";
    private static final String DONE_WITH_DETAILS = "DONE ";
    private static final byte[] TAIL = "\r\nDONE\r\n".getBytes(StandardCharsets.US_ASCII);
    private static final int CRLF_BYTES = 2;
    private static final Map<String, ErrorCode> CODES = codes();

    private enum State {
        /** The first line of a reply is expected, or has begun. */
        LINE,
        /** Within a value; {@link #value} is there. */
        VALUE,
        /** After a value. */
        TAIL,
        /** What came was no reply. */
        BROKEN
    }

    private final int valueBytesMax;

    private State state = State.LINE;

    /** In LINE: how many unread bytes of the caller's buffer are known to hold no line end. */
    private int searched;

    private @Nullable PartialValue value;

    /** Of that value; null if it has none. */
    private @Nullable String details;

    /** In TAIL: how much of it is there. */
    private int tailRead;

    /**
     * A decoder for a new connection.
     *
     * @param valueBytesMax bytes of a value, 0 or more; a larger one is an error
     */
    public ReplyDecoder(int valueBytesMax) {
        if (valueBytesMax < 0) {
            throw new IllegalArgumentException("valueBytesMax is 0 or more, not " + valueBytesMax);
        }
        this.valueBytesMax = valueBytesMax;
    }

    /**
     * The next reply, or null when more bytes are needed for it.
     *
     * <p>When it returns null, {@code in} is empty but for the beginning of a line, at most {@link
     * Limits#REPLY_LINE_BYTES_MAX} and one byte. The next call must find that beginning again at the reader index, with
     * more bytes after it.
     *
     * @param in what has arrived; read from, neither kept nor released
     * @throws ProtocolException if this is no reply, now and at every later call
     */
    public @Nullable Reply decode(ByteBuf in) throws ProtocolException {
        while (in.isReadable()) {
            Reply reply = switch (state) {
                case LINE -> decodeLine(in);
                case VALUE -> decodeValue(in);
                case TAIL -> decodeTail(in);
                case BROKEN -> throw broken("nothing, after what was no reply");
            };
            if (reply != null || searched > 0) {
                return reply;
            }
        }
        return null;
    }

    private @Nullable Reply decodeLine(ByteBuf in) throws ProtocolException {
        int start = in.readerIndex();
        int visible = Math.min(in.readableBytes(), Limits.REPLY_LINE_BYTES_MAX + CRLF_BYTES);
        int lineFeed = in.indexOf(start + Math.min(searched, visible), start + visible, (byte) '\n');
        if (lineFeed < 0 && visible < Limits.REPLY_LINE_BYTES_MAX + CRLF_BYTES) {
            searched = visible;
            return null;
        }
        searched = 0;
        if (lineFeed <= start || in.getByte(lineFeed - 1) != '\r') {
            throw broken("a line of at most " + Limits.REPLY_LINE_BYTES_MAX + " bytes that ends in CRLF");
        }
        String line = in.readCharSequence(lineFeed - 1 - start, StandardCharsets.US_ASCII)
                .toString();
        in.readerIndex(lineFeed + 1);
        if (line.equals(DONE)) {
            return Reply.Done.DONE;
        }
        if (line.startsWith(DONE_WITH_DETAILS)) {
            return new Reply.Detailed(null, details(line.substring(DONE_WITH_DETAILS.length())));
        }
        if (line.startsWith(ERROR)) {
            return failure(line.substring(ERROR.length()));
        }
        if (line.startsWith(LENGTH)) {
            beginValue(line.substring(LENGTH.length()));
            return null;
        }
        throw broken("DONE, LEN or ERROR");
    }

    private Reply failure(String codeAndText) throws ProtocolException {
        int space = codeAndText.indexOf(' ');
        String name = space < 0 ? codeAndText : codeAndText.substring(0, space);
        ErrorCode code = CODES.get(name);
        if (code == null && name.matches("[a-z_]+")) {
            // Of a newer server: it has to be taken for this one.
            return new Reply.Failure(ErrorCode.UNKNOWN_OUTCOME, codeAndText);
        } else if (code == null) {
            throw broken("an error code");
        }
        return new Reply.Failure(code, space < 0 ? null : codeAndText.substring(space + 1));
    }

    private String details(String words) throws ProtocolException {
        if (words.isEmpty()) {
            throw broken("a word after the space");
        }
        return words;
    }

    private void beginValue(String lengthAndDetails) throws ProtocolException {
        int space = lengthAndDetails.indexOf(' ');
        String digits = space < 0 ? lengthAndDetails : lengthAndDetails.substring(0, space);
        details = space < 0 ? null : details(lengthAndDetails.substring(space + 1));
        byte[] bytes = digits.getBytes(StandardCharsets.US_ASCII);
        long length = Decimals.count(bytes, 0, bytes.length);
        if (length == Decimals.UNREADABLE || length > valueBytesMax) {
            throw broken("a length of at most " + valueBytesMax);
        }
        value = new PartialValue((int) length, ValueBudget.UNLIMITED);
        state = length > 0 ? State.VALUE : State.TAIL;
    }

    private @Nullable Reply decodeValue(ByteBuf in) {
        PartialValue partial = Objects.requireNonNull(value);
        partial.readFrom(in);
        if (partial.missing() == 0) {
            state = State.TAIL;
        }
        return null;
    }

    private @Nullable Reply decodeTail(ByteBuf in) throws ProtocolException {
        while (in.isReadable() && tailRead < TAIL.length) {
            if (in.readByte() != TAIL[tailRead]) {
                throw broken("CRLF, DONE, CRLF after the value");
            }
            tailRead++;
        }
        if (tailRead < TAIL.length) {
            return null;
        }
        byte[] bytes = Objects.requireNonNull(value).take();
        Reply reply = details == null ? new Reply.Value(bytes) : new Reply.Detailed(bytes, details);
        value = null;
        tailRead = 0;
        state = State.LINE;
        return reply;
    }

    private ProtocolException broken(String expected) {
        state = State.BROKEN;
        value = null;
        return new ProtocolException("not a reply: expected " + expected);
    }

    private static Map<String, ErrorCode> codes() {
        Map<String, ErrorCode> codes = new HashMap<>();
        for (ErrorCode code : ErrorCode.values()) {
            codes.put(code.wireName(), code);
        }
        return Map.copyOf(codes);
    }
}
