package io.dshm.server.store;

/**
 * A value that has a type, and flags beside it. Immutable.
 *
 * @param value a {@code byte[]} (a string, which nobody changes), {@link Double}, {@link Boolean} or {@link ListValue}
 * @param flags 32 bits of the writer's own
 */
public record Typed(Object value, int flags) {

    /** The same flags beside another value. */
    public Typed withValue(Object other) {
        return new Typed(other, flags);
    }
}
