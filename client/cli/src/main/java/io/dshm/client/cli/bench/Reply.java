package io.dshm.client.cli.bench;

/** A reply that was read; of one thread, used again and again. Its value lies in the buffer that it was read from. */
final class Reply {

    /** What became of a request. */
    enum Outcome {
        /** It was done. */
        OK,
        /** There is nothing under that key. */
        MISS,
        /** The answer is no: no token, a condition that does not hold. */
        NO,
        /** It was not applied. */
        FAILED,
        /** It may have taken effect, or may still do so. */
        UNKNOWN
    }

    Outcome outcome = Outcome.OK;
    /** Which request of the connection this is of, from 0; -1 for the oldest one that waits. */
    long number;
    /** What the server says of an error. */
    String error = "";
    /** The version of what was read. */
    long version;

    private byte[] buffer = new byte[0];
    private int at;
    private int length;

    void begin() {
        outcome = Outcome.OK;
        number = -1;
        error = "";
        version = 0;
        length = 0;
    }

    void value(byte[] array, int from, int bytes) {
        buffer = array;
        at = from;
        length = bytes;
    }

    int length() {
        return length;
    }

    /** What the value says about itself; -1 if that is nothing. */
    long tag() {
        return Bytes.tagOf(buffer, at, length);
    }

    /** The value as a number; -1 if it is none of 0 or more. */
    long asNumber() {
        return Bytes.numberOf(buffer, at, length);
    }
}
