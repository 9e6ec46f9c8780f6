package io.dshm.server.statemachine;

/**
 * This node's heap cannot hold the cluster's state. Nothing is damaged: the node has to be started with a larger heap.
 */
public final class StateTooLargeException extends RuntimeException {

    private static final long serialVersionUID = 1;

    /** @param message says how large the state is, and which heap it needs */
    StateTooLargeException(String message) {
        super(message);
    }
}
