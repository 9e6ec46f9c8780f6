package io.dshm.proto.text;

import io.dshm.proto.Limits;
import io.dshm.proto.Reply;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;

/**
 * Makes bytes of replies, for a server. Stateless; writes at the buffer's writer index and lets the buffer grow.
 *
 * <p>A large value need not be copied: {@link #encodeHead}, the value as a buffer of its own, {@link #encodeTail}.
 */
public final class ReplyEncoder {

    private static final byte[] DONE = ascii("DONE\r\n");
    private static final byte[] LENGTH = ascii("LEN ");
    private static final byte[] TAIL = ascii("\r\nDONE\r\n");
    private static final byte[] ERROR = ascii("ERROR ");
    private static final byte[] CRLF = ascii("\r\n");

    /** Most replies have fewer bytes beside their value; for more, a buffer grows. */
    private static final int REPLY_BYTES_MOST = 64;

    private ReplyEncoder() {}

    /** Writes a whole reply. */
    public static void encode(Reply reply, ByteBuf out) {
        if (reply instanceof Reply.Value value) {
            encodeHead(value.bytes().length, out);
            out.writeBytes(value.bytes());
            encodeTail(out);
        } else if (reply instanceof Reply.IntegerValue integer) {
            encodeHead(Decimals.length(integer.number()), out);
            Decimals.write(integer.number(), out);
            encodeTail(out);
        } else if (reply instanceof Reply.Failure failure) {
            encodeFailure(failure, out);
        } else if (reply instanceof Reply.Detailed detailed) {
            encodeDetailed(detailed, out);
        } else if (reply instanceof Reply.Several several) {
            byte[] replies = encodeAll(several);
            encodeHead(replies.length, out);
            out.writeBytes(replies);
            encodeTail(out);
        } else {
            out.writeBytes(DONE);
        }
    }

    /** The replies to the requests in a MULTI, one after the other: on the wire they are one value. */
    public static byte[] encodeAll(Reply.Several several) {
        ByteBuf replies = Unpooled.buffer(
                valueBytes(several) + REPLY_BYTES_MOST * several.replies().size());
        several.replies().forEach(one -> encode(one, replies));
        return ByteBufUtil.getBytes(replies);
    }

    /** Bytes of the values in the replies to the requests in a MULTI. */
    public static int valueBytes(Reply.Several several) {
        int bytes = 0;
        for (Reply reply : several.replies()) {
            if (reply instanceof Reply.Value value) {
                bytes += value.bytes().length;
            } else if (reply instanceof Reply.Detailed detailed && detailed.value() != null) {
                bytes += detailed.value().length;
            }
        }
        return bytes;
    }

    /**
     * Writes what precedes a value.
     *
     * @param valueLength bytes of the value, 0 or more
     */
    public static void encodeHead(long valueLength, ByteBuf out) {
        out.writeBytes(LENGTH);
        Decimals.write(valueLength, out);
        out.writeBytes(CRLF);
    }

    /** Writes what follows a value. */
    public static void encodeTail(ByteBuf out) {
        out.writeBytes(TAIL);
    }

    private static void encodeDetailed(Reply.Detailed detailed, ByteBuf out) {
        byte[] value = detailed.value();
        if (value == null) {
            out.writeBytes(DONE, 0, DONE.length - CRLF.length);
            writeDetails(detailed.details(), out);
        } else {
            encodeHead(value.length, detailed.details(), out);
            out.writeBytes(value);
            encodeTail(out);
        }
    }

    /** Writes what precedes a value; see {@link Reply.Detailed}. */
    public static void encodeHead(long valueLength, String details, ByteBuf out) {
        out.writeBytes(LENGTH);
        Decimals.write(valueLength, out);
        writeDetails(details, out);
    }

    private static void writeDetails(String details, ByteBuf out) {
        out.writeByte(' ');
        out.writeCharSequence(details, StandardCharsets.US_ASCII);
        out.writeBytes(CRLF);
    }

    private static void encodeFailure(Reply.Failure failure, ByteBuf out) {
        out.writeBytes(ERROR);
        writeAscii(failure.code().wireName(), out);
        String text = failure.text();
        if (text != null && !text.isEmpty()) {
            out.writeByte(' ');
            writeAscii(text, out);
        }
        out.writeBytes(CRLF);
    }

    /** Makes a text fit: no line end in it, and no longer than a client accepts. */
    private static void writeAscii(String text, ByteBuf out) {
        int length = Math.min(text.length(), Limits.ERROR_TEXT_BYTES_MAX);
        for (int at = 0; at < length; at++) {
            char character = text.charAt(at);
            out.writeByte(character >= ' ' && character <= '~' ? character : '?');
        }
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
