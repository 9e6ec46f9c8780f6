package io.dshm.proto;

import org.jspecify.annotations.Nullable;

/**
 * What a client asks for. Byte arrays in commands are handed over with them and never changed afterwards.
 *
 * <p>Durations are milliseconds of the cluster clock; a {@code ttlMillis} of 0 means "never expires".
 */
public sealed interface Command extends Request {

    /** Answered from a node's store; changes nothing. */
    sealed interface Read extends Command permits Get {}

    /** Takes its way through the log. */
    sealed interface Write extends Command permits Set, Touch, Delete, Incr, RateLimiter, FlushAll {}

    /**
     * The value of a key; the tokens left, if it is a limiter's.
     *
     * @param mode null for that of the connection
     */
    record Get(Key key, @Nullable ReadMode mode) implements Read {

        /** In the connection's mode. */
        public Get(Key key) {
            this(key, null);
        }
    }

    /** Stores a value of 0 to {@link Limits#VALUE_BYTES_MAX} bytes under a key, whatever was there. */
    @SuppressWarnings("ArrayRecordComponent") // handed over, see above; a wrapper would cost every SET an object
    record Set(Key key, long ttlMillis, byte[] value) implements Write {}

    /** Sets the time to live of a key that exists; of a limiter's key it changes nothing. */
    record Touch(Key key, long ttlMillis) implements Write {}

    /** Removes a key, if it exists. */
    record Delete(Key key) implements Write {}

    /** Adds to the integer under a key; an absent key becomes {@code by + init} and lives {@code initTtlMillis}. */
    record Incr(Key key, long by, long init, long initTtlMillis) implements Write {}

    /**
     * Takes a token of a limiter that grants at most {@code capacity} (0 to {@link Limits#LIMITER_CAPACITY_MAX}) of
     * them in any {@code durationMillis}.
     */
    record RateLimiter(Key key, int capacity, long durationMillis) implements Write {}

    /** Empties a region; an empty name is the default region. */
    @SuppressWarnings("ArrayRecordComponent") // see Set
    record FlushAll(byte[] region) implements Write {}

    /** From here on, reads of this connection that do not name a mode have this one. */
    record SetReadMode(ReadMode mode) implements Command {}

    /** Ends the connection after everything before it is answered. */
    enum Quit implements Command {
        QUIT
    }
}
