package io.dshm.proto.text;

/**
 * A server has sent bytes that are no reply of this protocol. Where the next reply begins is unknown, so the connection
 * must be closed, and the outcome of every command that waits for a reply there is unknown.
 */
public final class ProtocolException extends Exception {

    private static final long serialVersionUID = 1L;

    /** With a message for people that names what was expected. */
    public ProtocolException(String message) {
        super(message);
    }
}
