package io.dshm.client;

import io.dshm.proto.ErrorCode;
import io.dshm.proto.Reply;
import java.io.IOException;

/**
 * The server has answered a command with an error. The connection is in step and may be used on; what became of the
 * command is told by {@link ErrorCode#effect()}.
 */
public final class CommandFailedException extends IOException {

    private static final long serialVersionUID = 1L;

    private final ErrorCode code;

    /** With the server's words as its message. */
    public CommandFailedException(Reply.Failure failure) {
        super(
                failure.text() == null
                        ? failure.code().wireName()
                        : failure.code().wireName() + " " + failure.text());
        this.code = failure.code();
    }

    /** What to decide by. */
    public ErrorCode code() {
        return code;
    }
}
