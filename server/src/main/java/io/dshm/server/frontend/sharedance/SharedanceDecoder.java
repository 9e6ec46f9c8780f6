package io.dshm.server.frontend.sharedance;

import io.dshm.proto.Command;
import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.proto.text.HeldBytes;
import io.dshm.proto.text.PartialValue;
import io.dshm.proto.text.RequestDecoder;
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
 * <p>Lengths are looked at before anything is allocated for them; key and data then grow with what has arrived, and
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

    /** What the {@link #key} holds of the budget. */
    private final HeldBytes held;

    /** The budget did not suffice. */
    private boolean busy;

    /**
     * A decoder for a new connection.
     *
     * @param valueBytesMax bytes of data; more are refused
     * @param ttlMillis how long what is stored lives
     * @param budget what a large command is counted against on its way, see {@link PartialValue}
     */
    SharedanceDecoder(int valueBytesMax, long ttlMillis, ValueBudget budget) {
        this.valueBytesMax = valueBytesMax;
        this.ttlMillis = ttlMillis;
        this.budget = budget;
        this.held = new HeldBytes(budget);
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

    /** Whether they are refused only because this node holds too much for clients. */
    boolean isBusy() {
        return busy;
    }

    /** Whether something is held that counts against the budget. */
    boolean holdsBudget() {
        return held.bytes() > 0
                || (keyBytes != null && keyBytes.reserved() > 0)
                || (data != null && data.reserved() > 0);
    }

    /**
     * The command, once it is complete and has not been taken; null otherwise, and if that refuses it. Whoever takes it
     * gives {@link RequestDecoder#budgetOf} it back.
     */
    @Nullable
    Command take() {
        Key complete = key;
        if (state != State.COMPLETE || complete == null) {
            return null;
        }
        key = null;
        Command command = switch (verb) {
            case FETCH -> new Command.Get(complete);
            case DELETE -> new Command.Delete(complete);
            default -> new Command.Set(complete, ttlMillis, takeData());
        };
        if (!held.become(RequestDecoder.budgetOf(command))) {
            busy = true;
            close();
            return null;
        }
        held.handOver();
        return command;
    }

    private byte[] takeData() {
        PartialValue complete = data;
        data = null;
        byte[] bytes = complete == null ? new byte[0] : complete.take();
        held.takeOver(PartialValue.budgetOf(bytes.length));
        return bytes;
    }

    /** Ends decoding and gives back what was not taken and holds something of the budget. May be called again. */
    void close() {
        state = State.REFUSED;
        held.become(0);
        if (keyBytes != null) {
            keyBytes.release();
            keyBytes = null;
        }
        if (data != null) {
            data.release();
            data = null;
        }
    }

    private State refuseBusy() {
        busy = true;
        return State.REFUSED;
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
        keyBytes = new PartialValue((int) number, budget);
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
        if (partial == null) {
            throw new IllegalStateException("no length was read");
        }
        if (!partial.readFrom(in)) {
            return refuseBusy();
        }
        if (partial.missing() > 0) {
            return State.KEY;
        }
        keyBytes = null;
        byte[] bytes = partial.take();
        held.takeOver(PartialValue.budgetOf(bytes.length));
        if (!EntryKeys.isKey(bytes)) {
            return State.REFUSED;
        }
        key = EntryKeys.of(bytes);
        if (!held.become(PartialValue.budgetOf(key.bytes().length))) {
            return refuseBusy();
        }
        if (dataLength == 0) {
            return State.COMPLETE;
        }
        data = new PartialValue(dataLength, budget);
        return State.DATA;
    }

    private State decodeData(ByteBuf in) {
        PartialValue partial = data;
        if (partial == null) {
            throw new IllegalStateException("there is no data");
        }
        if (!partial.readFrom(in)) {
            return refuseBusy();
        }
        return partial.missing() > 0 ? State.DATA : State.COMPLETE;
    }
}
