package io.dshm.server.statemachine;

/** What is on disk is not what was written, or not for this version. The node must stop: it can only serve wrongly. */
public class CorruptStateException extends RuntimeException {

    private static final long serialVersionUID = 1;

    CorruptStateException(String message) {
        super(message);
    }

    CorruptStateException(String message, Throwable cause) {
        super(message, cause);
    }
}
