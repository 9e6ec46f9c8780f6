package io.dshm.proto.text;

/** A budget of a fixed size that checks what is asked of it. */
final class CountingBudget implements ValueBudget {

    private final long size;
    private long reserved;
    private long reservedMost;

    CountingBudget(long size) {
        this.size = size;
    }

    @Override
    public boolean reserve(int bytes) {
        if (bytes <= 0) {
            throw new AssertionError("reserve(" + bytes + ")");
        }
        if (reserved + bytes > size) {
            return false;
        }
        reserved += bytes;
        reservedMost = Math.max(reservedMost, reserved);
        return true;
    }

    @Override
    public void release(int bytes) {
        if (bytes <= 0 || bytes > reserved) {
            throw new AssertionError("release(" + bytes + ") of " + reserved);
        }
        reserved -= bytes;
    }

    long reserved() {
        return reserved;
    }

    /** The most that was ever reserved at a time. */
    long reservedMost() {
        return reservedMost;
    }
}
