package io.dshm.client.cli;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** What a command line has done. */
record Run(ExitCode exitCode, String out, String err) {

    /** Runs a line in this process. */
    static Run of(Map<String, String> environment, String stdin, String... words) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        Output output = new Output(
                new PrintStream(out, false, StandardCharsets.UTF_8),
                new PrintStream(err, false, StandardCharsets.UTF_8),
                false,
                false);
        ExitCode exitCode = new Cli(
                        environment, new ByteArrayInputStream(stdin.getBytes(StandardCharsets.UTF_8)), false, output)
                .run(words);
        return new Run(exitCode, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    /** Runs a line against these nodes. */
    static Run on(String endpoints, String... words) {
        return of(Map.of("DSHM_ENDPOINTS", endpoints), "", words);
    }
}
