package io.dshm.server.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** The {@code dshm} command through its launcher, with some nodes in its environment. */
final class DshmCommand {

    static final Path LAUNCHER = Path.of("../deploy/bin/dshm").toAbsolutePath().normalize();

    /** One for all tests of a build: its archive of classes takes ten seconds. */
    private static final Path CACHE = Path.of("target/dshm-cache").toAbsolutePath();

    private static final long PATIENCE_SECONDS = 120;

    private final Path folder;
    private final Map<String, String> more = new HashMap<>();

    /** @param folder where it keeps what it keeps between commands */
    DshmCommand(Path folder) {
        this.folder = folder;
    }

    /** A variable of its environment, for all commands to come. */
    DshmCommand with(String name, String value) {
        more.put(name, value);
        return this;
    }

    /** @param printed what it wrote to standard output, a character for each byte */
    record Ended(int status, String printed, String err) {

        byte[] bytes() {
            return printed.getBytes(StandardCharsets.ISO_8859_1);
        }

        String out() {
            return new String(bytes(), StandardCharsets.UTF_8);
        }

        /** The same, if it ended like that. */
        Ended requireStatus(int expected) {
            assertEquals(expected, status, () -> out() + err);
            return this;
        }
    }

    private static String addresses(List<NodeProcess> nodes, boolean admin) {
        return nodes.stream()
                .map(node -> "127.0.0.1:" + (admin ? node.adminPort() : node.port()))
                .collect(Collectors.joining(","));
    }

    /** Runs the command with these words. */
    Ended run(List<NodeProcess> nodes, String... words) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(LAUNCHER.toString()));
        command.addAll(List.of(words));
        return run(nodes, new byte[0], command);
    }

    /** Runs any command in that environment. */
    Ended run(List<NodeProcess> nodes, byte[] stdin, List<String> command) throws IOException, InterruptedException {
        Path in = Files.write(folder.resolve("stdin"), stdin);
        Path out = folder.resolve("stdout");
        Path err = folder.resolve("stderr");
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.redirectInput(in.toFile()).redirectOutput(out.toFile()).redirectError(err.toFile());
        builder.environment().keySet().removeIf(key -> key.startsWith("DSHM_"));
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        builder.environment().put("DSHM_CACHE", CACHE.toString());
        builder.environment().put("XDG_STATE_HOME", folder.resolve("state").toString());
        if (!nodes.isEmpty()) {
            builder.environment().put("DSHM_ENDPOINTS", addresses(nodes, false));
            builder.environment().put("DSHM_ADMIN", addresses(nodes, true));
        }
        if (nodes.stream().anyMatch(NodeProcess::isSecured)) {
            builder.environment().put("DSHM_CA", Secured.authority().toString());
            builder.environment().put("DSHM_USER", Secured.USER);
            builder.environment().put("DSHM_SECRET_FILE", Secured.secretFile().toString());
        }
        builder.environment().putAll(more);
        Process process = builder.start();
        try {
            assertTrue(process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS), () -> command + " ends");
        } finally {
            process.destroyForcibly();
        }
        return new Ended(
                process.exitValue(), Files.readString(out, StandardCharsets.ISO_8859_1), Files.readString(err));
    }
}
