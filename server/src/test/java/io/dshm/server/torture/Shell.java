package io.dshm.server.torture;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Runs the system's own tools. */
final class Shell {

    private Shell() {}

    /**
     * Runs a command to its end, and returns what it printed.
     *
     * @throws IOException if it cannot be run or fails; the message has what it printed
     */
    static String run(String... command) throws IOException, InterruptedException {
        return feed("", command);
    }

    /** Runs a command that reads this; see {@link #run}. */
    static String feed(String input, String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        try (var in = process.getOutputStream()) {
            in.write(input.getBytes(StandardCharsets.UTF_8));
        }
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        int status = process.waitFor();
        if (status != 0) {
            throw new IOException(String.join(" ", command) + " (status " + status + "): " + output.strip());
        }
        return output;
    }

    /** Which of these are missing on this machine, if any. */
    static Optional<String> missing(String... tools) {
        List<String> missing =
                Arrays.stream(tools).filter(tool -> !exists(tool)).toList();
        return missing.isEmpty() ? Optional.empty() : Optional.of(String.join(", ", missing));
    }

    private static boolean exists(String tool) {
        return Stream.of(Optional.ofNullable(System.getenv("PATH")).orElse("").split(File.pathSeparator))
                .map(folder -> Path.of(folder, tool))
                .anyMatch(Files::isExecutable);
    }
}
