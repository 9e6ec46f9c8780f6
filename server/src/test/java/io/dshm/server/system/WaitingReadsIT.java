package io.dshm.server.system;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.client.DshmConnection;
import io.dshm.proto.Limits;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Clients whose requests wait while nobody leads, at a node with little memory. Without a bound on what waits, the
 * node needs several times the heap that it has.
 */
class WaitingReadsIT {

    private static final int CLIENTS = 400;

    /** The node's default: an eighth of its heap. */
    private static final int REQUESTS_MAX = 128 * 1024 * 1024 / 8;

    /** As many bytes as the sockets take, whether the node reads them or not. */
    private static final int REQUESTS_EACH = 12;

    @RegisterExtension
    final Processes processes = Processes.perTest();

    @Test
    void reads_that_wait_for_a_leader_do_not_fill_the_heap() throws IOException, InterruptedException {
        ClusterProcess cluster =
                processes.newCluster().withJvm("-Xms128m", "-Xmx128m").start();
        NodeProcess node = cluster.follower();
        for (NodeProcess other : cluster.others(node)) {
            other.kill();
        }
        String gets = "GET k\r\n".repeat(Limits.MULTI_REQUESTS_MAX);
        String multi = "MULTI " + gets.length() + " read=linearizable\r\n" + gets;
        byte[] requests = multi.repeat(REQUESTS_EACH).getBytes(US_ASCII);
        List<BareConnection> clients = new ArrayList<>();
        for (int i = 0; i < CLIENTS; i++) {
            BareConnection client = node.connectBare();
            clients.add(client);
            client.socket().getOutputStream().write(requests);
        }
        long held = node.statusNumber("valueMemoryBytes");
        assertTrue(held <= REQUESTS_MAX, () -> "held: " + held);
        for (NodeProcess other : cluster.others(node)) {
            other.start();
        }
        node.awaitHealthy();
        try (DshmConnection writer = node.connect()) {
            writer.set("waiting::k", new byte[10], Duration.ZERO);
        }
        for (BareConnection client : clients) {
            client.close();
        }
        Await.until("nothing waits any more", () -> node.statusNumber("valueMemoryBytes") == 0);
        assertEquals(
                List.of(),
                cluster.nodes().stream().filter(one -> !one.isAlive()).toList());
    }
}
