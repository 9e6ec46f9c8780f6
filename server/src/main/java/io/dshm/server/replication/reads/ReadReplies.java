package io.dshm.server.replication.reads;

import io.dshm.proto.Command;
import io.dshm.proto.Doubles;
import io.dshm.proto.ErrorCode;
import io.dshm.proto.Reply;
import io.dshm.proto.ValueType;
import io.dshm.server.store.Entry;
import io.dshm.server.store.ListValue;
import java.nio.charset.StandardCharsets;

/** What reads of one key tell of its entry. */
final class ReadReplies {

    private static final byte[] TRUE = "true".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] FALSE = "false".getBytes(StandardCharsets.US_ASCII);

    private static final Reply.Failure GET_OF_LIST = new Reply.Failure(
            ErrorCode.BAD_REQUEST, "GET takes no list; STAT shows its length, LPOP and RPOP take its elements");

    private ReadReplies() {}

    /** The reply to a read of this entry at that instant of the cluster clock. */
    static Reply of(Command.KeyRead read, Entry entry, long clockMillis) {
        if (read.stale() ? entry.isGoneAt(clockMillis) : entry.isExpiredAt(clockMillis)) {
            return Reply.Failure.NOT_FOUND;
        }
        return switch (read.kind()) {
            case GET -> get(entry, clockMillis);
            case FETCH -> fetch(entry, clockMillis);
            case STAT -> stat(entry, clockMillis);
        };
    }

    private static Reply fetch(Entry entry, long clockMillis) {
        String details = details(typeOf(entry), entry, clockMillis, new StringBuilder());
        return new Reply.Detailed(valueOf(entry, clockMillis), details);
    }

    private static Reply stat(Entry entry, long clockMillis) {
        ValueType type = typeOf(entry);
        StringBuilder length = new StringBuilder(" length=").append(lengthOf(type, entry, clockMillis));
        return new Reply.Detailed(null, details(type, entry, clockMillis, length));
    }

    private static Reply get(Entry entry, long clockMillis) {
        if (entry.isLimiter()) {
            return new Reply.IntegerValue(entry.limiter().remainingAt(clockMillis));
        }
        return typeOf(entry) == ValueType.LIST ? GET_OF_LIST : new Reply.Value(valueOf(entry, clockMillis));
    }

    private static ValueType typeOf(Entry entry) {
        if (entry.isPlain()) {
            return ValueType.RAW;
        }
        if (entry.isLimiter()) {
            return ValueType.LIMITER;
        }
        Object held = entry.typed().held();
        if (held instanceof Double) {
            return ValueType.NUMBER;
        }
        if (held instanceof Boolean) {
            return ValueType.BOOLEAN;
        }
        return held instanceof ListValue ? ValueType.LIST : ValueType.STRING;
    }

    /** The value as it stands on the wire: of a list its length, of a limiter the tokens left. */
    private static byte[] valueOf(Entry entry, long clockMillis) {
        if (entry.isPlain()) {
            return entry.value();
        }
        if (entry.isLimiter()) {
            return digits(entry.limiter().remainingAt(clockMillis));
        }
        Object value = entry.typed().value();
        if (value instanceof byte[] string) {
            return string;
        }
        if (value instanceof Double number) {
            return Doubles.toBytes(number);
        }
        return value instanceof Boolean truth ? (truth ? TRUE : FALSE) : digits(((ListValue) value).size());
    }

    private static byte[] digits(long number) {
        return Long.toString(number).getBytes(StandardCharsets.US_ASCII);
    }

    private static long lengthOf(ValueType type, Entry entry, long clockMillis) {
        return switch (type) {
            case LIST -> ((ListValue) entry.typed().value()).size();
            case LIMITER -> entry.limiter().remainingAt(clockMillis);
            case STRING, RAW -> entry.length();
            case NUMBER, BOOLEAN -> valueOf(entry, clockMillis).length;
        };
    }

    /** @param middle what stands behind the type */
    private static String details(ValueType type, Entry entry, long clockMillis, StringBuilder middle) {
        StringBuilder details =
                new StringBuilder(64).append("type=").append(type.wireName()).append(middle);
        if (entry.isTyped() && entry.typed().flags() != 0) {
            details.append(" flags=")
                    .append(Integer.toUnsignedString(entry.typed().flags()));
        }
        if (entry.hasDeadline()) {
            details.append(" ttl=").append(entry.expiresAtMillis() - clockMillis);
        }
        return details.append(" version=").append(entry.version()).toString();
    }

    /** The bytes that a reply shares with the store. */
    static int valueBytes(Reply reply) {
        if (reply instanceof Reply.Value value) {
            return value.bytes().length;
        }
        return reply instanceof Reply.Detailed detailed && detailed.value() != null ? detailed.value().length : 0;
    }
}
