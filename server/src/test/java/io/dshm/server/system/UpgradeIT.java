package io.dshm.server.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.client.DshmConnection;
import io.dshm.proto.Formats;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;
import org.junit.jupiter.api.extension.RegisterExtension;

/** From the release before to this one, one node at a time, under load, and back as long as that is possible. */
@Tag("long")
@DisabledIfSystemProperty(named = "dshm.system.secure", matches = "true", disabledReason = "old nodes know no TLS")
class UpgradeIT {

    private static final String SNAPSHOT_WRITTEN = "snapshot written";
    private static final int FATAL = 70;
    private static final String KEY = "upgrade::n";

    @RegisterExtension
    final Processes processes = Processes.perTest();

    private final List<Increments.Books> books = new ArrayList<>();
    private ClusterProcess cluster = new ClusterProcess(List.of());

    @Test
    void nodes_of_two_releases_are_one_cluster_until_all_are_new() throws IOException, InterruptedException {
        String old = OldRelease.classPath();
        cluster = processes.newCluster();
        long seed = Long.getLong("dshm.test.seed", System.nanoTime());
        System.out.println("Upgrade: seed " + seed);
        List<NodeProcess> order = new ArrayList<>(cluster.nodes());
        Collections.shuffle(order, new Random(seed));
        NodeProcess first = order.get(0);
        NodeProcess last = order.get(2);
        cluster.with("--snapshot-log-bytes", "200000");
        cluster.nodes().forEach(node -> node.withClassPath(old));
        cluster.start();
        try (DshmConnection connection = last.connect()) {
            RecoveryIT.writeEverything(connection, "old");
        }

        replace(first, null);
        assertEquals(Formats.NEWEST, first.statusNumber("formatReads"));
        installSnapshotAt(first);
        replace(first, old);
        replace(first, null);
        replace(order.get(1), null);
        assertEquals(Formats.FIRST, first.statusNumber("format"), "one of the members is still old");
        installSnapshotAt(last);

        replace(last, null);
        for (NodeProcess node : cluster.nodes()) {
            Await.until(node + " has switched", () -> node.statusNumber("format") == Formats.NEWEST);
        }
        assertTrue(Files.isDirectory(first.data().resolve("raft-log")), "it could have gone back until now");
        installSnapshotAt(first);
        assertFalse(Files.exists(first.data().resolve("raft-log")), "its log was taken over");

        // There is no way back now: the node stops before it applies what it does not know, and loses nothing.
        last.terminate();
        last.awaitEnd();
        last.withClassPath(old).start();
        assertEquals(FATAL, last.awaitEnd());
        last.withClassPath(null).start();
        last.awaitHealthy();
        cluster.assertEqualDigests();
        try (DshmConnection connection = last.connect()) {
            Increments.Books sum = Increments.Books.sum(books);
            System.out.println("Upgrade: " + sum.summary());
            sum.assertExact(connection.incr(KEY, 0));
        }
    }

    /** Stops a node and starts it with this class path (null: of this release) while clients write through all three. */
    private void replace(NodeProcess node, @Nullable String classPath) throws IOException, InterruptedException {
        List<Increments> counting = new ArrayList<>();
        for (NodeProcess each : cluster.nodes()) {
            counting.add(Increments.start(each, KEY, 3));
        }
        for (Increments increments : counting) {
            increments.awaitMore(50);
        }
        node.terminate();
        node.awaitEnd();
        node.withClassPath(classPath).start();
        node.awaitHealthy();
        for (Increments increments : counting) {
            increments.awaitMore(50);
        }
        for (Increments increments : counting) {
            books.add(increments.stop());
        }
        cluster.assertEqualDigests();
    }

    /** The node is away for so long that it comes back by a snapshot of another one's. */
    private void installSnapshotAt(NodeProcess away) throws IOException, InterruptedException {
        long left = away.statusNumber("appliedIndex");
        away.kill();
        NodeProcess leader = cluster.awaitLeader();
        try (DshmConnection connection = leader.connect()) {
            // The log is kept back to the snapshot before the last one.
            int written = RecoveryIT.count(leader.log(), SNAPSHOT_WRITTEN);
            for (int batch = 0; RecoveryIT.count(leader.log(), SNAPSHOT_WRITTEN) < written + 3; batch++) {
                assertTrue(batch < 200, "no three snapshots in so many batches");
                for (int i = 0; i < 200; i++) {
                    connection.set("upgrade::" + batch + "-" + i, new byte[10], Duration.ofHours(1));
                }
            }
            RecoveryIT.writeEverything(connection, "meanwhile");
        }
        away.start();
        away.awaitHealthy();
        cluster.assertEqualDigests();
        // Its own at the start, if it had one, and then the leader's, which is newer than all that it had.
        assertTrue(loadedIndex(away) > left, away + " has loaded the leader's snapshot");
    }

    private static long loadedIndex(NodeProcess node) throws IOException {
        List<Long> indexes = RecoveryIT.loadedSnapshots(node);
        return indexes.isEmpty() ? 0 : indexes.get(indexes.size() - 1);
    }
}
