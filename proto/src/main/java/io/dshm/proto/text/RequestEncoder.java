package io.dshm.proto.text;

import io.dshm.proto.Command;
import io.dshm.proto.Key;
import io.dshm.proto.ReadMode;
import io.dshm.proto.Reply.Failure;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Makes bytes of commands, for a client. Stateless; writes at the buffer's writer index and lets the buffer grow.
 *
 * <p>It is the last place where a key that holds a space or a line end can be kept from becoming a command of its own:
 * such keys are percent-encoded by whoever has them, and refused here.
 */
public final class RequestEncoder {

    private static final byte[] CRLF = {'\r', '\n'};

    private RequestEncoder() {}

    /**
     * Writes a command, with its data if it has any.
     *
     * @throws IllegalArgumentException if the command cannot be said in this protocol: a key or region with forbidden
     *     bytes, a region with a colon, a negative duration or capacity. Nothing is written then.
     */
    public static void encode(Command command, ByteBuf out) {
        if (command instanceof Command.Get get) {
            writeVerb(Verb.GET, get.key(), out);
            ReadMode mode = get.mode();
            if (mode != null) {
                out.writeByte(' ');
                out.writeCharSequence(LineParser.READ_OPTION + mode.wireName(), StandardCharsets.US_ASCII);
            }
        } else if (command instanceof Command.Set set) {
            requireNotNegative(set.ttlMillis());
            writeVerb(Verb.SET, set.key(), out);
            writeSeconds(set.ttlMillis(), out);
            writeNumber(set.value().length, out);
            out.writeBytes(CRLF);
            out.writeBytes(set.value());
            return;
        } else if (command instanceof Command.Touch touch) {
            requireNotNegative(touch.ttlMillis());
            writeVerb(Verb.TOUCH, touch.key(), out);
            writeSeconds(touch.ttlMillis(), out);
        } else if (command instanceof Command.Delete delete) {
            writeVerb(Verb.DELETE, delete.key(), out);
        } else if (command instanceof Command.Incr incr) {
            encodeIncr(incr, out);
        } else if (command instanceof Command.RateLimiter limiter) {
            requireNotNegative(limiter.capacity());
            requireNotNegative(limiter.durationMillis());
            writeVerb(Verb.RATE_LIMITER, limiter.key(), out);
            writeNumber(limiter.capacity(), out);
            writeSeconds(limiter.durationMillis(), out);
        } else if (command instanceof Command.FlushAll flushAll) {
            encodeFlushAll(flushAll.region(), out);
        } else if (command instanceof Command.SetReadMode setReadMode) {
            writeVerb(Verb.READ_MODE, out);
            out.writeByte(' ');
            out.writeCharSequence(setReadMode.mode().wireName(), StandardCharsets.US_ASCII);
        } else {
            writeVerb(Verb.QUIT, out);
        }
        out.writeBytes(CRLF);
    }

    private static void encodeIncr(Command.Incr incr, ByteBuf out) {
        requireNotNegative(incr.initTtlMillis());
        writeVerb(Verb.INCR, incr.key(), out);
        writeNumber(incr.by(), out);
        writeNumber(incr.init(), out);
        if (incr.initTtlMillis() > 0) {
            writeSeconds(incr.initTtlMillis(), out);
        }
    }

    private static void encodeFlushAll(byte[] region, ByteBuf out) {
        if (region.length == 0) {
            writeVerb(Verb.FLUSHALL, out);
            return;
        }
        require(Names.regionFault(region, 0, region.length), "region");
        writeVerb(Verb.FLUSHALL, out);
        out.writeByte(' ');
        out.writeBytes(region);
    }

    private static void writeVerb(Verb verb, Key key, ByteBuf out) {
        require(Names.keyFault(key.bytes(), 0, key.bytes().length), "key");
        writeVerb(verb, out);
        out.writeByte(' ');
        out.writeBytes(key.bytes());
    }

    private static void writeVerb(Verb verb, ByteBuf out) {
        out.writeCharSequence(verb.name(), StandardCharsets.US_ASCII);
    }

    private static void writeNumber(long number, ByteBuf out) {
        out.writeByte(' ');
        Decimals.write(number, out);
    }

    private static void writeSeconds(long millis, ByteBuf out) {
        out.writeByte(' ');
        Decimals.writeMillisAsSeconds(millis, out);
    }

    private static void require(@Nullable Failure fault, String what) {
        if (fault != null) {
            throw new IllegalArgumentException("this " + what + " cannot be sent: "
                    + (fault.text() != null ? fault.text() : "it holds a byte that a " + what + " may not hold"));
        }
    }

    private static void requireNotNegative(long number) {
        if (number < 0) {
            throw new IllegalArgumentException("not a duration or capacity: " + number);
        }
    }
}
