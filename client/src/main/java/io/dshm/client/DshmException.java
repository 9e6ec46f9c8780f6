package io.dshm.client;

import io.dshm.proto.ErrorCode;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Why a call has no result. Its class says what to do next:
 *
 * <ul>
 *   <li>{@link InvalidCallException}: it was not applied, and the same call would fail again. Change it, or how the
 *       client is set up.
 *   <li>{@link UnavailableException}: it was not applied, and never will be. Try again later.
 *   <li>{@link UnknownOutcomeException}: it may have taken effect, or may still do so, once. Read what is there before
 *       you repeat it.
 * </ul>
 *
 * <p>A call that reads changes nothing, so it never fails with the last one.
 */
public abstract sealed class DshmException extends RuntimeException
        permits InvalidCallException, UnavailableException, UnknownOutcomeException {

    private static final long serialVersionUID = 1L;

    private final @Nullable ErrorCode code;

    /**
     * @param cause of a failure that is told again, where its caller can see it; null, for the failure itself, costs no
     *     stack trace
     */
    DshmException(String message, @Nullable ErrorCode code, @Nullable DshmException cause) {
        super(message, cause, true, cause != null);
        this.code = code;
    }

    /** The error that the node answered with; nothing if there was no answer. */
    public final Optional<ErrorCode> code() {
        return Optional.ofNullable(code);
    }

    /** Whether the call may have taken effect, or may still do so. */
    public final boolean mayHaveTakenEffect() {
        return this instanceof UnknownOutcomeException;
    }

    /** The same with the stack of the thread that calls this. */
    abstract DshmException thrownHere();

    final @Nullable ErrorCode codeOrNull() {
        return code;
    }

    final String text() {
        return String.valueOf(getMessage());
    }
}
