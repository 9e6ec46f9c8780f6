package io.dshm.server.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

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
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** A real Prometheus looks at three nodes while their leader is killed and comes back. */
@Tag("long")
class MonitoringIT {

    private static final Path PROMETHEUS = Path.of("/usr/bin/prometheus");
    private static final Path MONITORING = Path.of("../deploy/monitoring");

    @RegisterExtension
    final Processes processes = Processes.perTest();

    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();

    @TempDir
    Path folder;

    @Test
    void when_the_leader_dies_the_alert_fires_and_the_election_is_seen_and_it_ends_when_the_node_is_back()
            throws IOException, InterruptedException {
        assumeTrue(Files.isExecutable(PROMETHEUS), "there is no Prometheus");
        ClusterProcess cluster = processes.newCluster().start();
        NodeProcess leader = cluster.awaitLeader();
        int port = Ports.free();
        Process prometheus = start(port, cluster.nodes());
        try {
            Await.until(
                    "all nodes are scraped",
                    () -> value(port, "sum(dshm_ready)").equals("3"));
            assertEquals("1", value(port, "sum(dshm_raft_is_leader)"));
            assertTrue(value(port, "ALERTS{alertstate=\"firing\"}").isEmpty());
            String leaderIs = "{alertname=\"DshmNodeDown\",instance=\"" + instance(leader) + "\"}";
            leader.kill();
            Await.until("the alert fires", () -> firing(port, leaderIs).equals("1"));
            Await.until(
                    "another node leads",
                    () -> value(port, "sum(dshm_raft_is_leader)").equals("1"));
            assertTrue(Integer.parseInt(value(port, "max(dshm_raft_term)")) > 1);
            assertTrue(firing(port, "{alertname=\"DshmMajorityLost\"}").isEmpty());
            leader.start();
            Await.until("the alert is over", () -> firing(port, leaderIs).isEmpty());
            Await.until(
                    "the node is ready again",
                    () -> value(port, "sum(dshm_ready)").equals("3"));
        } finally {
            prometheus.destroy();
            prometheus.waitFor(10, TimeUnit.SECONDS);
        }
    }

    private static String instance(NodeProcess node) {
        return node.address().getAddress().getHostAddress() + ":" + node.adminPort();
    }

    /** With the configuration and rules of the pages, but quicker. */
    private Process start(int port, List<NodeProcess> nodes) throws IOException {
        String targets = nodes.stream().map(MonitoringIT::instance).collect(Collectors.joining("\",\"", "[\"", "\"]"));
        Files.writeString(
                folder.resolve("prometheus.yml"),
                Files.readString(MONITORING.resolve("prometheus.yml"))
                        .replace("[\"127.0.0.1:8321\"]", targets)
                        .replace("interval: 5s", "interval: 500ms")
                        .replace("    static_configs:", secured() + "    static_configs:"));
        Files.writeString(
                folder.resolve("rules.yml"),
                Files.readString(MONITORING.resolve("rules.yml")).replaceAll("for: \\w+", "for: 1s"));
        return new ProcessBuilder(
                        PROMETHEUS.toString(),
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

    private String firing(int port, String labels) throws IOException, InterruptedException {
        return value(port, "ALERTS" + labels.replace("}", ",alertstate=\"firing\"}"));
    }

    /** The value of an expression with one result; empty if there is none. */
    private String value(int port, String expression) throws IOException, InterruptedException {
        URI uri = URI.create("http://127.0.0.1:" + port + "/api/v1/query?query="
                + URLEncoder.encode(expression, StandardCharsets.UTF_8));
        String answer = http.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString())
                .body();
        // "value":[TIME,"VALUE"]
        int at = answer.indexOf("\"value\":[");
        return at < 0 ? "" : answer.substring(answer.indexOf(",\"", at) + 2, answer.indexOf("\"]", at));
    }
}
