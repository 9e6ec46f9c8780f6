package io.dshm.client.cli.bench;

import io.dshm.proto.ErrorCode;
import java.net.ProtocolException;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Collectors;

/** The protocol of proto/README.md. */
final class DshmDialect extends Dialect {

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
    private static final int AFTER_VALUE = "\r\nDONE\r\n".length();

    private final byte[] readEnd;
    private final byte[] limit;

    /**
     * @param read how fresh a read is, as {@code read=} says it; empty for what the node is set to
     * @param limit algorithm, limit and period of all limits
     */
    DshmDialect(String prefix, String read, String limit) {
        super(prefix);
        this.readEnd = ascii(read.isEmpty() ? "\r\n" : " read=" + read + "\r\n");
        this.limit = ascii(" " + limit + "\r\n");
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
    boolean read(Bytes in, Reply reply, Bytes out) throws ProtocolException {
        int end = lineEnd(in, in.from);
        if (end < 0) {
            return false;
        }
        reply.begin();
        if (says(in, in.from, LEN)) {
            long length = number(in, in.from + LEN.length);
            if (length < 0 || length > Integer.MAX_VALUE / 2) {
                throw unreadable(in);
            }
            int after = (int) length + AFTER_VALUE;
            if (in.to - end - 1 < after) {
                return false;
            }
            reply.version = option(in, end);
            reply.value(in.array, end + 1, (int) length);
            if (!says(in, end + 1 + (int) length + LINE_END.length, DONE)) {
                throw unreadable(in);
            }
            in.from = end + 1 + after;
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
