package io.dshm.client;

import io.dshm.proto.ErrorCode;
import org.jspecify.annotations.Nullable;

/**
 * The call was not applied, and would fail again: it is not valid, does not fit to what is under its key, or is not
 * allowed. Change the call, or the credentials and certificates that the client was built with.
 */
public final class InvalidCallException extends DshmException {

    private static final long serialVersionUID = 1L;

    InvalidCallException(String message, @Nullable ErrorCode code) {
        super(message, code, null);
    }

    private InvalidCallException(InvalidCallException cause) {
        super(cause.text(), cause.codeOrNull(), cause);
    }

    @Override
    InvalidCallException thrownHere() {
        return new InvalidCallException(this);
    }
}
