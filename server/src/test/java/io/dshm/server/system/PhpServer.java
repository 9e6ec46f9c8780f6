package io.dshm.server.system;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Debian's php-cli with its built-in web server, in several processes, and the session handler prepended to the one page
 * that it serves: {@code client/php/test/page.php}.
 */
final class PhpServer {

    static final Path CLIENT = Path.of("../client/php").toAbsolutePath().normalize();

    private static final String WORKERS = "6";
    private static final long STOP_SECONDS = 20;

    private final Path folder;
    private final Map<String, String> environment;
    private final int port = Ports.free();
    private @Nullable Process process;

    PhpServer(Path folder, Map<String, String> environment) {
        this.folder = folder.toAbsolutePath();
        this.environment = Map.copyOf(environment);
    }

    /** How a script of the client's has ended. */
    record Ended(int status, String output) {}

    /** Runs one of the client's scripts to its end, by its path in {@code client/php}. */
    static Ended run(String script, String... arguments) throws IOException, InterruptedException {
        List<String> command =
                new ArrayList<>(List.of("php", CLIENT.resolve(script).toString()));
        command.addAll(List.of(arguments));
        Process php = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(php.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
        return new Ended(php.waitFor(), output);
    }

    /** What asks its page for this. */
    URI uri(String action) {
        return URI.create("http://127.0.0.1:" + port + "/page.php?" + action);
    }

    /** {@code name=value}, for {@link #uri}. */
    static String parameter(String name, String value) {
        return name + "=" + URLEncoder.encode(value, StandardCharsets.UTF_8);
    }

    void start() throws IOException, InterruptedException {
        Files.createDirectories(folder);
        ProcessBuilder builder = new ProcessBuilder(List.of(
                        "php",
                        "-d",
                        "auto_prepend_file=" + CLIENT.resolve("session_handler.php"),
                        "-d",
                        "session.use_strict_mode=1",
                        "-S",
                        "127.0.0.1:" + port,
                        "-t",
                        CLIENT.resolve("test").toString()))
                .redirectErrorStream(true)
                .redirectOutput(logFile().toFile());
        builder.environment().put("PHP_CLI_SERVER_WORKERS", WORKERS);
        builder.environment().putAll(environment);
        process = builder.start();
        Await.until("PHP listens", () -> {
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                return socket.isConnected();
            }
        });
    }

    private Path logFile() {
        return folder.resolve("output.log");
    }

    String log() throws IOException {
        return Files.exists(logFile()) ? Files.readString(logFile()) : "";
    }

    /** Ends it and its workers. */
    void stop() throws InterruptedException {
        Process master = process;
        if (master == null) {
            return;
        }
        List<ProcessHandle> workers = master.descendants().toList();
        master.destroy();
        workers.forEach(ProcessHandle::destroy);
        if (!master.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
            master.destroyForcibly();
            workers.forEach(ProcessHandle::destroyForcibly);
        }
    }

    @Override
    public String toString() {
        return "PHP on port " + port;
    }
}
