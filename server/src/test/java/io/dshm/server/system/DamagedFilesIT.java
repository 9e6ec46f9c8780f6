package io.dshm.server.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.client.DshmConnection;
import io.dshm.server.replication.log.LogDamage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** A node whose files are not what it wrote does not start: it could only serve wrongly. */
class DamagedFilesIT {

    private static final int WRITES = 200;

    @RegisterExtension
    final Processes processes = Processes.perTest();

    @TempDir
    Path backups;

    @Test
    void when_a_byte_of_a_snapshot_is_flipped_then_the_node_stops_and_names_the_file()
            throws IOException, InterruptedException {
        NodeProcess node = processes.newNode().with("--snapshot-log-bytes", "4096");
        write(node);
        Await.until("a snapshot is written", () -> node.log().contains("snapshot written"));
        node.terminate();
        assertEquals(0, node.awaitEnd());
        Path file = Damage.largest(node.data().resolve("snapshot"), ".dshm").orElseThrow();
        Damage.flipByte(file);
        node.start();
        assertEquals(70, node.awaitEnd());
        assertTrue(node.log().contains("snapshot file " + file + " "), "the log names the file");
    }

    @Test
    void when_a_byte_of_the_log_is_flipped_then_the_node_does_not_forget_what_follows_but_refuses_to_start()
            throws IOException, InterruptedException {
        NodeProcess node = processes.newNode();
        write(node);
        node.kill();
        Path file = LogDamage.flipByte(node.data().resolve("raft-segments")).orElseThrow();
        node.start();
        assertEquals(70, node.awaitEnd());
        assertTrue(node.log().contains(file + " is damaged at offset "), "the log names the file, and the place");
    }

    @Test
    void when_a_leaders_snapshot_is_damaged_then_a_follower_keeps_what_it_has_until_the_next_one()
            throws IOException, InterruptedException {
        ClusterProcess cluster = processes
                .newCluster()
                .with("--snapshot-log-bytes", RecoveryIT.SNAPSHOT_LOG_BYTES)
                .start();
        NodeProcess leader = cluster.awaitLeader();
        NodeProcess away = cluster.follower();
        List<NodeProcess> others =
                cluster.nodes().stream().filter(node -> node != away).toList();
        try (DshmConnection connection = leader.connect()) {
            RecoveryIT.writeSnapshots(connection, away, 1);
            away.kill();
            // The log is kept back to the snapshot before the last one.
            writeSnapshots(connection, others, 3);
            for (NodeProcess node : others) {
                Path snapshots = node.data().resolve("snapshot");
                Await.until("the last snapshot has replaced the one before", () -> countFolders(snapshots) == 1);
                Damage.flipByte(Damage.largest(snapshots, ".dshm").orElseThrow());
            }
            int loaded = RecoveryIT.loadedSnapshots(away).size();
            away.start();
            Await.until("a copy is thrown away", () -> away.log().contains("is thrown away"));
            assertEquals(
                    loaded + 1, RecoveryIT.loadedSnapshots(away).size(), "its own, which it had when it was killed");
            connection.incr("damage::n", 1);
            leader.download("/snapshot", backups.resolve("written-anew"));
            away.awaitHealthy();
            cluster.assertEqualDigests();
        }
        away.kill();
        away.start();
        away.awaitHealthy();
        cluster.assertEqualDigests();
    }

    private static long countFolders(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(Files::isDirectory).count();
        }
    }

    private static void writeSnapshots(DshmConnection connection, List<NodeProcess> nodes, int more)
            throws IOException {
        for (NodeProcess node : nodes) {
            RecoveryIT.writeSnapshots(connection, node, more);
        }
    }

    private static void write(NodeProcess node) throws IOException, InterruptedException {
        node.start();
        node.awaitHealthy();
        try (DshmConnection connection = node.connect()) {
            for (int i = 0; i < WRITES; i++) {
                connection.incr("damage::n", 1);
            }
        }
    }
}
