package io.dshm.server.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.client.ClientTls;
import io.dshm.client.DshmClient;
import io.dshm.client.DshmClientBuilder;
import io.dshm.client.InvalidCallException;
import io.dshm.client.RateLimiter;
import io.dshm.proto.Algorithm;
import io.dshm.proto.Policy;
import io.dshm.server.security.Certificates;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** The Java client against three real nodes that die and stand still. */
@Tag("long")
class ClientIT {

    private static final int MILLION = 1_000_000;

    @TempDir
    Path folder;

    @RegisterExtension
    final Processes processes = Processes.perTest();

    private static DshmClientBuilder clientOf(List<NodeProcess> nearestFirst) throws IOException {
        return Secured.login(anonymous(nearestFirst));
    }

    /** One that is no user. */
    private static DshmClientBuilder anonymous(List<NodeProcess> nearestFirst) {
        return DshmClient.builder()
                .endpoints(nearestFirst.stream()
                        .map(node -> "127.0.0.1:" + node.port())
                        .toArray(String[]::new))
                .deadline(Duration.ofSeconds(60))
                .waitForRoom(true);
    }

    /** The leader is the nearest, so that everything hangs on it. */
    private static List<NodeProcess> leaderFirst(ClusterProcess cluster, NodeProcess leader) {
        List<NodeProcess> nodes = new ArrayList<>(List.of(leader));
        nodes.addAll(cluster.others(leader));
        return nodes;
    }

    @Test
    void a_million_pipelined_increments_are_exact_though_the_leader_dies() throws Exception {
        ClusterProcess cluster = newCluster();
        NodeProcess leader = cluster.awaitLeader();
        AtomicLong done = new AtomicLong();
        AtomicInteger failed = new AtomicInteger();
        try (DshmClient client = clientOf(leaderFirst(cluster, leader)).build()) {
            for (int i = 0; i < MILLION; i++) {
                client.incr("client::million", 1).whenComplete((sum, failure) -> {
                    done.incrementAndGet();
                    if (failure != null) {
                        failed.incrementAndGet();
                    }
                });
                if (i == MILLION / 3) {
                    leader.killSoon();
                }
            }
            Await.until("all have ended", () -> done.get() == MILLION);
            assertEquals(0, failed.get());
            assertEquals(MILLION, client.blocking().incr("client::million", 0));
        }
    }

    @Test
    void a_node_that_was_stopped_is_left_and_found_again() throws Exception {
        ClusterProcess cluster = newCluster();
        List<NodeProcess> nodes = leaderFirst(cluster, cluster.follower());
        try (DshmClient client = clientOf(nodes).build()) {
            assertEquals(1, client.blocking().incr("client::stopped", 1));
            nodes.get(0).pause();
            List<CompletableFuture<Long>> calls = new ArrayList<>();
            for (int i = 0; i < 10_000; i++) {
                calls.add(client.incr("client::stopped", 1));
            }
            CompletableFuture.allOf(calls.toArray(new CompletableFuture<?>[0])).join();
            nodes.get(0).resume();
            assertEquals(10_001, client.blocking().incr("client::stopped", 0));
        }
    }

    @Test
    void ten_thousand_outstanding_calls_take_little_memory() throws Exception {
        ClusterProcess cluster = newCluster();
        List<NodeProcess> nodes = leaderFirst(cluster, cluster.awaitLeader());
        try (DshmClient client = clientOf(nodes.subList(0, 1))
                .stallTimeout(Duration.ofSeconds(60))
                .build()) {
            assertEquals(1, client.blocking().incr("client::many", 1));
            nodes.get(0).pause();
            long before = usedBytes();
            List<CompletableFuture<Long>> calls = new ArrayList<>();
            for (int i = 0; i < 10_000; i++) {
                calls.add(client.incr("client::many", 1));
            }
            long bytes = usedBytes() - before;
            assertTrue(bytes < 20_000_000, bytes + " bytes for 10,000 calls");
            nodes.get(0).resume();
            CompletableFuture.allOf(calls.toArray(new CompletableFuture<?>[0])).join();
            assertEquals(10_001, client.blocking().incr("client::many", 0));
        }
    }

    private static long usedBytes() {
        System.gc();
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }

    @Test
    void shares_of_two_clients_admit_no_more_than_the_limit() throws Exception {
        ClusterProcess cluster = newCluster();
        cluster.awaitLeader();
        Policy policy = Policy.of(Algorithm.LOG, 2_000, Duration.ofHours(1));
        AtomicInteger admitted = new AtomicInteger();
        try (DshmClient one = clientOf(cluster.nodes()).build();
                DshmClient other =
                        clientOf(leaderFirst(cluster, cluster.nodes().get(2))).build();
                RateLimiter ofOne = one.rateLimiter(policy).withShares();
                RateLimiter ofOther = other.rateLimiter(policy).withShares()) {
            for (int i = 0; i < 10_000; i++) {
                admitted.addAndGet(ofOne.take("client::limit").join() ? 1 : 0);
                admitted.addAndGet(ofOther.take("client::limit").join() ? 1 : 0);
            }
        }
        assertTrue(admitted.get() <= 2_000, admitted + " admitted");
        assertTrue(admitted.get() > 1_000, admitted + " admitted");
    }

    @Test
    void a_foreign_authority_is_told_at_once() throws Exception {
        Certificates right = new Certificates(folder.resolve("right"));
        Certificates foreign = new Certificates(folder.resolve("foreign"));
        ClusterProcess cluster = processes.newCluster();
        for (NodeProcess node : cluster.nodes()) {
            right.node(node.name(), "127.0.0.1");
            node.withCertificates(right).withEnvironment("DSHM_TLS", "on");
        }
        cluster.start();
        try (DshmClient client = anonymous(cluster.nodes())
                .tls(ClientTls.ofPem(right.authority(), null, null))
                .build()) {
            assertEquals(1, client.blocking().incr("client::tls", 1));
        }
        try (DshmClient client = anonymous(cluster.nodes())
                .tls(ClientTls.ofPem(foreign.authority(), null, null))
                .build()) {
            assertThrows(InvalidCallException.class, () -> client.blocking().incr("client::tls", 1));
        }
    }

    private ClusterProcess newCluster() throws IOException, InterruptedException {
        return processes.newCluster().start();
    }
}
