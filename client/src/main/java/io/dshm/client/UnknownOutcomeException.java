package io.dshm.client;

import io.dshm.proto.ErrorCode;
import org.jspecify.annotations.Nullable;

/**
 * It is not known what became of the call: it may have taken effect, or may still do so, once. Read what is there
 * before you make it again.
 */
public final class UnknownOutcomeException extends DshmException {

    private static final long serialVersionUID = 1L;

    UnknownOutcomeException(String message, @Nullable ErrorCode code) {
        super(message, code, null);
    }

    private UnknownOutcomeException(UnknownOutcomeException cause) {
        super(cause.text(), cause.codeOrNull(), cause);
    }

    @Override
    UnknownOutcomeException thrownHere() {
        return new UnknownOutcomeException(this);
    }
}
