package io.dshm.server.system;

import io.dshm.client.ClientTls;
import io.dshm.client.DshmConnection;
import io.dshm.server.security.Certificates;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.InetSocketAddress;
import java.net.Socket;
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
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/** One node in a JVM of its own, that can be started, killed and started again. */
public final class NodeProcess {

    private static final Path JAR = Path.of("target/dshm/dshm-server.jar").toAbsolutePath();
    private static final Pattern FIELD = Pattern.compile("\"(\\w+)\": \"?([^\",\n]*)\"?");
    private static final String ADMIN_TOKEN = "what-only-the-tests-know";
    private static final String ADMIN_TOKEN_FILE = "admin-token";
    private static final int HTTP_MILLIS = 10_000;
    private static final Duration STOP = Duration.ofSeconds(40);

    private final String name;
    private final Path folder;
    private final Place place;
    private final int sharedancePort = Ports.free();
    private final Map<String, String> environment = new HashMap<>();
    private final List<String> jvmOptions = new ArrayList<>(List.of("-Xmx256m", "-XX:+ExitOnOutOfMemoryError"));
    private final List<String> options = new ArrayList<>();

    private @Nullable String classPath;
    private volatile @Nullable SSLContext tls;
    private boolean secured = Secured.ON;
    private boolean hasToken;
    private boolean makesUsers = Secured.ON;
    private @Nullable Process process;

    /** The state's digest, as of a log index. */
    public record Digest(long index, String digest) {}

    /**
     * Where a node lives.
     *
     * @param host the address that it listens on, for everybody
     * @param data its data folder
     * @param launcher what its command begins with: whatever brings it to that place
     */
    public record Place(
            String host, int port, int raftPort, int forwardingPort, int adminPort, Path data, List<String> launcher) {}

    /** A node on the loopback address, with its data in its folder. */
    NodeProcess(String name, Path folder) {
        this(name, folder, "127.0.0.1");
    }

    /** A node on one of this machine's addresses; that is in brackets if it is an IPv6 address. */
    NodeProcess(String name, Path folder, String host) {
        this(
                name,
                folder,
                new Place(
                        host,
                        Ports.free(),
                        Ports.free(),
                        Ports.free(),
                        Ports.free(),
                        folder.resolve("dshm-data"),
                        List.of()));
        // Most of these nodes live for seconds: the second compiler would cost more than it gains. The torture's have
        // it.
        withJvm("-XX:TieredStopAtLevel=1");
    }

    /** A node at this place; in the folder is its log, and it is where the process runs. */
    public NodeProcess(String name, Path folder, Place place) {
        this.name = name;
        this.folder = folder;
        this.place = place;
    }

    public String name() {
        return name;
    }

    int port() {
        return place.port();
    }

    int adminPort() {
        return place.adminPort();
    }

    int sharedancePort() {
        return sharedancePort;
    }

    int raftPort() {
        return place.raftPort();
    }

    int forwardingPort() {
        return place.forwardingPort();
    }

    /** This node as the others' {@code --members} name it. */
    public String member() {
        return name + "=" + place.host() + ":" + place.raftPort() + ":" + place.forwardingPort();
    }

    /** Options of the server, for all starts to come. */
    public NodeProcess with(String... more) {
        options.addAll(List.of(more));
        return this;
    }

    /** Lets it accept Sharedance clients, with these options, for all starts to come. */
    NodeProcess withSharedance(String... more) {
        if (makesUsers) {
            with("--sharedance-user", Secured.USER);
        }
        return with("--sharedance-port", "" + sharedancePort).with(more);
    }

    /** Options of the JVM, for all starts to come; later ones win. */
    public NodeProcess withJvm(String... more) {
        jvmOptions.addAll(List.of(more));
        return this;
    }

    /** Other classes than those of the jar, where this folder has them, for all starts to come. */
    public NodeProcess withClasses(Path folder) {
        return withClassPath(folder + File.pathSeparator + JAR);
    }

    /** Other classes than those of the jar, for all starts to come; null is the jar again. */
    NodeProcess withClassPath(@Nullable String path) {
        classPath = path;
        return this;
    }

    /** From now on the test connects to it with TLS, as a client and as an operator; null: without. */
    public NodeProcess connectWith(@Nullable SSLContext context) {
        tls = context;
        return this;
    }

    /** Secured as {@link Secured} says, for all starts to come, but for the users, which the test makes. */
    NodeProcess securedWithoutUsers() {
        secured = true;
        makesUsers = false;
        return this;
    }

    /** Whether it is as {@link Secured} says. */
    boolean isSecured() {
        return secured;
    }

    /** Its admin port asks for a token, which the test has; also where nothing else is secured. */
    NodeProcess withAdminToken() {
        hasToken = true;
        return this;
    }

    /** Where the token of its admin port is. */
    Path adminTokenFile() {
        return folder.resolve(ADMIN_TOKEN_FILE).toAbsolutePath();
    }

    /** Secured by nothing but what the test says, whatever the run is about, for all starts to come. */
    public NodeProcess unsecured() {
        secured = false;
        makesUsers = false;
        return this;
    }

    /** Certificate and key of its name, for all starts to come; which ports use them is said elsewhere. Nothing else secures it. */
    public NodeProcess withCertificates(Certificates certificates) {
        return unsecured()
                .withEnvironment(
                        "DSHM_TLS_CERTIFICATE", certificates.certificate(name).toString())
                .withEnvironment("DSHM_TLS_KEY", certificates.key(name).toString())
                .withEnvironment("DSHM_TLS_CA", certificates.authority().toString());
    }

    /** A variable of the environment, for all starts to come. */
    public NodeProcess withEnvironment(String key, String value) {
        environment.put(key, value);
        return this;
    }

    /** Starts it. Returns at once: see {@link #awaitHealthy}. */
    public void start() throws IOException {
        List<String> command = new ArrayList<>(place.launcher());
        command.add(javaExecutable());
        if (classPath == null) {
            command.addAll(ClassArchive.options());
        }
        command.addAll(jvmOptions);
        command.addAll(
                classPath == null ? List.of("-jar", JAR.toString()) : List.of("-cp", classPath, "io.dshm.server.Main"));
        command.addAll(List.of("--node", name, "--data-dir", data().toString()));
        command.addAll(List.of("--bind-address", place.host(), "--port", "" + place.port()));
        command.addAll(List.of("--admin-address", place.host(), "--admin-port", "" + place.adminPort()));
        if (secured) {
            command.addAll(Secured.options(name, host()));
        } else if (!isOnLoopback()) {
            // Its network is the test's own.
            command.addAll(List.of("--insecure-peers", "true"));
        }
        if (asksForToken()) {
            Files.createDirectories(folder);
            Files.writeString(adminTokenFile(), ADMIN_TOKEN);
            command.addAll(List.of("--admin-token-file", adminTokenFile().toString()));
        }
        command.addAll(options);
        launch(command);
    }

    /** Its address without the brackets of IPv6. */
    private String host() {
        return place.host().replaceAll("[\\[\\]]", "");
    }

    private boolean asksForToken() {
        return hasToken || secured || !isOnLoopback();
    }

    private boolean isOnLoopback() {
        return place.host().matches("127\\..*|localhost|\\[::1\\]");
    }

    /** Starts it by a command of the test's own, with nothing of {@link Secured}. */
    void start(List<String> command) throws IOException {
        unsecured();
        launch(command);
    }

    private void launch(List<String> command) throws IOException {
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
        if (environment.containsKey(WallClock.PRELOAD)) {
            WallClock.removeTraces();
        }
        process = builder.start();
    }

    public static String javaExecutable() {
        return System.getProperty("java.home") + File.separator + "bin" + File.separator + "java";
    }

    static Path jar() {
        return JAR;
    }

    /** Its data folder. */
    public Path data() {
        return place.data();
    }

    private Path logFile() {
        return folder.resolve("node.log");
    }

    public boolean isAlive() {
        return process != null && process.isAlive();
    }

    /** Waits until commands work. */
    public void awaitHealthy() throws InterruptedException {
        Await.until(name + " is healthy", () -> {
            requireAlive();
            return health().startsWith("ok");
        });
        if (makesUsers) {
            Secured.secure(this);
        }
    }

    /** What it says of its health: {@code ok}, or what is wrong. */
    public String health() throws IOException {
        return http("/health");
    }

    private void requireAlive() {
        if (!isAlive()) {
            throw new AssertionError(name + " has ended" + (process == null ? "" : ", status " + process.exitValue()));
        }
    }

    /** SIGKILL: it gets no chance to do anything. */
    public void kill() throws InterruptedException {
        if (process != null) {
            process.destroyForcibly();
            awaitEnd();
        }
    }

    /** SIGKILL. Returns at once: see {@link #awaitEnd}. */
    public void killSoon() {
        if (process != null) {
            process.destroyForcibly();
        }
    }

    /** SIGTERM. Returns at once: see {@link #awaitEnd}. */
    public void terminate() {
        if (process != null) {
            process.destroy();
        }
    }

    /** Waits until the process has ended, and returns its exit status. */
    public int awaitEnd() throws InterruptedException {
        Process ending = process;
        if (ending == null) {
            throw new IllegalStateException(name + " was never started");
        }
        if (!ending.waitFor(STOP.toMillis(), TimeUnit.MILLISECONDS)) {
            throw new AssertionError(name + " has not ended within " + STOP.toSeconds() + " s");
        }
        return ending.exitValue();
    }

    /** The number of the process that was started last. */
    public long pid() {
        if (process == null) {
            throw new IllegalStateException(name + " was never started");
        }
        return process.pid();
    }

    /** SIGSTOP: all its threads stand still, its connections stay open. */
    public void pause() throws IOException, InterruptedException {
        signal("STOP");
    }

    /** SIGCONT. */
    public void resume() throws IOException, InterruptedException {
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
    public void deleteData() throws IOException {
        if (isAlive()) {
            throw new IllegalStateException(name + " is running");
        }
        deleteTree(data());
    }

    /** Deletes a folder with all that is in it, if it is there. */
    public static void deleteTree(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        List<Path> files;
        try (Stream<Path> all = Files.walk(folder)) {
            files = all.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path file : files) {
            Files.delete(file);
        }
    }

    /** A new connection; a reply may take as long as a command may wait for a leader, and some more. */
    DshmConnection connect() throws IOException {
        SSLContext context = tls();
        DshmConnection connection = DshmConnection.connect(
                address(),
                context == null ? null : ClientTls.of(context),
                Duration.ofSeconds(10),
                Duration.ofSeconds(30));
        return secured ? Secured.authenticate(connection) : connection;
    }

    private @Nullable SSLContext tls() throws IOException {
        return secured ? Secured.context() : tls;
    }

    /** A connection to the clients' port for bytes of the test's own, ready for commands. */
    BareConnection connectBare() throws IOException {
        return connectBare(0);
    }

    /** The same with buffers of that size in the system; 0: as it likes. */
    BareConnection connectBare(int bufferBytes) throws IOException {
        return connectBare(new Socket(), bufferBytes);
    }

    /** The same from that address of this machine. */
    BareConnection connectBareFrom(String from) throws IOException {
        Socket socket = new Socket();
        socket.bind(new InetSocketAddress(from, 0));
        return connectBare(socket, 0);
    }

    private BareConnection connectBare(Socket socket, int bufferBytes) throws IOException {
        BareConnection connection = BareConnection.open(socket, address(), tls(), bufferBytes);
        if (secured) {
            Secured.authenticate(connection.socket());
        }
        return connection;
    }

    /** The same for who says nothing of himself. */
    BareConnection connectBareAsNobody() throws IOException {
        return BareConnection.open(address(), tls());
    }

    /** The same to Sharedance's port, which has no TLS. */
    BareConnection connectBareToSharedance() throws IOException {
        return connectBareToSharedance(0);
    }

    /** The same with buffers of that size in the system; 0: as it likes. */
    BareConnection connectBareToSharedance(int bufferBytes) throws IOException {
        return BareConnection.open(
                new Socket(), new InetSocketAddress(place.host(), sharedancePort), null, bufferBytes);
    }

    /** The same to the admin port. */
    BareConnection connectBareToAdmin() throws IOException {
        return BareConnection.open(new InetSocketAddress(place.host(), place.adminPort()), tls());
    }

    /** The same to the port between nodes, with what the given one would show. */
    BareConnection connectBareToPeers(NodeProcess as) throws IOException {
        return BareConnection.open(
                new InetSocketAddress(place.host(), place.forwardingPort()), secured ? Secured.contextOf(as) : null);
    }

    /** A line of a request by hand to the admin port that says who asks; empty where nobody is asked. */
    String adminHeader() {
        return asksForToken() ? "Authorization: " + authorization() + "\r\n" : "";
    }

    /** What such a line says. */
    String authorization() {
        return "Bearer " + ADMIN_TOKEN;
    }

    public InetSocketAddress address() {
        return new InetSocketAddress(place.host(), place.port());
    }

    /** The fields of {@code /status}. */
    public Map<String, String> status() throws IOException {
        return fields(http("/status"));
    }

    long statusNumber(String field) throws IOException {
        return Long.parseLong(status().getOrDefault(field, "0"));
    }

    /** The digest; it reads all of the node's data. */
    public Digest digest() throws IOException {
        Map<String, String> fields = fields(http("/digest"));
        String index = fields.get("index");
        String digest = fields.get("digest");
        if (index == null || digest == null) {
            throw new IOException(name + " has no digest now");
        }
        return new Digest(Long.parseLong(index), digest);
    }

    /** What this node holds for the time of day, in milliseconds since 1970, to within a second. */
    public long wallClockMillis() throws IOException {
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

    String http(String path) throws IOException {
        return answer(open(path));
    }

    private static String answer(HttpURLConnection connection) throws IOException {
        try (InputStream body =
                connection.getResponseCode() < 400 ? connection.getInputStream() : connection.getErrorStream()) {
            return new String(body.readAllBytes(), StandardCharsets.UTF_8);
        } finally {
            connection.disconnect();
        }
    }

    /** Asks the admin port for a change; what it answers. */
    public String post(String path) throws IOException {
        HttpURLConnection connection = open(path);
        connection.setRequestMethod("POST");
        connection.setRequestProperty("Dshm-Operator", "test");
        return answer(connection);
    }

    /** Saves what a path of the admin port gives. */
    void download(String path, Path to) throws IOException {
        HttpURLConnection connection = open(path);
        try (InputStream body = connection.getInputStream()) {
            Files.copy(body, to);
        } finally {
            connection.disconnect();
        }
    }

    private HttpURLConnection open(String path) throws IOException {
        SSLContext context = tls();
        String scheme = context == null ? "http://" : "https://";
        HttpURLConnection connection =
                (HttpURLConnection) URI.create(scheme + place.host() + ":" + place.adminPort() + path)
                        .toURL()
                        .openConnection();
        if (context != null) {
            ((HttpsURLConnection) connection).setSSLSocketFactory(context.getSocketFactory());
        }
        if (asksForToken()) {
            connection.setRequestProperty("Authorization", authorization());
        }
        connection.setConnectTimeout(HTTP_MILLIS);
        connection.setReadTimeout(HTTP_MILLIS);
        return connection;
    }

    /** All that it has logged, in all its starts. */
    public String log() throws IOException {
        return Files.exists(logFile()) ? Files.readString(logFile()) : "";
    }

    /** Ends it in any case, and leaves nothing but its log. */
    public void dispose() throws IOException, InterruptedException {
        kill();
        deleteData();
    }

    @Override
    public String toString() {
        return name;
    }
}
