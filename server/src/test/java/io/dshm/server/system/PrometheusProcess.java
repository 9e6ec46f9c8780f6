package io.dshm.server.system;

import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;

/** A real Prometheus that looks at nodes, with the configuration and the rules that operators are given, but quicker. */
final class PrometheusProcess implements AutoCloseable {

    static final Path EXECUTABLE = Path.of("/usr/bin/prometheus");

    private static final Path MONITORING = Path.of("../deploy/monitoring");

    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();

    private final int port = Ports.free();
    private final Process process;

    /** Starts it; it keeps its files in that folder. */
    PrometheusProcess(Path folder, List<NodeProcess> nodes) throws IOException {
        String targets =
                nodes.stream().map(PrometheusProcess::instance).collect(Collectors.joining("\",\"", "[\"", "\"]"));
        Files.writeString(
                folder.resolve("prometheus.yml"),
                Files.readString(MONITORING.resolve("prometheus.yml"))
                        .replace("[\"127.0.0.1:8321\"]", targets)
                        .replace("interval: 5s", "interval: 500ms")
                        .replace("    static_configs:", secured() + "    static_configs:"));
        Files.writeString(
                folder.resolve("rules.yml"),
                Files.readString(MONITORING.resolve("rules.yml")).replaceAll("for: \\w+", "for: 1s"));
        process = new ProcessBuilder(
                        EXECUTABLE.toString(),
                        "--config.file=" + folder.resolve("prometheus.yml"),
                        "--storage.tsdb.path=" + folder.resolve("data"),
                        "--web.listen-address=127.0.0.1:" + port,
                        "--query.lookback-delta=3s")
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("prometheus.log").toFile())
                .start();
    }

    private static String secured() throws IOException {
        return !Secured.ON ? "" : """
                    scheme: https
                    tls_config: {ca_file: %s}
                    basic_auth: {username: %s, password: %s}
                """.formatted(Secured.authority(), Secured.USER, Secured.SECRET);
    }

    /** How it names a node. */
    static String instance(NodeProcess node) {
        return node.address().getAddress().getHostAddress() + ":" + node.adminPort();
    }

    /**
     * Whether that alert fires.
     *
     * @param labels as in an expression, in braces
     */
    boolean fires(String labels) throws IOException, InterruptedException {
        return value("ALERTS" + labels.replace("}", ",alertstate=\"firing\"}")).equals("1");
    }

    /** The value of an expression with one result; empty if there is none. */
    String value(String expression) throws IOException, InterruptedException {
        URI uri = URI.create("http://127.0.0.1:" + port + "/api/v1/query?query="
                + URLEncoder.encode(expression, StandardCharsets.UTF_8));
        String answer = http.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString())
                .body();
        // "value":[TIME,"VALUE"]
        int at = answer.indexOf("\"value\":[");
        return at < 0 ? "" : answer.substring(answer.indexOf(",\"", at) + 2, answer.indexOf("\"]", at));
    }

    @Override
    public void close() {
        process.destroyForcibly().onExit().join();
    }
}
