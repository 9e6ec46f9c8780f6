package io.dshm.client.cli.bench;

import java.net.ProtocolException;

/**
 * etcd's gRPC, as much of HTTP/2 and of protobuf as that takes: headers are sent whole once a connection and as
 * references after that, and whether a call succeeded shows without reading headers, because a call that failed has no
 * message.
 */
final class EtcdDialect extends Dialect {

    /** What may be on its way at once, because the windows of HTTP/2 are not kept. */
    static final int ON_THE_WAY_MAX = 32 * 1024;

    private static final byte[] PREFACE = ascii("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    private static final byte[] RANGE = path("Range");
    private static final byte[] PUT = path("Put");
    private static final byte[] DELETE = path("DeleteRange");
    private static final byte[] TXN = path("Txn");
    /** Method POST, scheme http. */
    private static final byte[] CALL = {(byte) 0x83, (byte) 0x86};

    private static final byte[] KNOWN_HEADERS = {(byte) 0xC0, (byte) 0xBF, (byte) 0xBE};
    private static final byte[] NEW_HEADERS = newHeaders();
    private static final int DATA = 0;
    private static final int HEADERS = 1;
    private static final int RST_STREAM = 3;
    private static final int SETTINGS = 4;
    private static final int PING = 6;
    private static final int GOAWAY = 7;
    private static final int WINDOW_UPDATE = 8;
    private static final int END_STREAM = 1;
    private static final int ACK = 1;
    private static final int END_HEADERS = 4;
    private static final int FRAME_HEAD = 9;
    private static final int FRAME_BYTES_MAX = 16_384;
    private static final int GRPC_HEAD = 5;
    private static final int WINDOW = 0x7fff0000;
    private static final int WINDOW_STEP = 1 << 20;
    /** Numbers and kinds of fields of etcd's messages: number * 8 + 2 for bytes, + 0 for integers. */
    private static final int FIRST_BYTES = 0x0A;

    private static final int SECOND_BYTES = 0x12;
    private static final int VERSION = 0x18;
    private static final int VALUE = 0x2A;

    private final boolean linearizable;
    private final Bytes body = new Bytes();
    private final Bytes part = new Bytes();
    private final Bytes put = new Bytes();
    private final Bytes[] messages;
    private final Op[] ops;
    private final boolean[] stores;
    private boolean headersKnown;
    private long next;
    private int received;

    EtcdDialect(String prefix, boolean linearizable, int pipeline) {
        super(prefix);
        this.linearizable = linearizable;
        int size = Integer.highestOneBit(Math.max(Bulk.AT_ONCE, pipeline) * 2) * 2;
        messages = new Bytes[size];
        ops = new Op[size];
        stores = new boolean[size];
        for (int i = 0; i < size; i++) {
            messages[i] = new Bytes();
        }
    }

    private static byte[] path(String method) {
        String path = "/etcdserverpb.KV/" + method;
        return new Bytes().put(0x04).put(path.length()).put(ascii(path)).bytes();
    }

    /** Those that both sides remember from then on: authority, content-type, te. */
    private static byte[] newHeaders() {
        Bytes out = new Bytes();
        out.put(0x41).put(4).put(ascii("etcd"));
        out.put(0x5F).put(16).put(ascii("application/grpc"));
        return out.put(0x40)
                .put(2)
                .put(ascii("te"))
                .put(8)
                .put(ascii("trailers"))
                .bytes();
    }

    private static void frame(Bytes out, int length, int type, int flags, long stream) {
        out.ensure(FRAME_HEAD);
        out.put(length >> 16).put(length >> 8).put(length).put(type).put(flags);
        integer(out, (int) stream);
    }

    private static void integer(Bytes out, int number) {
        out.put(number >> 24).put(number >> 16).put(number >> 8).put(number);
    }

    @Override
    void hello(Bytes out) {
        out.put(PREFACE);
        frame(out, 6, SETTINGS, 0, 0);
        out.put(0).put(4); // the window of each stream
        integer(out, WINDOW);
        frame(out, 4, WINDOW_UPDATE, 0, 0);
        integer(out, WINDOW);
    }

    @Override
    void write(Bytes out, Request request) {
        body.clear();
        byte[] path = switch (request.op) {
            case GET -> range(request);
            case SET -> {
                put(body, request);
                yield PUT;
            }
            case DELETE -> {
                keyField(body, FIRST_BYTES, request);
                yield DELETE;
            }
            case ADD -> transaction(request);
            case CAS -> request.stores ? transaction(request) : range(request);
            case INCR, TAKE, PUSH, POP, TOUCH, PING ->
                throw new IllegalArgumentException("etcd has no " + request.op.word());
        };
        int slot = (int) next & (ops.length - 1);
        ops[slot] = request.op;
        stores[slot] = request.stores;
        messages[slot].clear();
        long stream = next++ * 2 + 1;
        byte[] rest = headersKnown ? KNOWN_HEADERS : NEW_HEADERS;
        headersKnown = true;
        frame(out, CALL.length + path.length + rest.length, HEADERS, END_HEADERS, stream);
        out.put(CALL).put(path).put(rest);
        message(out, stream);
    }

    private void message(Bytes out, long stream) {
        int left = body.length() + GRPC_HEAD;
        int chunk = Math.min(left, FRAME_BYTES_MAX);
        frame(out, chunk, DATA, chunk == left ? END_STREAM : 0, stream);
        out.put(0);
        integer(out, body.length());
        out.put(body, chunk - GRPC_HEAD);
        for (left -= chunk; left > 0; left -= chunk) {
            chunk = Math.min(left, FRAME_BYTES_MAX);
            frame(out, chunk, DATA, chunk == left ? END_STREAM : 0, stream);
            out.put(body, chunk);
        }
    }

    private byte[] range(Request request) {
        keyField(body, FIRST_BYTES, request);
        if (!linearizable && !request.exact) {
            body.put(0x38).put(1); // serializable: from the node that is asked
        }
        return RANGE;
    }

    private void keyField(Bytes to, int field, Request request) {
        to.put(field);
        varint(to, keyLength(request.key));
        key(to, request);
    }

    private void put(Bytes to, Request request) {
        keyField(to, FIRST_BYTES, request);
        to.put(SECOND_BYTES);
        if (request.op == Op.CAS) {
            varint(to, digits(request.tag));
            to.decimal(request.tag);
        } else {
            varint(to, request.size);
            to.value(request.tag, request.size);
        }
    }

    /** Stores if nothing is there, or if it has that version still. */
    private byte[] transaction(Request request) {
        boolean absent = request.op == Op.ADD || request.version == 0;
        part.clear();
        part.put(0x10).put(absent ? 1 : 2); // what is compared: the revision that created it, or the latest
        keyField(part, 0x1A, request);
        part.put(absent ? 0x28 : 0x30);
        varint(part, absent ? 0 : request.version);
        field(body, FIRST_BYTES, part);
        put.clear();
        put(put, request);
        part.clear();
        field(part, SECOND_BYTES, put);
        field(body, SECOND_BYTES, part);
        return TXN;
    }

    private static void field(Bytes to, int field, Bytes bytes) {
        to.put(field);
        varint(to, bytes.length());
        to.put(bytes, bytes.length());
    }

    private static void varint(Bytes to, long number) {
        long rest = number;
        while (rest > 0x7F) {
            to.put((int) ((rest & 0x7F) | 0x80));
            rest >>>= 7;
        }
        to.put((int) rest);
    }

    @Override
    boolean read(Bytes in, Reply reply, Bytes out) throws ProtocolException {
        while (in.length() >= FRAME_HEAD) {
            int at = in.from;
            int length = number(in, at, 3);
            if (in.length() < FRAME_HEAD + length) {
                return false;
            }
            int type = in.array[at + 3];
            int flags = in.array[at + 4];
            long stream = number(in, at + 5, 4) & Integer.MAX_VALUE;
            in.from = at + FRAME_HEAD + length;
            if (frame(in, at + FRAME_HEAD, length, type, flags, stream, reply, out)) {
                return true;
            }
        }
        return false;
    }

    private static int number(Bytes in, int at, int bytes) {
        int number = 0;
        for (int i = at; i < at + bytes; i++) {
            number = (number << 8) | (in.array[i] & 0xFF);
        }
        return number;
    }

    /** True if a reply is whole with this frame. */
    private boolean frame(Bytes in, int at, int length, int type, int flags, long stream, Reply reply, Bytes out)
            throws ProtocolException {
        long number = stream / 2;
        int slot = (int) number & (ops.length - 1);
        switch (type) {
            case SETTINGS, PING -> {
                if ((flags & ACK) == 0) {
                    int answer = type == PING ? length : 0;
                    frame(out, answer, type, ACK, 0);
                    out.put(in.array, at, answer);
                }
            }
            case GOAWAY -> throw new ProtocolException("etcd closes the connection");
            case DATA -> {
                messages[slot].put(in.array, at, length);
                received += length;
                if (received >= WINDOW_STEP) {
                    frame(out, 4, WINDOW_UPDATE, 0, 0);
                    integer(out, received);
                    received = 0;
                }
            }
            default -> {}
        }
        boolean whole = type == RST_STREAM || ((type == DATA || type == HEADERS) && (flags & END_STREAM) != 0);
        if (whole) {
            reply.begin();
            reply.number = number;
            if (type == RST_STREAM || messages[slot].length() < GRPC_HEAD) {
                reply.outcome = Reply.Outcome.UNKNOWN;
                reply.error = "the call failed";
            } else {
                result(slot, reply);
            }
        }
        return whole;
    }

    private void result(int slot, Reply reply) {
        Bytes message = messages[slot];
        int end = message.to;
        boolean isRange = ops[slot] == Op.GET || (ops[slot] == Op.CAS && !stores[slot]);
        boolean isTransaction = !isRange && (ops[slot] == Op.CAS || ops[slot] == Op.ADD);
        message.from += GRPC_HEAD;
        boolean found = false;
        while (message.from < end) {
            int field = (int) varint(message);
            long number = varint(message);
            if (isRange && field == SECOND_BYTES) {
                found = true;
                entry(message, (int) (message.from + number), reply);
            } else if (isTransaction && field == 0x10) {
                found = number != 0;
            } else if ((field & 7) == 2) {
                message.from += (int) number;
            }
        }
        if (isRange && !found) {
            reply.outcome = Reply.Outcome.MISS;
        } else if (isTransaction && !found) {
            reply.outcome = Reply.Outcome.NO;
        }
    }

    private static void entry(Bytes message, int end, Reply reply) {
        while (message.from < end) {
            int field = (int) varint(message);
            long number = varint(message);
            if (field == VERSION) {
                reply.version = number;
            } else if (field == VALUE) {
                reply.value(message.array, message.from, (int) number);
            }
            if ((field & 7) == 2) {
                message.from += (int) number;
            }
        }
    }

    private static long varint(Bytes from) {
        long number = 0;
        for (int shift = 0; from.from < from.to; shift += 7) {
            byte b = from.array[from.from++];
            number |= (b & 0x7FL) << shift;
            if (b >= 0) {
                break;
            }
        }
        return number;
    }
}
