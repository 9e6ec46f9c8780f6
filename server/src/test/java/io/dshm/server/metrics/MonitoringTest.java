package io.dshm.server.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.dshm.proto.Command;
import io.dshm.proto.Key;
import io.dshm.proto.Reply;
import io.dshm.server.admin.MetricsSource;
import io.dshm.server.counters.Distribution;
import io.dshm.server.frontend.CommandCounts;
import io.dshm.server.frontend.CommandKind;
import io.dshm.server.frontend.MemoryBudget;
import io.dshm.server.replication.LaneCounts;
import io.dshm.server.replication.contracts.Leadership;
import io.dshm.server.replication.jraft.RaftCounts;
import io.dshm.server.replication.reads.LocalReads;
import io.dshm.server.shares.ShareCounts;
import io.dshm.server.statemachine.ClusterClock;
import io.dshm.server.statemachine.StateMachine;
import io.dshm.server.store.Entry;
import io.dshm.server.store.Store;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The metrics, and the pages, alerts and the board that speak of them. */
class MonitoringTest {

    private static final Path MONITORING = Path.of("../deploy/monitoring");
    private static final Pattern METRIC = Pattern.compile("\\b(?:dshm|jvm|process)_[a-z0-9_]+\\b");
    private static final Pattern ALERT = Pattern.compile("(?m)^ +- alert: (\\w+)$");

    private final Store store = new Store();
    private final RegionSizes regions = new RegionSizes(() -> store);

    /** All metrics of a node that does everything. */
    private String scrape(String accept) throws IOException {
        return new String(source().scrape(accept).body(), StandardCharsets.UTF_8);
    }

    private MetricsSource source() {
        store.put(bytes("r:a"), 1, Entry.of(bytes("value"), Entry.NEVER, 1));
        while (regions.sizes().isEmpty()) {
            regions.step();
        }
        StateMachine stateMachine = new StateMachine(new ClusterClock(() -> 0));
        stateMachine.store().limitRegion(bytes("r"), 1_000, false);
        LocalReads reads =
                new LocalReads(stateMachine, new ClusterClock(() -> 0), () -> TimeUnit.SECONDS.toNanos(3), 0);
        reads.onConfirmed(TimeUnit.SECONDS.toNanos(1));
        reads.acknowledge(Key.of(bytes("a")), 1);
        reads.onApplied(1);
        CommandCounts counts = new CommandCounts(() -> 5_000);
        counts.begin();
        counts.answeredAtOnce(CommandKind.GET, Reply.Failure.NOT_FOUND);
        counts.end();
        counts.taken(
                new Command.Take(Key.of(bytes("l")), null, Key.of(bytes("policies:p\"\n")), 1, false), decision(1));
        counts.taken(
                new Command.Take(Key.of(bytes("l")), null, Key.of(bytes("policies:p\"\n")), 1, false), decision(0));
        NodeMetrics.Always always = new NodeMetrics.Always(
                "n1", "c", "1", stateMachine, reads, new MemoryBudget(10), new MemoryBudget(20), regions, () -> true);
        LaneCounts lane = new LaneCounts(
                new Distribution(Distribution.Range.COUNTS),
                new Distribution(Distribution.Range.SECONDS),
                new LaneCounts.Waiting());
        NodeMetrics.Running running = new NodeMetrics.Running(
                () -> new Leadership(3, "n1", true),
                () -> true,
                () -> true,
                () -> false,
                () -> 3,
                new RaftCounts(),
                () -> 7,
                () -> 6,
                Map.of("dshm", new NodeMetrics.Clients(() -> 1, 2, () -> 3, () -> 4, () -> List.of(counts))),
                () -> List.of(new ShareCounts()),
                () -> List.of(lane),
                () -> 0,
                () -> 0,
                new NodeMetrics.Backup(() -> 1_000, () -> 2, () -> 0));
        return NodeMetrics.of(always, () -> running);
    }

    private static Reply decision(int allowed) {
        return new Reply.Detailed(null, "allowed=" + allowed + " limit=5");
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** The names in a scrape, as they stand in its comments. */
    private static Set<String> families(String scrape, String prefix) {
        return Pattern.compile("(?m)^# TYPE (" + prefix + "\\w+) \\w+$")
                .matcher(scrape)
                .results()
                .map(family -> family.group(1))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static Set<String> series(String scrape) {
        return Pattern.compile("(?m)^(\\w+)[ {]")
                .matcher(scrape)
                .results()
                .map(series -> series.group(1))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static Set<String> metricsIn(String text) {
        return METRIC.matcher(text).results().map(MatchResult::group).collect(Collectors.toCollection(TreeSet::new));
    }

    private static String read(String name) throws IOException {
        return Files.readString(MONITORING.resolve(name));
    }

    @Test
    void the_page_lists_exactly_the_metrics_that_there_are() throws IOException {
        String page = Files.readString(Path.of("../deploy/README.md"));
        String table = page.substring(page.indexOf("| Metric |"), page.indexOf("<!-- end of the metrics -->"));
        Set<String> listed = Pattern.compile("(?m)^\\| `(dshm_\\w+)`")
                .matcher(table)
                .results()
                .map(row -> row.group(1))
                .collect(Collectors.toCollection(TreeSet::new));
        assertEquals(families(scrape("text/plain"), "dshm_"), listed);
    }

    @Test
    void what_alerts_and_the_board_ask_for_exists() throws IOException {
        Set<String> all = series(scrape("text/plain"));
        for (String file : List.of("rules.yml", "rules-test.yml", "dashboard.json")) {
            Set<String> asked = metricsIn(read(file));
            assertTrue(asked.size() > 10, file);
            asked.removeAll(all);
            assertEquals(Set.of(), asked, file);
        }
    }

    @Test
    void each_alert_has_a_paragraph_and_a_test() throws IOException {
        List<String> alerts = ALERT.matcher(read("rules.yml"))
                .results()
                .map(alert -> alert.group(1))
                .toList();
        List<String> paragraphs = Pattern.compile("(?m)^### (Dshm\\w+)$")
                .matcher(read("README.md"))
                .results()
                .map(heading -> heading.group(1))
                .toList();
        assertEquals(alerts, paragraphs);
        Set<String> tested = Pattern.compile("alertname: (\\w+)\\s+exp_alerts")
                .matcher(read("rules-test.yml"))
                .results()
                .map(test -> test.group(1))
                .collect(Collectors.toCollection(TreeSet::new));
        assertEquals(new TreeSet<>(alerts), tested);
    }

    @Test
    void prometheus_understands_the_rules_and_the_board_and_alerts_come_of_what_happens(@TempDir Path folder)
            throws IOException, InterruptedException {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/promtool")), "there is no promtool");
        promtool("check", "rules", "rules.yml");
        promtool("test", "rules", "rules-test.yml");
        promtool("check", "config", "--syntax-only", "prometheus.yml");
        // The board's expressions, each as a rule, with values for its variables.
        StringBuilder rules = new StringBuilder("groups:\n  - name: board\n    rules:\n");
        List<String> expressions = Pattern.compile("\"expr\": \"((?:[^\"\\\\]|\\\\.)*)\"")
                .matcher(read("dashboard.json"))
                .results()
                .map(expression -> expression.group(1))
                .toList();
        assertTrue(expressions.size() > 30, expressions::toString);
        for (int i = 0; i < expressions.size(); i++) {
            rules.append("      - record: board:")
                    .append(i)
                    .append("\n        expr: \"")
                    .append(expressions
                            .get(i)
                            .replace("$__rate_interval", "1m")
                            .replace("$job", "a")
                            .replace("$instance", "b"))
                    .append("\"\n");
        }
        promtool(
                "check",
                "rules",
                Files.writeString(folder.resolve("board.yml"), rules).toString());
    }

    private static void promtool(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("/usr/bin/promtool"));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command)
                .directory(MONITORING.toFile())
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), () -> command + ": " + output);
    }

    @Test
    void names_that_clients_have_chosen_are_made_printable() throws IOException {
        String scrape = scrape("text/plain");
        assertTrue(
                scrape.contains("dshm_takes_total{decision=\"refused\",policy=\"policies:p\\\\x22\\\\x0a\"} 1.0"),
                scrape);
        assertTrue(scrape.contains("dshm_region_entries{region=\"r\"} 1.0"), scrape);
    }

    @Test
    void the_page_gets_the_fine_buckets_of_histograms_and_the_values_of_others() {
        MetricsSource source = source();
        Map<String, String> get = Map.of("protocol", "dshm", "verb", "get");
        // 0 s is in the lowest bucket.
        assertEquals(
                List.of(new MetricsSource.Sample("dshm_command_duration_seconds", get, 0, Map.of(-80, 1L))),
                source.samples(Set.of("dshm_command_duration_seconds")));
        assertEquals(
                List.of(new MetricsSource.Sample("dshm_raft_term", Map.of(), 3, Map.of())),
                source.samples(Set.of("dshm_raft_term")));
    }

    @Test
    void histograms_are_classic_in_text_and_native_too_in_protobuf() throws IOException {
        assertTrue(scrape("text/plain").contains("dshm_command_duration_seconds_bucket{"));
        String protobuf =
                scrape("application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited");
        assertTrue(protobuf.contains("dshm_command_duration_seconds"));
        assertFalse(protobuf.contains("# TYPE"));
    }
}
