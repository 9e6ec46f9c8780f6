package io.dshm.client.cli.bench;

import java.net.ProtocolException;
import java.nio.charset.StandardCharsets;

/** A server's protocol on one connection: how requests are written, and how replies are read. */
abstract class Dialect {

    static final byte[] LINE_END = ascii("\r\n");

    private final byte[] prefix;

    /** @param prefix of all keys */
    Dialect(String prefix) {
        this.prefix = ascii(prefix);
    }

    static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** What is sent before all requests. */
    void hello(Bytes out) {
        // most protocols begin with a request
        out.ensure(0);
    }

    /** Writes a request. */
    abstract void write(Bytes out, Request request);

    /**
     * Reads a reply from the beginning of what is there.
     *
     * @param out where answers to the connection itself go
     * @return whether one is whole: then it has been taken off {@code in}
     * @throws ProtocolException if this is no reply
     */
    abstract boolean read(Bytes in, Reply reply, Bytes out) throws ProtocolException;

    /** How many bytes a key has. */
    final int keyLength(int key) {
        return prefix.length + 1 + digits(key);
    }

    /** How many digits a number of 0 or more has. */
    static int digits(long number) {
        int digits = 1;
        for (long rest = number / 10; rest != 0; rest /= 10) {
            digits++;
        }
        return digits;
    }

    /** Writes a key. */
    final void key(Bytes out, Request request) {
        out.put(prefix).put(request.space).decimal(request.key);
    }

    /** Where a line ends: the index of its LF; -1 if it is not whole. */
    static int lineEnd(Bytes in, int from) {
        byte[] array = in.array;
        for (int i = from; i < in.to; i++) {
            if (array[i] == '\n') {
                return i;
            }
        }
        return -1;
    }

    /** A line, without its end. */
    static String line(Bytes in, int from, int lineFeed) {
        return new String(in.array, from, lineFeed - from, StandardCharsets.ISO_8859_1).strip();
    }

    /** Whether there stands this. */
    static boolean says(Bytes in, int at, byte[] text) {
        if (in.to - at < text.length) {
            return false;
        }
        for (int i = 0; i < text.length; i++) {
            if (in.array[at + i] != text[i]) {
                return false;
            }
        }
        return true;
    }

    /** The number that stands there, up to what is no digit; -1 if there is none. */
    static long number(Bytes in, int at) {
        int end = at;
        while (end < in.to && in.array[end] >= '0' && in.array[end] <= '9') {
            end++;
        }
        return Bytes.numberOf(in.array, at, end - at);
    }

    static ProtocolException unreadable(Bytes in) {
        String text = new String(in.array, in.from, Math.min(in.length(), 60), StandardCharsets.ISO_8859_1);
        return new ProtocolException("a reply that cannot be read: '" + text.strip() + "'");
    }
}
