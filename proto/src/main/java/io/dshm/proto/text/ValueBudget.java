package io.dshm.proto.text;

import io.dshm.proto.Limits;

/**
 * The bytes that the large values of all connections of a node may hold together while they are on their way. Values of
 * at most {@link Limits#VALUE_BUDGET_STEP_BYTES} do not count.
 *
 * <p>Called by the thread of each connection: an implementation that several threads share must be thread-safe.
 */
public interface ValueBudget {

    /** Lets everything pass: for a client, which only ever holds what it asked for. */
    ValueBudget UNLIMITED = new ValueBudget() {
        @Override
        public boolean reserve(int bytes) {
            return true;
        }

        @Override
        public void release(int bytes) {}
    };

    /**
     * Takes bytes out of the budget, all of them or none.
     *
     * @param bytes 1 or more
     * @return whether they were there; if not, nothing was taken
     */
    boolean reserve(int bytes);

    /**
     * Gives back bytes that were reserved, all at once or in parts.
     *
     * @param bytes 1 or more
     */
    void release(int bytes);
}
