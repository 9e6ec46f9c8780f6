package io.dshm.server.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.client.DshmConnection;
import io.dshm.proto.Command;
import io.dshm.proto.Condition;
import io.dshm.proto.Key;
import io.dshm.proto.ValueType;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Nodes that were away, that lost their data, that died all at once: they come back, and nothing acknowledged is missing. */
class RecoveryIT {

    /** So little that a test sees many snapshots, and logs that begin after them. */
    static final String SNAPSHOT_LOG_BYTES = "200000";

    private static final Pattern SNAPSHOT_LOADED = Pattern.compile("snapshot loaded: \\d+ entries as of index (\\d+)");
    private static final String SNAPSHOT_WRITTEN = "snapshot written";
    private static final int BATCH = 200;
    private static final int BATCHES_MAX = 200;
    private static final Duration HOURS = Duration.ofHours(3);

    @RegisterExtension
    final Processes processes = Processes.perTest();

    @Test
    void a_change_of_leader_is_no_error_and_is_said_in_plain_words() throws IOException, InterruptedException {
        ClusterProcess cluster = newCluster();
        NodeProcess leader = cluster.awaitLeader();
        NodeProcess follower = cluster.follower();
        leader.kill();
        Await.until(
                "another node leads",
                () -> follower.log().contains("has no leader any more")
                        && follower.log().split("n[123] (follows n[123]|leads) in term", -1).length > 2);
        leader.start();
        for (NodeProcess node : cluster.nodes()) {
            node.awaitHealthy();
            String log = node.log();
            assertTrue(log.lines().findFirst().orElse("").contains("starts: dshm-server "), log);
            for (String word : List.of(" ERROR ", "leader_id", "alipay", "eplicator", "RaftError", "request_vote")) {
                assertFalse(log.contains(word), log);
            }
        }
        assertEquals(List.of(), fieldsWithoutMeaning(follower.http("/status")));
    }

    /** Fields of a status that the operators' page does not explain. */
    private static List<String> fieldsWithoutMeaning(String status) throws IOException {
        String page = Files.readString(Path.of("../deploy/README.md"));
        String table = page.substring(page.indexOf("| Field | Meaning |"), page.indexOf("`/digest` is"));
        return Pattern.compile("\"(\\w+)\":")
                .matcher(status)
                .results()
                .map(field -> "`" + field.group(1) + "`")
                .filter(field -> !table.contains(field))
                .toList();
    }

    @Test
    void a_node_that_was_away_for_long_comes_back_by_a_snapshot() throws IOException, InterruptedException {
        ClusterProcess cluster = newCluster();
        NodeProcess leader = cluster.awaitLeader();
        NodeProcess away = cluster.follower();
        long left;
        try (DshmConnection connection = leader.connect()) {
            writeEverything(connection, "before");
            left = away.statusNumber("appliedIndex");
            away.kill();
            // The log is kept back to the snapshot before the last one.
            writeSnapshots(connection, leader, 3);
            writeEverything(connection, "meanwhile");
            connection.delete("before::plain");
            connection.flushAll("before2");
        }
        away.start();
        away.awaitHealthy();
        cluster.assertEqualDigests();
        assertTrue(
                loadedSnapshots(away).stream().anyMatch(index -> index > left), "it loaded a snapshot of the others'");
        try (DshmConnection connection = away.connect()) {
            assertEquals(Optional.empty(), connection.get("before::plain"));
            assertEquals(Optional.empty(), connection.get("before2::plain"));
            assertEquals("value 7", text(connection.get("recovery::0-7")));
            assertEquals("meanwhile", text(connection.get("meanwhile::plain")));
            assertEquals("7", text(connection.get("meanwhile::limiter")));
        }
        away.kill();
        away.start();
        away.awaitHealthy();
        cluster.assertEqualDigests();
    }

    @Test
    void a_node_that_lost_its_data_gets_it_back_and_votes_again() throws IOException, InterruptedException {
        ClusterProcess cluster = newCluster();
        NodeProcess leader = cluster.awaitLeader();
        NodeProcess empty = cluster.follower();
        try (DshmConnection connection = leader.connect()) {
            writeEverything(connection, "kept");
            empty.kill();
            empty.deleteData();
            connection.incr("kept::n", 1);
        }
        empty.start();
        empty.awaitHealthy();
        Await.until("it votes", () -> "true".equals(empty.status().get("votes")));
        cluster.assertEqualDigests();
        // The two that are left can only elect one of them if both vote.
        leader.kill();
        NodeProcess next = cluster.awaitLeader();
        try (DshmConnection connection = empty.connect()) {
            assertEquals(2, connection.incr("kept::n", 1));
            assertEquals("kept", text(connection.get("kept::plain")));
        }
        leader.start();
        leader.awaitHealthy();
        assertEquals(next, cluster.awaitLeader());
        cluster.assertEqualDigests();
    }

    @Test
    void a_leader_that_had_lost_its_data_once_steps_down_when_it_is_alone() throws IOException, InterruptedException {
        ClusterProcess cluster = newCluster();
        NodeProcess once = cluster.follower();
        try (DshmConnection connection = once.connect()) {
            writeEverything(connection, "kept");
        }
        once.kill();
        once.deleteData();
        once.start();
        once.awaitHealthy();
        Await.until("it votes", () -> "true".equals(once.status().get("votes")));
        for (int i = 0; cluster.awaitLeader() != once; i++) {
            assertTrue(i < 50, "it leads at last");
            NodeProcess leader = cluster.awaitLeader();
            leader.kill();
            cluster.awaitLeader();
            leader.start();
            leader.awaitHealthy();
        }
        for (NodeProcess other : cluster.others(once)) {
            other.kill();
        }
        Await.until("it leads no longer", () -> "false".equals(once.status().get("leads")));
        cluster.start();
        cluster.assertEqualDigests();
    }

    @Test
    void when_all_are_killed_at_once_then_nothing_acknowledged_is_missing() throws IOException, InterruptedException {
        ClusterProcess cluster = newCluster();
        List<Increments> counting = new ArrayList<>();
        List<Increments> storing = new ArrayList<>();
        for (NodeProcess node : cluster.nodes()) {
            counting.add(Increments.start(node, "all::n", 4));
            storing.add(Increments.start(() -> new Storing(node), 2));
        }
        for (int round = 0; round < 3; round++) {
            for (Increments increments : counting) {
                increments.awaitMore(200);
            }
            for (NodeProcess node : cluster.nodes()) {
                node.killSoon();
            }
            for (NodeProcess node : cluster.nodes()) {
                node.awaitEnd();
            }
            cluster.start();
        }
        List<Increments.Books> counted = new ArrayList<>();
        List<Increments.Books> stored = new ArrayList<>();
        for (int i = 0; i < counting.size(); i++) {
            counted.add(counting.get(i).stop());
            stored.add(storing.get(i).stop());
        }
        System.out.println(
                "Kills of all nodes: " + Increments.Books.sum(counted).summary());
        try (DshmConnection connection = cluster.awaitLeader().connect()) {
            Increments.Books.sum(counted).assertExact(connection.incr("all::n", 0));
            for (int i = 0; i < stored.size(); i++) {
                for (long key : stored.get(i).values()) {
                    String name = Storing.key(cluster.nodes().get(i), key);
                    assertEquals(Long.toString(key), text(connection.get(name)), name);
                }
            }
        }
        cluster.assertEqualDigests();
    }

    /** Stores a key of its own each time, and returns its number. */
    private static final class Storing implements Increments.Counter {

        private static long last;

        private final NodeProcess node;
        private final DshmConnection connection;

        Storing(NodeProcess node) throws IOException {
            this.node = node;
            this.connection = node.connect();
        }

        static String key(NodeProcess node, long number) {
            return "all::" + node + "-" + number;
        }

        private static synchronized long next() {
            return ++last;
        }

        @Override
        public long increment() throws IOException {
            long number = next();
            byte[] value = Long.toString(number).getBytes(StandardCharsets.US_ASCII);
            connection.set(key(node, number), value, number % 2 == 0 ? HOURS : Duration.ZERO);
            return number;
        }

        @Override
        public void close() throws IOException {
            connection.close();
        }
    }

    private ClusterProcess newCluster() throws IOException, InterruptedException {
        return processes
                .newCluster()
                .with("--snapshot-log-bytes", SNAPSHOT_LOG_BYTES)
                .start();
    }

    /** One entry of each kind. */
    static void writeEverything(DshmConnection connection, String region) throws IOException {
        byte[] value = region.getBytes(StandardCharsets.UTF_8);
        connection.set(region + "::plain", value, Duration.ZERO);
        connection.set(region + "2::plain", value, Duration.ZERO);
        connection.set(region + "::empty", new byte[0], HOURS);
        connection.set(region + "::large", new byte[700_000], HOURS);
        connection.incr(region + "::n", 0);
        for (int i = 0; i < 3; i++) {
            connection.rateLimiter(region + "::limiter", 10, HOURS);
        }
        writeTyped(connection, region);
    }

    /** One typed entry of each kind, one of them expired and kept for a while. */
    private static void writeTyped(DshmConnection connection, String region) throws IOException {
        byte[] large = new byte[700_000];
        put(connection, region + "::number", 0, ValueType.NUMBER, "0.1".getBytes(StandardCharsets.US_ASCII));
        put(connection, region + "::boolean", 0, ValueType.BOOLEAN, "false".getBytes(StandardCharsets.US_ASCII));
        put(connection, region + "::string", HOURS.toMillis(), ValueType.STRING, large);
        put(connection, region + "::stale", 1, ValueType.STRING, new byte[9]);
        for (int i = 0; i < 3; i++) {
            Key list = Key.of(region + "::list");
            byte[] element = Integer.toString(i).getBytes(StandardCharsets.US_ASCII);
            connection.call(new Command.Push(list, Command.End.LEFT, ValueType.NUMBER, element));
            connection.call(new Command.Push(list, Command.End.RIGHT, ValueType.STRING, element));
        }
    }

    private static void put(DshmConnection connection, String key, long ttlMillis, ValueType type, byte[] value)
            throws IOException {
        connection.call(new Command.Put(Key.of(key), ttlMillis, type, 0xCAFE_BABE, Condition.ANY, value));
    }

    /** Writes until that node has written so many snapshots more. */
    static void writeSnapshots(DshmConnection connection, NodeProcess node, int more) throws IOException {
        int written = count(node.log(), SNAPSHOT_WRITTEN);
        for (int batch = 0; count(node.log(), SNAPSHOT_WRITTEN) < written + more; batch++) {
            assertTrue(batch < BATCHES_MAX, "no " + more + " snapshots in so many batches");
            for (int i = 0; i < BATCH; i++) {
                connection.set("recovery::" + batch + "-" + i, ("value " + i).getBytes(StandardCharsets.UTF_8), HOURS);
            }
        }
    }

    static List<Long> loadedSnapshots(NodeProcess node) throws IOException {
        List<Long> indexes = new ArrayList<>();
        Matcher loaded = SNAPSHOT_LOADED.matcher(node.log());
        while (loaded.find()) {
            indexes.add(Long.parseLong(loaded.group(1)));
        }
        return indexes;
    }

    static int count(String log, String line) {
        return log.split(Pattern.quote(line), -1).length - 1;
    }

    private static String text(Optional<byte[]> value) {
        return value.map(bytes -> new String(bytes, StandardCharsets.UTF_8)).orElse("(absent)");
    }
}
