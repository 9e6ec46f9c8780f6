package io.dshm.server.system;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.client.DshmConnection;
import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A TTL is what it was said to be, whoever leads and however often. */
class TimeIT {

    private static final Duration TTL = Duration.ofSeconds(20);

    @RegisterExtension
    final Processes processes = Processes.perTest();

    @Test
    void a_ttl_neither_grows_nor_shrinks_by_changes_of_leader_and_restarts() throws IOException, InterruptedException {
        ClusterProcess cluster = processes.newCluster().start();
        NodeProcess leader = cluster.awaitLeader();
        Expiry expiry;
        try (DshmConnection connection = cluster.follower().connect()) {
            expiry = Expiry.write(connection, "ttl::leaders", TTL);
        }
        leader.kill();
        NodeProcess next = cluster.awaitLeader();
        leader.start();
        leader.awaitHealthy();
        next.kill();
        NodeProcess third = cluster.awaitLeader();
        next.start();
        next.awaitHealthy();
        third.terminate();
        third.awaitEnd();
        third.start();
        third.awaitHealthy();
        assertTrue(expiry.age().compareTo(TTL) < 0, "this machine is too slow for this test: " + expiry.age());
        expiry.assertOnEveryNode(cluster.nodes());
    }

    @Test
    void a_ttl_goes_on_while_all_nodes_are_down() throws IOException, InterruptedException {
        ClusterProcess cluster = processes.newCluster().start();
        Expiry expiry;
        try (DshmConnection connection = cluster.awaitLeader().connect()) {
            expiry = Expiry.write(connection, "ttl::down", TTL);
        }
        for (NodeProcess node : cluster.nodes()) {
            node.kill();
        }
        Await.pause(Duration.ofSeconds(3));
        cluster.start();
        assertTrue(expiry.age().compareTo(TTL) < 0, "this machine is too slow for this test: " + expiry.age());
        expiry.assertOnEveryNode(cluster.nodes());
    }
}
