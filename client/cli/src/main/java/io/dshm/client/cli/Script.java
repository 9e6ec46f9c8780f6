package io.dshm.client.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Commands from stdin, one a line, where that is no terminal. */
final class Script {

    private Script() {}

    /** Runs a line; null if there was nothing to do. */
    @FunctionalInterface
    interface Line {
        @Nullable
        ExitCode run(String line);
    }

    /**
     * Runs all lines, up to the first one that fails; a NO is no failure, because a script may ask. The last exit code.
     */
    static ExitCode run(InputStream in, Line runner) throws CliException {
        ExitCode last = ExitCode.OK;
        BufferedReader lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
        try {
            for (String line = lines.readLine(); line != null && !isEnd(line); line = lines.readLine()) {
                ExitCode exitCode = runner.run(line);
                last = exitCode == null ? last : exitCode;
                if (last.compareTo(ExitCode.NO) > 0) {
                    break;
                }
            }
        } catch (IOException e) {
            throw CliException.usage("stdin cannot be read: " + e.getMessage());
        }
        return last;
    }

    /** Whether a line asks to end. */
    static boolean isEnd(String line) {
        String word = line.strip().toLowerCase(Locale.ROOT);
        return word.equals("quit") || word.equals("exit");
    }
}
