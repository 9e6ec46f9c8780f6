package io.dshm.server.system;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.client.DshmConnection;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The wall clock of a node steps, by libfaketime, while it runs. No expiry moves. */
class ClockStepIT {

    private static final Duration TTL = Duration.ofSeconds(6);
    private static final long HOUR_SECONDS = 3_600;
    private static final Path FOLDER = Path.of("target/system/ClockStepIT").toAbsolutePath();
    private static final long STEPPED_MILLIS = 1_800_000;

    @RegisterExtension
    static final Processes PROCESSES = Processes.perClass();

    private static final Map<NodeProcess, WallClock> CLOCKS = new HashMap<>();

    private static ClusterProcess cluster;

    @BeforeAll
    static void start() throws IOException, InterruptedException {
        cluster = PROCESSES.newCluster();
        Files.createDirectories(FOLDER);
        for (NodeProcess node : cluster.nodes()) {
            CLOCKS.put(node, WallClock.of(node, FOLDER.resolve(node + ".clock")));
        }
        cluster.start();
    }

    @Test
    void when_the_clock_of_the_leader_steps_forward_then_nothing_expires_early()
            throws IOException, InterruptedException {
        step(cluster.awaitLeader(), HOUR_SECONDS);
    }

    @Test
    void when_the_clock_of_the_leader_steps_back_then_nothing_expires_late() throws IOException, InterruptedException {
        step(cluster.awaitLeader(), -HOUR_SECONDS);
    }

    @Test
    void when_the_clock_of_a_follower_steps_forward_then_nothing_expires_early()
            throws IOException, InterruptedException {
        step(cluster.follower(), HOUR_SECONDS);
    }

    @Test
    void when_the_clock_of_a_follower_steps_back_then_nothing_expires_late() throws IOException, InterruptedException {
        step(cluster.follower(), -HOUR_SECONDS);
    }

    @Test
    void when_a_node_with_a_wrong_clock_restarts_and_the_leader_dies_then_no_expiry_moves()
            throws IOException, InterruptedException {
        NodeProcess leader = cluster.awaitLeader();
        NodeProcess wrong = cluster.follower();
        Expiry expiry;
        Duration ttl = TTL.multipliedBy(2);
        try (DshmConnection connection = leader.connect()) {
            expiry = Expiry.write(connection, "clock::restart", ttl);
        }
        wrong.kill();
        set(wrong, 5 * HOUR_SECONDS);
        wrong.start();
        wrong.awaitHealthy();
        assertStepped(wrong, 5 * HOUR_SECONDS);
        leader.kill();
        cluster.awaitLeader();
        leader.start();
        leader.awaitHealthy();
        expiry.assertOnEveryNode(cluster.nodes());
        set(wrong, 0);
    }

    /** Writes before and after the step, through the node that steps and through another. */
    private static void step(NodeProcess node, long seconds) throws IOException, InterruptedException {
        NodeProcess other = cluster.others(node).get(0);
        try (DshmConnection here = node.connect();
                DshmConnection there = other.connect()) {
            Expiry before = Expiry.write(here, "clock::before" + node + seconds, TTL);
            set(node, seconds);
            Await.until("the clock has stepped", () -> isStepped(node, seconds));
            Expiry afterHere = Expiry.write(here, "clock::here" + node + seconds, TTL);
            Expiry afterThere = Expiry.write(there, "clock::there" + node + seconds, TTL);
            before.assertOnEveryNode(cluster.nodes());
            afterHere.assertOnEveryNode(cluster.nodes());
            afterThere.assertOnEveryNode(cluster.nodes());
            assertStepped(node, seconds);
            set(node, 0);
        }
    }

    private static void assertStepped(NodeProcess node, long seconds) throws IOException {
        assertTrue(isStepped(node, seconds), "the wall clock of " + node + " has really stepped");
    }

    private static void set(NodeProcess node, long seconds) throws IOException {
        Objects.requireNonNull(CLOCKS.get(node)).set(seconds);
    }

    private static boolean isStepped(NodeProcess node, long seconds) throws IOException {
        long off = node.wallClockMillis() - System.currentTimeMillis() - 1_000 * seconds;
        return Math.abs(off) < STEPPED_MILLIS;
    }
}
