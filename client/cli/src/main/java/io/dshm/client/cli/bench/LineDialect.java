package io.dshm.client.cli.bench;

import java.net.ProtocolException;

/** A protocol whose replies begin with a line, and may have a value after it. */
abstract class LineDialect extends Dialect {

    LineDialect(String prefix) {
        super(prefix);
    }

    @Override
    final boolean read(Bytes in, Reply reply, Bytes out) throws ProtocolException {
        int end = lineEnd(in, in.from);
        if (end < 0) {
            return false;
        }
        reply.begin();
        return read(in, end, reply);
    }

    /** The same as the other {@code read}, with the index of the line's LF. */
    abstract boolean read(Bytes in, int end, Reply reply) throws ProtocolException;

    /** Takes off the line, the value after it, and that many bytes more; false if they have not all come. */
    static boolean value(Bytes in, int end, long length, int after, Reply reply) throws ProtocolException {
        if (length < 0 || length > Integer.MAX_VALUE / 2) {
            throw unreadable(in);
        }
        if (in.to - end - 1 < length + after) {
            return false;
        }
        reply.value(in.array, end + 1, (int) length);
        in.from = end + 1 + (int) length + after;
        return true;
    }
}
