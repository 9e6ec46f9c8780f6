package io.dshm.client;

import io.dshm.proto.ErrorCode;
import org.jspecify.annotations.Nullable;

/**
 * The call was not applied, and never will be: no node could do it in time, or the client had no room for it. It may be
 * made again later.
 */
public final class UnavailableException extends DshmException {

    private static final long serialVersionUID = 1L;

    UnavailableException(String message, @Nullable ErrorCode code) {
        super(message, code, null);
    }

    private UnavailableException(UnavailableException cause) {
        super(cause.text(), cause.codeOrNull(), cause);
    }

    @Override
    UnavailableException thrownHere() {
        return new UnavailableException(this);
    }
}
