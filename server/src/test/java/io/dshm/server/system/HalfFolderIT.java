package io.dshm.server.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.client.DshmConnection;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** An operator frees disk space in the wrong place. */
class HalfFolderIT {

    private static final String KEY = "half::n";
    private static final int FATAL = 70;

    @RegisterExtension
    final Processes processes = Processes.perTest();

    /** Two nodes have acknowledged what the third one does not know. One of the two must not forget it beside the third. */
    @Test
    void a_node_without_its_log_does_not_start_beside_a_lagging_one_and_no_count_is_lost()
            throws IOException, InterruptedException {
        ClusterProcess cluster = processes.newCluster().start();
        NodeProcess first = cluster.nodes().get(0);
        NodeProcess second = cluster.nodes().get(1);
        NodeProcess lagging = cluster.nodes().get(2);
        count(first, 1, 100);
        cluster.assertEqualDigests();
        lagging.kill();
        cluster.awaitLeader();
        count(first, 101, 200);
        first.terminate();
        first.awaitEnd();
        second.terminate();
        second.awaitEnd();

        Path log = first.data().resolve("raft-segments");
        NodeProcess.deleteTree(log);
        lagging.start();
        first.start();
        assertEquals(FATAL, first.awaitEnd());
        assertTrue(first.log().contains(log + " is missing"), "the log names the folder");

        // As it says: the whole folder, while the others are well.
        first.deleteData();
        second.start();
        second.awaitHealthy();
        first.start();
        first.awaitHealthy();
        count(first, 201, 201);
        cluster.assertEqualDigests();
    }

    private static void count(NodeProcess node, int from, int to) throws IOException, InterruptedException {
        try (DshmConnection connection = node.connect()) {
            for (int i = from; i <= to; i++) {
                assertEquals(i, connection.incr(KEY, 1));
            }
        }
    }
}
