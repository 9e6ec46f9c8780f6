package io.dshm.server.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.client.DshmConnection;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.LongStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A limit of 100 admits 100, whichever nodes the requests come through, and whichever node dies meanwhile. */
class RateLimiterIT {

    private static final int CLIENTS_A_NODE = 6;

    @RegisterExtension
    static final Processes PROCESSES = Processes.perClass();

    private static ClusterProcess cluster;

    /** A call that was admitted: between when and when that happened, and how many tokens were left. */
    private record Grant(long fromNanos, long toNanos, long left) {}

    private final List<Grant> grants = Collections.synchronizedList(new ArrayList<>());
    private final List<Thread> clients = new ArrayList<>();
    private final AtomicInteger unknown = new AtomicInteger();
    private final AtomicInteger refused = new AtomicInteger();
    private volatile boolean stopped;

    @BeforeAll
    static void start() throws IOException, InterruptedException {
        cluster = PROCESSES.newCluster().start();
    }

    @Test
    void three_nodes_at_once_admit_as_many_as_the_limit_says() throws InterruptedException {
        int capacity = 1_000;
        startClients("limit::plain", capacity, Duration.ofMinutes(10));
        Await.until(
                "the limit is reached",
                () -> refused.get() > 20 * cluster.nodes().size() * CLIENTS_A_NODE);
        stopClients();
        assertEquals(0, unknown.get());
        assertEquals(
                LongStream.range(0, capacity).boxed().toList(),
                grants.stream().map(Grant::left).sorted().toList(),
                "each token is given once");
    }

    @Test
    void when_the_leader_is_killed_then_no_token_is_given_twice_or_lost() throws IOException, InterruptedException {
        int capacity = 20_000;
        startClients("limit::killed", capacity, Duration.ofMinutes(10));
        Await.until("some are admitted", () -> grants.size() > 500);
        NodeProcess leader = cluster.awaitLeader();
        leader.kill();
        Await.until("the limit is reached", () -> refused.get() > 100);
        stopClients();
        int given = grants.size();
        assertEquals(given, new HashSet<>(grants.stream().map(Grant::left).toList()).size(), "no token is given twice");
        assertTrue(
                given <= capacity && given + unknown.get() >= capacity, () -> given + " given, " + unknown + " open");
        leader.start();
        leader.awaitHealthy();
    }

    @Test
    void no_window_ever_has_more_than_the_limit_also_when_the_leader_is_killed()
            throws IOException, InterruptedException {
        int capacity = 100;
        Duration window = Duration.ofSeconds(2);
        startClients("limit::window", capacity, window);
        Await.until("the first window is full", () -> grants.size() >= capacity);
        NodeProcess leader = cluster.awaitLeader();
        leader.kill();
        Await.until("windows go by", () -> grants.size() >= 4 * capacity);
        stopClients();
        leader.start();
        leader.awaitHealthy();
        // What was asked and answered within less than a window was admitted within one window.
        long within = window.minusMillis(200).toNanos();
        for (Grant first : grants) {
            long inWindow = grants.stream()
                    .filter(grant -> grant.fromNanos >= first.fromNanos && grant.toNanos - first.fromNanos <= within)
                    .count();
            assertTrue(inWindow <= capacity, () -> inWindow + " of " + capacity + " in one window");
        }
    }

    private void startClients(String key, int capacity, Duration window) {
        for (NodeProcess node : cluster.nodes()) {
            for (int i = 0; i < CLIENTS_A_NODE; i++) {
                Thread client = new Thread(() -> runClient(node, key, capacity, window), "limited-" + node + "-" + i);
                client.setDaemon(true);
                clients.add(client);
            }
        }
        clients.forEach(Thread::start);
    }

    private void runClient(NodeProcess node, String key, int capacity, Duration window) {
        try (DshmConnection connection = node.connect()) {
            while (!stopped) {
                long from = System.nanoTime();
                long left = connection.rateLimiter(key, capacity, window);
                if (left < 0) {
                    refused.incrementAndGet();
                } else {
                    grants.add(new Grant(from, System.nanoTime(), left));
                }
            }
        } catch (IOException e) {
            unknown.incrementAndGet();
        }
    }

    private void stopClients() throws InterruptedException {
        stopped = true;
        for (Thread client : clients) {
            client.join(Await.LONG.toMillis());
            assertTrue(!client.isAlive(), "a client still waits for a reply");
        }
    }
}
