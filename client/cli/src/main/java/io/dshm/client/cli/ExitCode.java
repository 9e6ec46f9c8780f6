package io.dshm.client.cli;

import io.dshm.proto.ErrorCode;

/** How the command ends; scripts decide by the number, so that a number never changes its meaning. */
enum ExitCode {
    /** Done. */
    OK(0),
    /** The answer is no: not found, a condition that does not hold, no token left, a node that is not well. */
    NO(1),
    /** Wrong usage: nothing was sent. */
    USAGE(2),
    /** The request does not fit what is there, or a limit; nothing was changed. */
    REFUSED(3),
    /** No node could do it in time; nothing was changed, and it may be tried again. */
    UNAVAILABLE(4),
    /** The outcome is unknown: a write may have taken effect, or may still do so, once. */
    UNKNOWN(5);

    private final int number;

    ExitCode(int number) {
        this.number = number;
    }

    /** The exit status of the process. */
    int number() {
        return number;
    }

    /** What an error of the server amounts to. */
    static ExitCode of(ErrorCode code) {
        return switch (code) {
            case NOT_FOUND, EXISTS -> NO;
            case MALFORMED_REQUEST, BAD_REQUEST, AUTH_REQUIRED, DENIED, NOT_A_NUMBER, NOT_A_LIST, OVERFLOW, TOO_LARGE ->
                REFUSED;
            case BUSY, OUT_OF_MEMORY, DISK_FULL, NO_LEADER, SHUTTING_DOWN -> UNAVAILABLE;
            case TIMEOUT, UNKNOWN_OUTCOME -> UNKNOWN;
        };
    }
}
