package io.dshm.client;

import io.dshm.proto.Doubles;
import io.dshm.proto.ErrorCode;
import io.dshm.proto.Limits;
import io.dshm.proto.Reply;
import io.dshm.proto.ValueType;
import io.dshm.proto.text.ProtocolException;
import io.dshm.proto.text.ReplyDecoder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * Reads replies. An error is thrown as a {@link CommandFailedException}, another kind of reply than expected as an
 * {@code IOException}.
 */
final class Replies {

    private Replies() {}

    static byte[] value(Reply reply) throws IOException {
        if (reply instanceof Reply.Value value) {
            return value.bytes();
        }
        throw unexpected(reply);
    }

    static long number(Reply reply) throws IOException {
        return Long.parseLong(new String(value(reply), StandardCharsets.US_ASCII));
    }

    /** A count; on what is no integer, an INCR replies that. */
    static long count(Reply reply) throws IOException {
        try {
            return number(reply);
        } catch (NumberFormatException e) {
            throw new InvalidCallException(
                    "the value under this key is no integer; it is unchanged", ErrorCode.BAD_REQUEST);
        }
    }

    static @Nullable Void done(Reply reply) throws IOException {
        if (reply instanceof Reply.Failure || !(reply instanceof Reply.Done || reply instanceof Reply.Detailed)) {
            throw unexpected(reply);
        }
        return null;
    }

    static boolean is(Reply reply, ErrorCode code) {
        return reply instanceof Reply.Failure failure && failure.code() == code;
    }

    /** Whether a condition held. */
    static boolean held(Reply reply) throws IOException {
        if (is(reply, ErrorCode.NOT_FOUND) || is(reply, ErrorCode.EXISTS)) {
            return false;
        }
        done(reply);
        return true;
    }

    static Optional<byte[]> found(Reply reply) throws IOException {
        return is(reply, ErrorCode.NOT_FOUND) ? Optional.empty() : Optional.of(value(reply));
    }

    static String text(byte[] value) {
        return new String(value, StandardCharsets.UTF_8);
    }

    /** Those of several reads that have found something, by key. */
    static Map<String, byte[]> found(List<String> keys, Reply reply) throws IOException {
        List<Reply> each = within(value(reply));
        if (each.size() != keys.size()) {
            throw new IOException(each.size() + " replies to " + keys.size() + " reads");
        }
        Map<String, byte[]> found = new LinkedHashMap<>();
        for (int i = 0; i < keys.size(); i++) {
            Optional<byte[]> value = found(each.get(i));
            if (value.isPresent()) {
                found.put(keys.get(i), value.get());
            }
        }
        return found;
    }

    /** A reply to SET: the value, which its sender knows. */
    static @Nullable Void set(Reply reply) throws IOException {
        value(reply);
        return null;
    }

    static OptionalDouble sum(Reply reply) throws IOException {
        return is(reply, ErrorCode.NOT_FOUND)
                ? OptionalDouble.empty()
                : OptionalDouble.of(Doubles.parse(anyValue(reply)));
    }

    /** Whatever is no error. */
    static Reply any(Reply reply) throws IOException {
        if (reply instanceof Reply.Failure) {
            throw unexpected(reply);
        }
        return reply;
    }

    static Optional<Value> element(Reply reply) throws IOException {
        return is(reply, ErrorCode.NOT_FOUND) ? Optional.empty() : Optional.of(typed(detailed(reply)));
    }

    static Optional<Entry> entry(Reply reply) throws IOException {
        if (is(reply, ErrorCode.NOT_FOUND)) {
            return Optional.empty();
        }
        Reply.Detailed detailed = detailed(reply);
        return Optional.of(new Entry(typed(detailed), ttl(detailed), number(detailed, "version")));
    }

    static Optional<EntryInfo> info(Reply reply) throws IOException {
        if (is(reply, ErrorCode.NOT_FOUND)) {
            return Optional.empty();
        }
        Reply.Detailed detailed = detailed(reply);
        return Optional.of(new EntryInfo(
                type(detailed),
                number(detailed, "length"),
                flags(detailed),
                ttl(detailed),
                number(detailed, "version")));
    }

    static Stored stored(Reply reply) throws IOException {
        if (!held(reply)) {
            return new Stored(false, 0, false);
        }
        Reply.Detailed detailed = detailed(reply);
        return new Stored(true, number(detailed, "version"), detailed.detail("evicted") != null);
    }

    /** The value of a reply with or without words. */
    static byte[] anyValue(Reply reply) throws IOException {
        if (reply instanceof Reply.Detailed detailed && detailed.value() != null) {
            return detailed.value();
        }
        return value(reply);
    }

    static KeyPage keys(Reply reply) throws IOException {
        Reply.Detailed detailed = detailed(reply);
        byte[] wire = anyValue(reply);
        List<String> keys = new ArrayList<>();
        for (int from = 0, at = 0; at < wire.length; at++) {
            if (wire[at] == '\n') {
                keys.add(Keys.decoded(wire, from, at));
                from = at + 1;
            }
        }
        return new KeyPage(
                keys,
                detailed.detail("next") == null ? OptionalLong.empty() : OptionalLong.of(number(detailed, "next")));
    }

    static RegionInfo region(Reply reply) throws IOException {
        Reply.Detailed detailed = detailed(reply);
        return new RegionInfo(
                number(detailed, "entries"),
                number(detailed, "stale"),
                number(detailed, "bytes"),
                number(detailed, "capacity"),
                number(detailed, "free"));
    }

    static NodeInfo node(Reply reply) throws IOException {
        Reply.Detailed detailed = detailed(reply);
        return new NodeInfo(
                (int) number(detailed, "protocol"),
                word(detailed, "node"),
                Optional.ofNullable(detailed.detail("leader")));
    }

    /** Those in the value of a reply. */
    static List<Reply> within(byte @Nullable [] value) throws IOException {
        List<Reply> replies = new ArrayList<>();
        ReplyDecoder decoder = new ReplyDecoder(Limits.VALUE_BYTES_MAX);
        ByteBuf in = Unpooled.wrappedBuffer(value == null ? new byte[0] : value);
        try {
            for (Reply one = decoder.decode(in); one != null; one = decoder.decode(in)) {
                replies.add(one);
            }
        } catch (ProtocolException e) {
            throw new IOException(e);
        }
        return replies;
    }

    private static Value typed(Reply.Detailed detailed) throws IOException {
        byte[] bytes = detailed.value();
        if (bytes == null) {
            throw unexpected(detailed);
        }
        return new Value(type(detailed), bytes, flags(detailed));
    }

    private static ValueType type(Reply.Detailed detailed) throws IOException {
        return ValueType.valueOf(word(detailed, "type").toUpperCase(Locale.ROOT));
    }

    private static int flags(Reply.Detailed detailed) {
        String flags = detailed.detail("flags");
        return flags == null ? 0 : Integer.parseUnsignedInt(flags);
    }

    private static Optional<Duration> ttl(Reply.Detailed detailed) {
        return Optional.ofNullable(detailed.detail("ttl")).map(Long::parseLong).map(Duration::ofMillis);
    }

    static Reply.Detailed detailed(Reply reply) throws IOException {
        if (reply instanceof Reply.Detailed detailed) {
            return detailed;
        }
        throw unexpected(reply);
    }

    static long number(Reply.Detailed detailed, String name) throws IOException {
        return Long.parseLong(word(detailed, name));
    }

    private static String word(Reply.Detailed detailed, String name) throws IOException {
        String word = detailed.detail(name);
        if (word == null) {
            throw unexpected(detailed);
        }
        return word;
    }

    static IOException unexpected(Reply reply) {
        return reply instanceof Reply.Failure failure
                ? new CommandFailedException(failure)
                : new IOException("not a reply to this command: " + reply);
    }
}
