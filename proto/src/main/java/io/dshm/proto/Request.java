package io.dshm.proto;

/** What a front end decodes from a client's bytes: a command, or a rejection. */
public sealed interface Request permits Command, Rejection {

    /** How many requests it is: 1, or those in a MULTI or a TAKE_ALL. */
    default int size() {
        return 1;
    }

    /**
     * Bytes that it holds beyond the few hundred of any request: its key, its data, and of each request in a MULTI or a
     * TAKE_ALL {@link Limits#INNER_REQUEST_HEAP_BYTES}. A constant of the request.
     */
    default int heldBytes() {
        return 0;
    }
}
