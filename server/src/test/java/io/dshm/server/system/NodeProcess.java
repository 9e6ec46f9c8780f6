package io.dshm.server.system;

import io.dshm.client.DshmConnection;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** One node in a JVM of its own, that can be started, killed and started again. */
final class NodeProcess {

    private static final Path JAR = Path.of("target/dshm/dshm-server.jar").toAbsolutePath();
    private static final Pattern FIELD = Pattern.compile("\"(\\w+)\": \"?([^\",\n]*)\"?");
    private static final int HTTP_MILLIS = 10_000;
    private static final Duration STOP = Duration.ofSeconds(40);

    private final String name;
    private final Path folder;
    private final int port = Ports.free();
    private final int raftPort = Ports.free();
    private final int forwardingPort = Ports.free();
    private final int adminPort = Ports.free();
    private final int sharedancePort = Ports.free();
    private final Map<String, String> environment = new HashMap<>();
    private final List<String> jvmOptions = new ArrayList<>(List.of("-Xmx256m", "-XX:+ExitOnOutOfMemoryError"));
    private final List<String> options = new ArrayList<>();

    private @Nullable Process process;

    /** The state's digest, as of a log index. */
    record Digest(long index, String digest) {}

    NodeProcess(String name, Path folder) {
        this.name = name;
        this.folder = folder;
    }

    String name() {
        return name;
    }

    int port() {
        return port;
    }

    int sharedancePort() {
        return sharedancePort;
    }

    /** This node as the others' {@code --members} name it. */
    String member() {
        return name + "=127.0.0.1:" + raftPort + ":" + forwardingPort;
    }

    /** Options of the server, for all starts to come. */
    NodeProcess with(String... more) {
        options.addAll(List.of(more));
        return this;
    }

    /** Lets it accept Sharedance clients, with these options, for all starts to come. */
    NodeProcess withSharedance(String... more) {
        return with("--sharedance-port", "" + sharedancePort).with(more);
    }

    /** Options of the JVM, for all starts to come; later ones win. */
    NodeProcess withJvm(String... more) {
        jvmOptions.addAll(List.of(more));
        return this;
    }

    /** A variable of the environment, for all starts to come. */
    NodeProcess withEnvironment(String key, String value) {
        environment.put(key, value);
        return this;
    }

    /** Starts it. Returns at once: see {@link #awaitHealthy}. */
    void start() throws IOException {
        List<String> command = new ArrayList<>(List.of(javaExecutable()));
        command.addAll(jvmOptions);
        command.addAll(List.of("-jar", JAR.toString()));
        command.addAll(List.of("--node", name, "--data-dir", data().toString()));
        command.addAll(List.of("--port", "" + port, "--admin-port", "" + adminPort));
        command.addAll(options);
        start(command);
    }

    /** Starts it by a command of the test's own. */
    void start(List<String> command) throws IOException {
        if (!Files.exists(JAR)) {
            throw new IOException("there is no " + JAR + ": build it with mvn package");
        }
        Files.createDirectories(folder);
        if (process == null) {
            Files.deleteIfExists(logFile());
        }
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.directory(folder.toFile());
        builder.redirectOutput(ProcessBuilder.Redirect.appendTo(logFile().toFile()));
        builder.environment().keySet().removeIf(key -> key.startsWith("DSHM_"));
        builder.environment().putAll(environment);
        process = builder.start();
    }

    static String javaExecutable() {
        return System.getProperty("java.home") + File.separator + "bin" + File.separator + "java";
    }

    static Path jar() {
        return JAR;
    }

    /** Its data folder. */
    Path data() {
        return folder.resolve("dshm-data");
    }

    private Path logFile() {
        return folder.resolve("node.log");
    }

    boolean isAlive() {
        return process != null && process.isAlive();
    }

    /** Waits until it knows a leader and is up to date. */
    void awaitHealthy() throws InterruptedException {
        Await.until(name + " is healthy", () -> {
            requireAlive();
            return http("/health").startsWith("ok");
        });
    }

    private void requireAlive() {
        if (!isAlive()) {
            throw new AssertionError(name + " has ended" + (process == null ? "" : ", status " + process.exitValue()));
        }
    }

    /** SIGKILL: it gets no chance to do anything. */
    void kill() throws InterruptedException {
        if (process != null) {
            process.destroyForcibly();
            awaitEnd();
        }
    }

    /** SIGKILL. Returns at once: see {@link #awaitEnd}. */
    void killSoon() {
        if (process != null) {
            process.destroyForcibly();
        }
    }

    /** SIGTERM. Returns at once: see {@link #awaitEnd}. */
    void terminate() {
        if (process != null) {
            process.destroy();
        }
    }

    /** Waits until the process has ended, and returns its exit status. */
    int awaitEnd() throws InterruptedException {
        Process ending = process;
        if (ending == null) {
            throw new IllegalStateException(name + " was never started");
        }
        if (!ending.waitFor(STOP.toMillis(), TimeUnit.MILLISECONDS)) {
            throw new AssertionError(name + " has not ended within " + STOP.toSeconds() + " s");
        }
        return ending.exitValue();
    }

    /** SIGSTOP: all its threads stand still, its connections stay open. */
    void pause() throws IOException, InterruptedException {
        signal("STOP");
    }

    /** SIGCONT. */
    void resume() throws IOException, InterruptedException {
        signal("CONT");
    }

    private void signal(String signal) throws IOException, InterruptedException {
        requireAlive();
        Process target = process;
        if (target != null) {
            new ProcessBuilder("kill", "-" + signal, "" + target.pid()).start().waitFor();
        }
    }

    /** What happens when an operator puts in a new disk. It must not be running. */
    void deleteData() throws IOException {
        if (isAlive()) {
            throw new IllegalStateException(name + " is running");
        }
        if (!Files.exists(data())) {
            return;
        }
        List<Path> files;
        try (Stream<Path> all = Files.walk(data())) {
            files = all.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path file : files) {
            Files.delete(file);
        }
    }

    /** A new connection; a reply may take as long as a command may wait for a leader, and some more. */
    DshmConnection connect() throws IOException {
        return DshmConnection.connect(address(), Duration.ofSeconds(10), Duration.ofSeconds(30));
    }

    InetSocketAddress address() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    }

    /** The fields of {@code /status}. */
    Map<String, String> status() throws IOException {
        return fields(http("/status"));
    }

    long statusNumber(String field) throws IOException {
        return Long.parseLong(status().getOrDefault(field, "0"));
    }

    /** The digest; it reads all of the node's data. */
    Digest digest() throws IOException {
        Map<String, String> fields = fields(http("/digest"));
        String index = fields.get("index");
        String digest = fields.get("digest");
        if (index == null || digest == null) {
            throw new IOException(name + " has no digest now");
        }
        return new Digest(Long.parseLong(index), digest);
    }

    /** What this node holds for the time of day, in milliseconds since 1970, to within a second. */
    long wallClockMillis() throws IOException {
        HttpURLConnection connection = open("/status");
        try {
            connection.getResponseCode();
            return connection.getDate();
        } finally {
            connection.disconnect();
        }
    }

    private static Map<String, String> fields(String json) {
        Map<String, String> fields = new HashMap<>();
        Matcher field = FIELD.matcher(json);
        while (field.find()) {
            fields.put(field.group(1), field.group(2));
        }
        return fields;
    }

    private String http(String path) throws IOException {
        HttpURLConnection connection = open(path);
        try (InputStream body =
                connection.getResponseCode() < 400 ? connection.getInputStream() : connection.getErrorStream()) {
            return new String(body.readAllBytes(), StandardCharsets.UTF_8);
        } finally {
            connection.disconnect();
        }
    }

    private HttpURLConnection open(String path) throws IOException {
        HttpURLConnection connection = (HttpURLConnection)
                URI.create("http://127.0.0.1:" + adminPort + path).toURL().openConnection();
        connection.setConnectTimeout(HTTP_MILLIS);
        connection.setReadTimeout(HTTP_MILLIS);
        return connection;
    }

    /** All that it has logged, in all its starts. */
    String log() throws IOException {
        return Files.exists(logFile()) ? Files.readString(logFile()) : "";
    }

    /** Ends it in any case, and leaves nothing but its log. */
    void dispose() throws IOException, InterruptedException {
        kill();
        deleteData();
    }

    @Override
    public String toString() {
        return name;
    }
}
