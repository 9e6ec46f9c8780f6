package io.dshm.server.statemachine;

/** The data on disk is damaged, or not for this version. The node must stop: its replies would be wrong. */
public class CorruptStateException extends RuntimeException {

    private static final long serialVersionUID = 1;

    CorruptStateException(String message) {
        super(message);
    }

    CorruptStateException(String message, Throwable cause) {
        super(message, cause);
    }
}
