package io.dshm.server.frontend.sharedance;

import io.dshm.proto.Command;
import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.proto.text.PartialValue;
import io.dshm.proto.text.ValueBudget;
import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * Makes the one command of the bytes that a client sends, in pieces of any size. One instance a connection, used by its
 * event loop only.
 *
 * <pre>{@code
 *   VERB -> KEY_LENGTH -> (of a store: DATA_LENGTH) -> KEY -> (of a store: DATA) -> COMPLETE
 *     |         |                   |                   |                |            |
 *     +---------+-------------------+-------------------+----------------+------------+--> REFUSED
 * }</pre>
 *
 * <p>Lengths are looked at before anything is allocated for them; key and data then grow with what has arrived, data
 * only as far as the node's budget allows. Bytes after the end of the command are refused.
 */
final class SharedanceDecoder {

    private enum State {
        VERB,
        KEY_LENGTH,
        DATA_LENGTH,
        KEY,
        DATA,
        COMPLETE,
        REFUSED
    }

    private static final byte STORE = 'S';
    private static final byte FETCH = 'F';
    private static final byte DELETE = 'D';

    private final int valueBytesMax;
    private final long ttlMillis;
    private final ValueBudget budget;

    private State state = State.VERB;
    private byte verb;

    /** A length that has arrived in part: the bytes so far, and their number. */
    private long number;

    private int numberBytes;

    private int dataLength;
    private @Nullable PartialValue keyBytes;
    private @Nullable Key key;
    private @Nullable PartialValue data;

    /**
     * A decoder for a new connection.
     *
     * @param valueBytesMax bytes of data; more are refused
     * @param ttlMillis how long what is stored lives
     * @param budget what data is counted against on its way, see {@link PartialValue}
     */
    SharedanceDecoder(int valueBytesMax, long ttlMillis, ValueBudget budget) {
        this.valueBytesMax = valueBytesMax;
        this.ttlMillis = ttlMillis;
        this.budget = budget;
    }

    /** Takes what has arrived, all of it unless it is refused; neither keeps nor releases it. */
    void decode(ByteBuf in) {
        while (in.isReadable() && state != State.REFUSED) {
            state = switch (state) {
                case VERB -> decodeVerb(in);
                case KEY_LENGTH -> decodeKeyLength(in);
                case DATA_LENGTH -> decodeDataLength(in);
                case KEY -> decodeKey(in);
                case DATA -> decodeData(in);
                case COMPLETE, REFUSED -> State.REFUSED;
            };
        }
        if (state == State.REFUSED) {
            close();
        }
    }

    /** Whether these bytes are no command, so that the connection has to be closed. */
    boolean isRefused() {
        return state == State.REFUSED;
    }

    /** Whether data is held that counts against the budget. */
    boolean holdsBudget() {
        return data != null && data.reserved() > 0;
    }

    /**
     * The command, once it is complete and has not been taken; null otherwise. Whoever takes a SET gives its
     * {@link PartialValue#budgetOf} back.
     */
    @Nullable
    Command take() {
        Key complete = key;
        if (state != State.COMPLETE || complete == null) {
            return null;
        }
        key = null;
        return switch (verb) {
            case FETCH -> new Command.Get(complete);
            case DELETE -> new Command.Delete(complete);
            default -> new Command.Set(complete, ttlMillis, takeData());
        };
    }

    private byte[] takeData() {
        PartialValue complete = data;
        data = null;
        return complete == null ? new byte[0] : complete.take();
    }

    /** Ends decoding and gives back what data that was not taken holds of the budget. May be called again. */
    void close() {
        state = State.REFUSED;
        if (data != null) {
            data.release();
            data = null;
        }
    }

    private State decodeVerb(ByteBuf in) {
        verb = in.readByte();
        return verb == STORE || verb == FETCH || verb == DELETE ? State.KEY_LENGTH : State.REFUSED;
    }

    private State decodeKeyLength(ByteBuf in) {
        if (!readNumber(in)) {
            return State.KEY_LENGTH;
        }
        if (number < 1 || number > Limits.SHAREDANCE_KEY_BYTES_MAX) {
            return State.REFUSED;
        }
        keyBytes = new PartialValue((int) number, ValueBudget.UNLIMITED);
        return verb == STORE ? State.DATA_LENGTH : State.KEY;
    }

    private State decodeDataLength(ByteBuf in) {
        if (!readNumber(in)) {
            return State.DATA_LENGTH;
        }
        if (number > valueBytesMax) {
            return State.REFUSED;
        }
        dataLength = (int) number;
        return State.KEY;
    }

    /** Reads the bytes of a 32-bit big-endian number that are there; true when {@link #number} is complete. */
    private boolean readNumber(ByteBuf in) {
        if (numberBytes == Integer.BYTES) {
            numberBytes = 0;
            number = 0;
        }
        while (numberBytes < Integer.BYTES && in.isReadable()) {
            number = number << Byte.SIZE | in.readUnsignedByte();
            numberBytes++;
        }
        return numberBytes == Integer.BYTES;
    }

    private State decodeKey(ByteBuf in) {
        PartialValue partial = keyBytes;
        if (partial == null || !partial.readFrom(in)) {
            throw new IllegalStateException("no length was read, or there is a budget for keys");
        }
        if (partial.missing() > 0) {
            return State.KEY;
        }
        keyBytes = null;
        byte[] bytes = partial.take();
        if (!EntryKeys.isKey(bytes)) {
            return State.REFUSED;
        }
        key = EntryKeys.of(bytes);
        if (dataLength == 0) {
            return State.COMPLETE;
        }
        data = new PartialValue(dataLength, budget);
        return State.DATA;
    }

    private State decodeData(ByteBuf in) {
        PartialValue partial = data;
        if (partial == null || !partial.readFrom(in)) {
            return State.REFUSED;
        }
        return partial.missing() > 0 ? State.DATA : State.COMPLETE;
    }
}
