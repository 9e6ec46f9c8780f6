package io.dshm.proto.text;

import io.dshm.proto.Limits;
import io.netty.buffer.ByteBuf;
import java.util.Arrays;

/**
 * A value on its way in. Its array begins with at most {@link Limits#VALUE_BUDGET_STEP_BYTES} and grows with the bytes
 * that arrive. It never allocates more than twice what the peer has sent.
 *
 * <p>Invariant: {@code reserved} is 0 while the array has at most {@link Limits#VALUE_BUDGET_STEP_BYTES}, and the
 * array's length from then on.
 */
public final class PartialValue {

    private final int length;
    private final ValueBudget budget;
    private byte[] bytes;
    private int filled;
    private int reserved;

    /** A value of {@code length} bytes, 0 or more, none of which is here yet. */
    public PartialValue(int length, ValueBudget budget) {
        this.length = length;
        this.budget = budget;
        this.bytes = new byte[Math.min(length, Limits.VALUE_BUDGET_STEP_BYTES)];
    }

    /** What a complete value of this many bytes holds of the budget. */
    public static int budgetOf(int valueLength) {
        return valueLength <= Limits.VALUE_BUDGET_STEP_BYTES ? 0 : valueLength;
    }

    /**
     * Takes what is there, up to the value's end.
     *
     * @return false if the budget does not allow to take it all; nothing is reserved then any more
     */
    public boolean readFrom(ByteBuf in) {
        while (filled < length && in.isReadable()) {
            if (filled == bytes.length && !grow()) {
                return false;
            }
            int part = Math.min(bytes.length - filled, in.readableBytes());
            in.readBytes(bytes, filled, part);
            filled += part;
        }
        return true;
    }

    private boolean grow() {
        int grown = (int) Math.min(length, 2L * bytes.length);
        if (!budget.reserve(grown - reserved)) {
            release();
            return false;
        }
        reserved = grown;
        bytes = Arrays.copyOf(bytes, grown);
        return true;
    }

    /** Gives back what is reserved; the value is of no use any more. */
    public void release() {
        if (reserved > 0) {
            budget.release(reserved);
            reserved = 0;
        }
    }

    /** What it holds of the budget now. */
    public int reserved() {
        return reserved;
    }

    /** The bytes that have not arrived yet. */
    public int missing() {
        return length - filled;
    }

    /** The complete value, and with it what is reserved for it: {@link #budgetOf} its length. */
    public byte[] take() {
        if (missing() > 0) {
            throw new IllegalStateException(missing() + " bytes of the value are missing");
        }
        reserved = 0;
        return bytes;
    }
}
