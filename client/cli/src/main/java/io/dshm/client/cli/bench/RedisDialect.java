package io.dshm.client.cli.bench;

import java.net.ProtocolException;

/** Redis' protocol, RESP 2. */
final class RedisDialect extends LineDialect {

    private static final byte[] GET = command(2, "GET");
    private static final byte[] SET = command(3, "SET");
    private static final byte[] SET_IF_ABSENT = command(4, "SET");
    private static final byte[] NX = ascii("$2\r\nNX\r\n");
    private static final byte[] DEL = command(2, "DEL");
    private static final byte[] INCR = command(2, "INCR");
    private static final byte[] RPUSH = command(3, "RPUSH");
    private static final byte[] LPOP = command(2, "LPOP");
    private static final byte[] EXPIRE = command(3, "EXPIRE");
    private static final byte[] HOUR = ascii("$4\r\n3600\r\n");
    private static final byte[] PING = command(1, "PING");

    RedisDialect(String prefix) {
        super(prefix);
    }

    private static byte[] command(int words, String name) {
        return ascii("*" + words + "\r\n$" + name.length() + "\r\n" + name + "\r\n");
    }

    @Override
    void write(Bytes out, Request request) {
        switch (request.op) {
            case GET -> name(out, GET, request);
            case SET -> valued(out, SET, request);
            case ADD -> valued(out, SET_IF_ABSENT, request).put(NX);
            case DELETE -> name(out, DEL, request);
            case INCR -> name(out, INCR, request);
            case PUSH -> valued(out, RPUSH, request);
            case POP -> name(out, LPOP, request);
            case TOUCH -> name(out, EXPIRE, request).put(HOUR);
            case PING -> out.put(PING);
            case CAS, TAKE -> throw new IllegalArgumentException("Redis has no " + request.op.word());
        }
    }

    private Bytes name(Bytes out, byte[] command, Request request) {
        out.put(command).put('$').decimal(keyLength(request.key)).put(LINE_END);
        key(out, request);
        return out.put(LINE_END);
    }

    private Bytes valued(Bytes out, byte[] command, Request request) {
        name(out, command, request).put('$').decimal(request.size).put(LINE_END);
        return out.value(request.tag, request.size).put(LINE_END);
    }

    @Override
    boolean read(Bytes in, int end, Reply reply) throws ProtocolException {
        byte type = in.array[in.from];
        int text = in.from + 1;
        switch (type) {
            case '+' -> in.from = end + 1;
            case ':' -> {
                reply.value(in.array, text, end - 1 - text);
                in.from = end + 1;
            }
            case '-' -> {
                reply.error = line(in, text, end);
                reply.outcome = Reply.Outcome.FAILED;
                in.from = end + 1;
            }
            case '$' -> {
                return bulk(in, end, reply);
            }
            default -> throw unreadable(in);
        }
        return true;
    }

    private static boolean bulk(Bytes in, int end, Reply reply) throws ProtocolException {
        if (in.array[in.from + 1] == '-') {
            reply.outcome = Reply.Outcome.MISS;
            in.from = end + 1;
            return true;
        }
        return value(in, end, number(in, in.from + 1), LINE_END.length, reply);
    }
}
