package io.dshm.client.cli;

/**
 * Why the command does not do what it was asked for; its message is one or more lines for the user, and says what to do
 * next.
 */
final class CliException extends Exception {

    private static final long serialVersionUID = 1L;

    private final ExitCode exitCode;
    private final String error;

    /** @param error a word that scripts can decide by, for example {@code no_leader} */
    CliException(ExitCode exitCode, String error, String message) {
        super(message);
        this.exitCode = exitCode;
        this.error = error;
    }

    /** Wrong arguments; nothing was sent. */
    static CliException usage(String message) {
        return new CliException(ExitCode.USAGE, "usage", message);
    }

    ExitCode exitCode() {
        return exitCode;
    }

    String error() {
        return error;
    }
}
