package io.dshm.client.cli.bench;

import java.net.ProtocolException;

/** memcached's text protocol. */
final class MemcachedDialect extends LineDialect {

    private static final byte[] GET = ascii("get ");
    private static final byte[] GETS = ascii("gets ");
    private static final byte[] SET = ascii("set ");
    private static final byte[] ADD = ascii("add ");
    private static final byte[] CAS = ascii("cas ");
    private static final byte[] DELETE = ascii("delete ");
    private static final byte[] INCR = ascii("incr ");
    private static final byte[] BY_ONE = ascii(" 1\r\n");
    private static final byte[] TOUCH = ascii("touch ");
    private static final byte[] HOUR = ascii(" 3600\r\n");
    private static final byte[] PING = ascii("version\r\n");
    private static final byte[] FOR_EVER = ascii(" 0 0 ");
    private static final byte[] VALUE = ascii("VALUE ");
    private static final int AFTER_VALUE = "\r\nEND\r\n".length();

    MemcachedDialect(String prefix) {
        super(prefix);
    }

    @Override
    void write(Bytes out, Request request) {
        switch (request.op) {
            case GET -> name(out, GET, request).put(LINE_END);
            case SET -> valued(out, SET, request);
            case ADD -> valued(out, ADD, request);
            case CAS -> cas(out, request);
            case DELETE -> name(out, DELETE, request).put(LINE_END);
            case INCR -> name(out, INCR, request).put(BY_ONE);
            case TOUCH -> name(out, TOUCH, request).put(HOUR);
            case PING -> out.put(PING);
            case TAKE, PUSH, POP -> throw new IllegalArgumentException("memcached has no " + request.op.word());
        }
    }

    private Bytes name(Bytes out, byte[] command, Request request) {
        key(out.put(command), request);
        return out;
    }

    private void valued(Bytes out, byte[] command, Request request) {
        name(out, command, request).put(FOR_EVER).decimal(request.size).put(LINE_END);
        out.value(request.tag, request.size).put(LINE_END);
    }

    private void cas(Bytes out, Request request) {
        if (!request.stores) {
            name(out, GETS, request).put(LINE_END);
            return;
        }
        name(out, request.version == 0 ? ADD : CAS, request).put(FOR_EVER);
        out.decimal(digits(request.tag));
        if (request.version != 0) {
            out.put(' ').decimal(request.version);
        }
        out.put(LINE_END).decimal(request.tag).put(LINE_END);
    }

    @Override
    boolean read(Bytes in, int end, Reply reply) throws ProtocolException {
        if (says(in, in.from, VALUE)) {
            return found(in, end, reply);
        }
        if (in.array[in.from] >= '0' && in.array[in.from] <= '9') {
            reply.value(in.array, in.from, end - 1 - in.from);
        } else {
            String line = line(in, in.from, end);
            int blank = line.indexOf(' ');
            switch (blank < 0 ? line : line.substring(0, blank)) {
                case "STORED", "DELETED", "TOUCHED", "VERSION", "OK" -> reply.outcome = Reply.Outcome.OK;
                case "END", "NOT_FOUND" -> reply.outcome = Reply.Outcome.MISS;
                case "NOT_STORED", "EXISTS" -> reply.outcome = Reply.Outcome.NO;
                case "ERROR", "CLIENT_ERROR", "SERVER_ERROR" -> {
                    reply.outcome = Reply.Outcome.FAILED;
                    reply.error = line;
                }
                default -> throw unreadable(in);
            }
        }
        in.from = end + 1;
        return true;
    }

    /** {@code VALUE key flags length [version]}, the value, {@code END}. */
    private static boolean found(Bytes in, int end, Reply reply) throws ProtocolException {
        int at = in.from + VALUE.length;
        for (int blanks = 0; blanks < 2; blanks++) {
            while (at < end && in.array[at] != ' ') {
                at++;
            }
            at++;
        }
        long length = number(in, at);
        while (at < end && in.array[at] != ' ') {
            at++;
        }
        long version = at < end ? Math.max(0, number(in, at + 1)) : 0;
        boolean whole = value(in, end, length, AFTER_VALUE, reply);
        reply.version = version;
        return whole;
    }
}
