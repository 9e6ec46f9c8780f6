package io.dshm.client.cli.bench;

import io.dshm.proto.ErrorCode;
import java.net.ProtocolException;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The protocol of proto/README.md. */
final class DshmDialect extends LineDialect {

    private static final byte[] GET = ascii("GET ");
    private static final byte[] SET = ascii("SET ");
    private static final byte[] PUT = ascii("PUT ");
    private static final byte[] FETCH = ascii("FETCH ");
    private static final byte[] DELETE = ascii("DELETE ");
    private static final byte[] INCR = ascii("INCR ");
    private static final byte[] BY_ONE = ascii(" 1 0\r\n");
    private static final byte[] TAKE = ascii("TAKE ");
    private static final byte[] RPUSH = ascii("RPUSH ");
    private static final byte[] LPOP = ascii("LPOP ");
    private static final byte[] TOUCH = ascii("TOUCH ");
    private static final byte[] HOUR = ascii(" 3600\r\n");
    private static final byte[] PING = ascii("PING\r\n");
    private static final byte[] FOR_EVER = ascii(" 0 ");
    private static final byte[] IF_ABSENT = ascii(" type=raw if=absent\r\n");
    private static final byte[] IF = ascii(" type=raw if=");
    private static final byte[] EXACT = ascii(" read=linearizable\r\n");
    private static final byte[] REFUSED = ascii("allowed=0");
    private static final byte[] VERSION = ascii("version=");
    private static final byte[] DONE = ascii("DONE");
    private static final byte[] LEN = ascii("LEN ");
    private static final byte[] ERROR = ascii("ERROR ");
    private static final Map<String, ErrorCode> CODES =
            Arrays.stream(ErrorCode.values()).collect(Collectors.toMap(ErrorCode::wireName, code -> code));
    private static final byte[] AFTER_VALUE = ascii("\r\nDONE\r\n");
    private static final byte[] AUTH = ascii("AUTH ");
    private static final byte[] HEX = ascii("0123456789ABCDEF");

    private final byte[] readEnd;
    private final byte[] limit;
    private final Security.@Nullable Login login;
    /** Whether the reply to AUTH has come. */
    private boolean greeted;

    /**
     * @param read how fresh a read is, as {@code read=} says it; empty for what the node is set to
     * @param limit algorithm, limit and period of all limits
     * @param login who each connection says it is; null for nobody
     */
    DshmDialect(String prefix, String read, String limit, Security.@Nullable Login login) {
        super(prefix);
        this.login = login;
        this.greeted = login == null;
        this.readEnd = ascii(read.isEmpty() ? "\r\n" : " read=" + read + "\r\n");
        this.limit = ascii(" " + limit + "\r\n");
    }

    @Override
    void hello(Bytes out) {
        if (login != null) {
            word(out.put(AUTH), login.user());
            word(out.put(' '), login.secret());
            out.put(LINE_END);
        }
    }

    /** All of it percent-encoded, whether it has to be or not. */
    private static void word(Bytes out, byte[] word) {
        for (byte each : word) {
            out.put('%').put(HEX[each >> 4 & 15]).put(HEX[each & 15]);
        }
    }

    @Override
    void write(Bytes out, Request request) {
        switch (request.op) {
            case GET -> {
                key(out.put(GET), request);
                out.put(request.exact ? EXACT : readEnd);
            }
            case SET -> {
                key(out.put(SET), request);
                out.put(FOR_EVER).decimal(request.size).put(LINE_END).value(request.tag, request.size);
            }
            case ADD -> {
                key(out.put(PUT), request);
                out.put(FOR_EVER).decimal(request.size).put(IF_ABSENT).value(request.tag, request.size);
            }
            case CAS -> cas(out, request);
            case DELETE -> {
                key(out.put(DELETE), request);
                out.put(LINE_END);
            }
            case INCR -> {
                key(out.put(INCR), request);
                out.put(BY_ONE);
            }
            case TAKE -> {
                key(out.put(TAKE), request);
                out.put(limit);
            }
            case PUSH -> {
                key(out.put(RPUSH), request);
                out.put(' ').decimal(request.size).put(LINE_END).value(request.tag, request.size);
            }
            case POP -> {
                key(out.put(LPOP), request);
                out.put(LINE_END);
            }
            case TOUCH -> {
                key(out.put(TOUCH), request);
                out.put(HOUR);
            }
            case PING -> out.put(PING);
        }
    }

    private void cas(Bytes out, Request request) {
        if (!request.stores) {
            key(out.put(FETCH), request);
            out.put(request.exact ? EXACT : readEnd);
            return;
        }
        key(out.put(PUT), request);
        out.put(FOR_EVER).decimal(digits(request.tag));
        if (request.version == 0) {
            out.put(IF_ABSENT);
        } else {
            out.put(IF).decimal(request.version).put(LINE_END);
        }
        out.decimal(request.tag);
    }

    @Override
    boolean read(Bytes in, int end, Reply reply) throws ProtocolException {
        if (!greeted) {
            if (!says(in, in.from, DONE)) {
                String line = line(in, in.from, end);
                throw line.startsWith("ERROR denied")
                        ? new LoginRefusedException("AUTH was refused: " + line)
                        : new ProtocolException("AUTH was not answered with DONE: " + line);
            }
            greeted = true;
            in.from = end + 1;
            int next = lineEnd(in, in.from);
            return next >= 0 && read(in, next, reply);
        }
        if (says(in, in.from, LEN)) {
            long version = option(in, end);
            if (!value(in, end, number(in, in.from + LEN.length), AFTER_VALUE.length, reply)) {
                return false;
            }
            reply.version = version;
            if (!says(in, in.from - AFTER_VALUE.length, AFTER_VALUE)) {
                throw unreadable(in);
            }
            return true;
        }
        if (says(in, in.from, DONE)) {
            if (end - in.from > DONE.length + REFUSED.length && says(in, in.from + DONE.length + 1, REFUSED)) {
                reply.outcome = Reply.Outcome.NO;
            }
        } else if (says(in, in.from, ERROR)) {
            reply.error = line(in, in.from + ERROR.length, end);
            reply.outcome = outcome(reply.error);
        } else {
            throw unreadable(in);
        }
        in.from = end + 1;
        return true;
    }

    private static long option(Bytes in, int end) {
        for (int i = in.from; i < end; i++) {
            if (in.array[i] == 'v' && says(in, i, VERSION)) {
                return Math.max(0, number(in, i + VERSION.length));
            }
        }
        return 0;
    }

    private static Reply.Outcome outcome(String error) {
        int blank = error.indexOf(' ');
        ErrorCode code = CODES.get(blank < 0 ? error : error.substring(0, blank));
        if (code == null || code.effect() == ErrorCode.Effect.UNKNOWN) {
            return Reply.Outcome.UNKNOWN;
        }
        return switch (code) {
            case NOT_FOUND -> Reply.Outcome.MISS;
            case EXISTS -> Reply.Outcome.NO;
            default -> Reply.Outcome.FAILED;
        };
    }
}
