package io.dshm.server.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.client.DshmConnection;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A node that is asked to stop: nobody loses anything, and nobody waits for an election timeout. */
class ShutdownIT {

    /** Longer than a command may wait, 5 s: had the next leader to wait for this to pass, commands would fail. */
    private static final String ELECTION_TIMEOUT_MILLIS = "9000";

    private static final int CLIENTS = 3;
    private static final int SOME = 300;

    @RegisterExtension
    final Processes processes = Processes.perTest();

    @Test
    void when_leaders_stop_under_load_then_others_lead_at_once_and_nothing_is_lost()
            throws IOException, InterruptedException {
        ClusterProcess cluster = processes
                .newCluster()
                .with("--election-timeout-millis", ELECTION_TIMEOUT_MILLIS)
                .start();
        List<Increments> all = new ArrayList<>();
        for (NodeProcess node : cluster.nodes()) {
            all.add(Increments.start(node, "stop::n", CLIENTS));
        }
        List<NodeProcess> stopped = new ArrayList<>();
        for (int round = 0; round < 2; round++) {
            awaitSome(all);
            NodeProcess leader = cluster.awaitLeader();
            stopped.add(leader);
            leader.terminate();
            assertEquals(0, leader.awaitEnd(), "exit status");
            assertTrue(leader.log().contains(leader + " has stopped"), "it has stopped in good order");
            NodeProcess next = cluster.awaitLeader();
            for (NodeProcess survivor : cluster.others(leader)) {
                all.get(cluster.nodes().indexOf(survivor)).awaitMore(SOME);
            }
            leader.start();
            leader.awaitHealthy();
            assertEquals(next, cluster.awaitLeader(), "a node that comes back leaves the leader alone");
        }
        awaitSome(all);
        List<Increments.Books> books = new ArrayList<>();
        for (NodeProcess node : cluster.nodes()) {
            Increments.Books one = all.get(cluster.nodes().indexOf(node)).stop();
            books.add(one);
            if (!stopped.contains(node)) {
                assertEquals(List.of(), one.failures(), "through " + node);
            }
        }
        try (DshmConnection connection = cluster.awaitLeader().connect()) {
            Increments.Books.sum(books).assertExact(connection.incr("stop::n", 0));
        }
        System.out.println("Stops of the leader: " + Increments.Books.sum(books).summary());
        cluster.assertEqualDigests();
    }

    private static void awaitSome(List<Increments> all) throws InterruptedException {
        for (Increments increments : all) {
            increments.awaitMore(SOME);
        }
    }
}
