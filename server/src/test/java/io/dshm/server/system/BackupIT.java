package io.dshm.server.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.client.DshmConnection;
import io.dshm.server.statemachine.BackupFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A cluster is saved while clients write, is lost, and comes back as another one. */
class BackupIT {

    /** So little that snapshots are taken all the time. */
    private static final String SNAPSHOT_LOG_BYTES = "50000";

    @RegisterExtension
    final Processes processes = Processes.perTest();

    private Path folder = Path.of("");

    @BeforeEach
    void makeFolder(TestInfo test) throws IOException {
        folder = Path.of(
                        "target/system/BackupIT",
                        test.getTestMethod().orElseThrow().getName() + "-files")
                .toAbsolutePath();
        NodeProcess.deleteTree(folder);
        Files.createDirectories(folder);
    }

    /**
     * Adds to one key and then to the other, one at a time: in whatever the log says at any index, the second one is as high as
     * the first one or one lower.
     */
    private static final class PairOfKeys implements Increments.Counter {

        private final DshmConnection connection;
        private final String key;
        private boolean second;

        PairOfKeys(NodeProcess node, String key) throws IOException {
            this.connection = node.connect();
            this.key = key;
        }

        @Override
        public long increment() throws IOException {
            long value = connection.incr(key + (second ? ":2" : ":1"), 1);
            second = !second;
            return value;
        }

        @Override
        public void close() throws IOException {
            connection.close();
        }
    }

    /** Runs the command as an operator of these nodes types it, and it ends well; what it says. */
    private String dshm(List<NodeProcess> nodes, String... words) throws IOException, InterruptedException {
        DshmCommand.Ended ended = new DshmCommand(folder).run(nodes, words).requireStatus(0);
        return ended.out() + ended.err();
    }

    /** Restores it for this node; the new cluster's id. */
    private String restore(Path backup, String members, NodeProcess node) throws IOException, InterruptedException {
        String said = dshm(
                List.of(),
                "restore",
                backup.toString(),
                "--members",
                members,
                "--node",
                node.name(),
                "--data-dir",
                node.data().toString());
        return said.lines()
                .map(String::strip)
                .filter(line -> line.startsWith("cluster="))
                .findFirst()
                .orElseThrow()
                .substring("cluster=".length());
    }

    private ClusterProcess restoredCluster(Path backup, String... names) throws IOException, InterruptedException {
        List<NodeProcess> nodes = Stream.of(names)
                .map(name -> processes.add(new NodeProcess(name, folder.resolve(name))))
                .toList();
        String members = nodes.stream().map(NodeProcess::member).collect(Collectors.joining(","));
        TreeSet<String> ids = new TreeSet<>();
        for (NodeProcess node : nodes) {
            ids.add(restore(backup, members, node));
        }
        assertEquals(1, ids.size(), "all nodes belong to the same cluster");
        return new ClusterProcess(nodes).with("--cluster", ids.first()).start();
    }

    private static long value(DshmConnection connection, String key) throws IOException {
        return connection
                .get(key)
                .map(bytes -> Long.parseLong(new String(bytes, StandardCharsets.US_ASCII)))
                .orElse(0L);
    }

    @Test
    void a_backup_under_load_is_a_prefix_of_the_log_and_starts_clusters_of_other_sizes()
            throws IOException, InterruptedException {
        ClusterProcess cluster = processes
                .newCluster()
                .with("--snapshot-log-bytes", SNAPSHOT_LOG_BYTES)
                .start();
        try (DshmConnection connection = cluster.awaitLeader().connect()) {
            RecoveryIT.writeEverything(connection, "kept");
        }
        List<Increments> writers = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            NodeProcess node = cluster.nodes().get(i % 3);
            String key = "pairs:" + i;
            writers.add(Increments.start(() -> new PairOfKeys(node, key), 1));
        }
        for (Increments writer : writers) {
            writer.awaitMore(100);
        }
        Path backup = folder.resolve("backup.dshm");
        List<Long> before = new ArrayList<>();
        try (DshmConnection connection = cluster.awaitLeader().connect()) {
            for (int i = 0; i < writers.size(); i++) {
                before.add(connection.incr("pairs:" + i + ":1", 0));
            }
        }
        String saved = dshm(cluster.nodes(), "snapshot", "save", backup.toString());
        NodeProcess leader = cluster.awaitLeader();
        List<Long> after = new ArrayList<>();
        for (Increments writer : writers) {
            writer.awaitMore(10);
            after.add(writer.stop().values().stream()
                    .mapToLong(Long::longValue)
                    .max()
                    .orElse(0));
        }
        for (NodeProcess node : cluster.nodes()) {
            node.kill();
            node.deleteData();
        }
        assertTrue(!saved.contains("from " + leader + ";"), () -> "from a follower: " + saved);
        assertTrue(dshm(List.of(), "snapshot", "verify", backup.toString()).contains("is whole"));
        assertTrue(dshm(List.of(), "snapshot", "inspect", backup.toString()).contains("kept"));
        assertEquals("kept\n", dshm(List.of(), "snapshot", "inspect", backup.toString(), "--get", "kept::plain"));

        ClusterProcess three = restoredCluster(backup, "m1", "m2", "m3");
        three.assertEqualDigests();
        assertPrefix(three, before, after);
        for (NodeProcess node : three.nodes()) {
            node.kill();
        }
        three.start().assertEqualDigests();
        assertPrefix(three, before, after);

        for (NodeProcess node : three.nodes()) {
            node.kill();
        }

        ClusterProcess one = restoredCluster(backup, "solo");
        assertPrefix(one, before, after);

        ClusterProcess five = restoredCluster(backup, "f1", "f2", "f3", "f4", "f5");
        five.assertEqualDigests();
        assertPrefix(five, before, after);
    }

    private static void assertPrefix(ClusterProcess restored, List<Long> before, List<Long> after)
            throws IOException, InterruptedException {
        for (NodeProcess node : restored.nodes()) {
            try (DshmConnection connection = node.connect()) {
                for (int i = 0; i < before.size(); i++) {
                    long first = value(connection, "pairs:" + i + ":1");
                    long second = value(connection, "pairs:" + i + ":2");
                    String story = "writer " + i + " on " + node + ": " + first + " and " + second;
                    assertTrue(first - second == 0 || first - second == 1, story);
                    assertTrue(first >= before.get(i), () -> story + ", but it was " + before + " before");
                    assertTrue(first <= after.get(i), () -> story + ", but it was " + after + " after");
                }
                assertEquals(
                        "kept",
                        connection
                                .get("kept::plain")
                                .map(bytes -> new String(bytes, StandardCharsets.UTF_8))
                                .orElse(""));
            }
        }
        try (DshmConnection connection = restored.awaitLeader().connect()) {
            long tokens = connection.incr("written-since", 1);
            assertTrue(tokens >= 1);
        }
    }

    @Test
    void a_client_that_reads_nothing_of_a_backup_holds_up_nobody() throws IOException, InterruptedException {
        NodeProcess node = processes.newNode().with("--snapshot-log-bytes", SNAPSHOT_LOG_BYTES);
        node.start();
        node.awaitHealthy();
        byte[] value = new byte[1_000_000];
        Random random = new Random(1);
        try (DshmConnection connection = node.connect();
                BareConnection stalled = node.connectBareToAdmin()) {
            for (int i = 0; i < 20; i++) {
                random.nextBytes(value);
                connection.set("large:" + i, value, Duration.ZERO);
            }
            stalled.socket()
                    .getOutputStream()
                    .write(("GET /snapshot HTTP/1.1\r\nHost: 127.0.0.1\r\n" + node.adminHeader() + "\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
            assertEquals('H', stalled.socket().getInputStream().read(), "the backup has begun");
            assertTrue(node.http("/snapshot").contains("another backup is being sent"));
            int taken = RecoveryIT.count(node.log(), "snapshot written");
            Await.until("Raft takes its own snapshots", () -> {
                connection.set("large:0", value, Duration.ZERO);
                return RecoveryIT.count(node.log(), "snapshot written") > taken + 2;
            });
        }
        Path backup = folder.resolve("backup.dshm");
        Await.until(
                "the next one can be made",
                () -> !node.http("/digest").isEmpty()
                        && !node.http("/snapshot").contains("another backup is being sent"));
        node.download("/snapshot", backup);
        try (var reader = BackupFiles.open(backup)) {
            reader.read(entry -> {});
        }
    }

    @Test
    void backups_are_made_by_themselves_and_old_ones_go() throws IOException, InterruptedException {
        Path backups = folder.resolve("backups");
        NodeProcess node = processes
                .newNode()
                .with("--backup-dir", backups.toString(), "--backup-interval-seconds", "1", "--backup-keep", "2");
        node.start();
        node.awaitHealthy();
        try (DshmConnection connection = node.connect()) {
            connection.incr("n", 1);
            Await.until("old ones are deleted", () -> RecoveryIT.count(node.log(), "old backup deleted") >= 2);
            assertTrue(node.statusNumber("backupAgeSeconds") >= 0);
            assertTrue(node.statusNumber("backupBytes") > 0);
            node.terminate();
            assertEquals(0, node.awaitEnd());
            List<Path> left;
            try (Stream<Path> all = Files.list(backups)) {
                left = all.filter(path -> path.toString().endsWith(".dshm")).toList();
            }
            assertTrue(left.size() <= 3 && !left.isEmpty(), left::toString);
            for (Path backup : left) {
                try (var reader = BackupFiles.open(backup)) {
                    reader.read(entry -> {});
                }
            }
        }
    }
}
