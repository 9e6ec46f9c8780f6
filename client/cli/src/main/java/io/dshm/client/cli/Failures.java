package io.dshm.client.cli;

import io.dshm.proto.ErrorCode;
import io.dshm.proto.Reply;
import org.jspecify.annotations.Nullable;

/** The server's errors, with what to do next. */
final class Failures {

    private Failures() {}

    /** The reply, if it is no error. */
    static Reply orThrow(Reply reply) throws CliException {
        if (!(reply instanceof Reply.Failure failure)) {
            return reply;
        }
        String next = nextStep(failure.code());
        throw new CliException(
                ExitCode.of(failure.code()),
                failure.code().wireName(),
                text(failure) + (next == null ? "" : "\n" + next));
    }

    /** An error in the server's words. */
    static String text(Reply.Failure failure) {
        String code = failure.code().wireName();
        return failure.text() == null ? code : code + ": " + failure.text();
    }

    private static @Nullable String nextStep(ErrorCode code) {
        return switch (code) {
            case NOT_FOUND -> null;
            case EXISTS -> "the key is there, or in another version: dshm stat KEY shows it";
            case BAD_REQUEST, NOT_A_NUMBER, NOT_A_LIST ->
                "this word is not for what is there: dshm stat KEY shows its type";
            case MALFORMED_REQUEST -> "does the server know this word? dshm info shows its protocol";
            case OVERFLOW -> "the sum has more than 64 bits; nothing was changed";
            case AUTH_REQUIRED -> "the cluster wants to know who you are: --user NAME --secret-file FILE";
            case DENIED -> "dshm user list, as a user with admin:*, shows who may do what; nothing was changed";
            case TOO_LARGE -> "the limits are in proto/README.md; nothing was changed";
            case OUT_OF_MEMORY ->
                "the nodes are full: delete something, or give them more memory; dshm status --json shows stateBytes";
            case DISK_FULL ->
                "a disk is full: make room on the nodes whose dshm status --json has diskFull; writes go on by themselves then";
            case BUSY, NO_LEADER, SHUTTING_DOWN ->
                "nothing was changed; try again, dshm status shows what the nodes are doing";
            case TIMEOUT, UNKNOWN_OUTCOME ->
                "the write may have taken effect, or may still do so, once: read the key first";
        };
    }
}
