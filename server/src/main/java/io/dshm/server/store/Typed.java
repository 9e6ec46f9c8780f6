package io.dshm.server.store;

/**
 * A value that has a type, and flags beside it. Immutable.
 *
 * @param held a {@code byte[]} (a string, which nobody changes), {@link Pieces} of one, {@link Double}, {@link Boolean}
 *     or {@link ListValue}
 * @param flags 32 bits of the writer's own
 */
public record Typed(Object held, int flags) {

    /** The same flags beside another value. */
    public Typed withValue(Object other) {
        return new Typed(other, flags);
    }

    /**
     * A {@code byte[]} (a string, not a copy, not to be changed), {@link Double}, {@link Boolean} or {@link ListValue}.
     * Puts the pieces of a large string together, so it is not for the thread that applies, which looks at what is
     * {@link #held}.
     */
    public Object value() {
        return held instanceof Pieces pieces ? pieces.joined() : held;
    }

    /** Whether this is a list. */
    public boolean isList() {
        return held instanceof ListValue;
    }
}
