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
import io.dshm.proto.ErrorCode;
import io.dshm.proto.Policy;
import io.dshm.server.security.Certificates;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** The Java client against three real nodes that die and stand still. */
@Tag("long")
class ClientIT {

    private static final int MILLION = 1_000_000;

    /** All connections are lost every ten minutes, for a week. */
    private static final int RECONNECTS = 7 * 24 * 6;

    @RegisterExtension
    static final Processes PROCESSES = Processes.perClass();

    private static ClusterProcess cluster;

    @TempDir
    Path folder;

    @BeforeAll
    static void newCluster() {
        cluster = PROCESSES.newCluster();
    }

    /** What the test before this one has ended is started again, too. */
    @BeforeEach
    void startNodes() throws IOException, InterruptedException {
        cluster.start();
    }

    private static DshmClientBuilder clientOf(String... endpoints) throws IOException {
        return Secured.login(anonymous(endpoints));
    }

    /** One that is no user. */
    private static DshmClientBuilder anonymous(String... endpoints) {
        return DshmClient.builder()
                .endpoints(endpoints)
                .deadline(Duration.ofSeconds(60))
                .waitForRoom(true);
    }

    private static DshmClientBuilder clientOf(List<NodeProcess> nearestFirst) throws IOException {
        return clientOf(endpoints(nearestFirst));
    }

    private static String[] endpoints(List<NodeProcess> nodes) {
        return nodes.stream().map(node -> "127.0.0.1:" + node.port()).toArray(String[]::new);
    }

    /** That one is the nearest, so that everything hangs on it. */
    private static List<NodeProcess> first(NodeProcess node, ClusterProcess cluster) {
        List<NodeProcess> nodes = new ArrayList<>(List.of(node));
        nodes.addAll(cluster.others(node));
        return nodes;
    }

    private static List<CompletableFuture<Long>> increments(DshmClient client, String key, int count) {
        List<CompletableFuture<Long>> calls = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            calls.add(client.incr(key, 1));
        }
        return calls;
    }

    private static void join(List<CompletableFuture<Long>> calls) {
        CompletableFuture.allOf(calls.toArray(new CompletableFuture<?>[0])).join();
    }

    @Test
    void a_million_pipelined_increments_are_exact_though_the_leader_dies() throws Exception {
        NodeProcess leader = cluster.awaitLeader();
        AtomicLong done = new AtomicLong();
        AtomicInteger failed = new AtomicInteger();
        try (DshmClient client = clientOf(first(leader, cluster)).build()) {
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
        leader.kill();
    }

    @Test
    void a_node_that_was_stopped_is_left_and_found_again() throws Exception {
        List<NodeProcess> nodes = first(cluster.follower(), cluster);
        try (DshmClient client = clientOf(nodes).build()) {
            assertEquals(1, client.blocking().incr("client::stopped", 1));
            nodes.get(0).pause();
            join(increments(client, "client::stopped", 10_000));
            nodes.get(0).resume();
            assertEquals(10_001, client.blocking().incr("client::stopped", 0));
        }
    }

    @Test
    void a_slow_node_loses_and_doubles_nothing() throws Exception {
        NodeProcess slow = cluster.follower();
        try (DshmClient client = clientOf(first(slow, cluster)).build()) {
            for (int i = 0; i < 10; i++) {
                slow.pause();
                List<CompletableFuture<Long>> calls = increments(client, "client::slow", 500);
                // For most of the time it does nothing, but never for so long that it is given up.
                Await.pause(Duration.ofMillis(300));
                slow.resume();
                join(calls);
            }
            assertEquals(5_000, client.blocking().incr("client::slow", 0));
        }
    }

    @Test
    void ten_thousand_outstanding_calls_take_little_memory() throws Exception {
        List<NodeProcess> nodes = first(cluster.follower(), cluster);
        try (DshmClient client = clientOf(nodes.subList(0, 1))
                .stallTimeout(Duration.ofSeconds(60))
                .build()) {
            assertEquals(1, client.blocking().incr("client::many", 1));
            nodes.get(0).pause();
            long before = usedBytes();
            List<CompletableFuture<Long>> calls = increments(client, "client::many", 10_000);
            assertEquals(10_000, client.outstanding());
            long bytes = usedBytes() - before;
            assertTrue(bytes < 20_000_000, bytes + " bytes for 10,000 calls");
            nodes.get(0).resume();
            join(calls);
            assertEquals(10_001, client.blocking().incr("client::many", 0));
        }
    }

    private static long usedBytes() {
        System.gc();
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }

    @Test
    void what_is_cancelled_counts_at_most_once_and_frees_its_room() throws Exception {
        NodeProcess node = cluster.follower();
        try (DshmClient client = clientOf(first(node, cluster)).build()) {
            assertEquals(1, client.blocking().incr("client::cancelled", 1));
            node.pause();
            List<CompletableFuture<Long>> calls = increments(client, "client::cancelled", 10_000);
            long cancelled = calls.stream()
                    .filter(call -> call.hashCode() % 2 == 0 && call.cancel(false))
                    .count();
            node.resume();
            // There is room for as many as were cancelled, and then for all.
            join(increments(client, "client::cancelled", 10_000));
            join(calls.stream().filter(call -> !call.isCancelled()).toList());
            long sum = client.blocking().incr("client::cancelled", 0);
            assertTrue(sum <= 20_001 && sum >= 20_001 - cancelled, sum + ", " + cancelled + " cancelled");
            assertEquals(0, client.outstanding());
        }
    }

    @Test
    void a_weeks_reconnects_lose_and_double_nothing() throws Exception {
        try (Relay relay =
                        new Relay("127.0.0.1", Ports.free(), cluster.follower().port());
                DshmClient client = clientOf(relay.address()).build()) {
            long sum = 0;
            for (int i = 0; i < RECONNECTS; i++) {
                List<CompletableFuture<Long>> calls = increments(client, "client::reconnects", 10);
                calls.get(0).join();
                relay.cut();
                join(calls);
                sum += calls.size();
            }
            assertEquals(sum, client.blocking().incr("client::reconnects", 0));
            assertTrue(relay.accepted() >= RECONNECTS, relay.accepted() + " connections");
            assertEquals(0, client.outstanding());
        }
    }

    @Test
    void a_name_that_moves_is_followed() throws Exception {
        int port = Ports.free();
        int target = cluster.follower().port();
        AtomicReference<String> address = new AtomicReference<>("127.0.0.2");
        try (Relay from = new Relay("127.0.0.2", port, target);
                DshmClient client = clientOf(Secured.HOST + ":" + port)
                        .resolver(host -> List.of(InetAddress.getByName(address.get())))
                        .build()) {
            assertEquals(1, client.blocking().incr("client::moves", 1));
            address.set("127.0.0.3");
            from.end();
            CompletableFuture<Long> call = client.incr("client::moves", 1);
            try (Relay to = new Relay("127.0.0.3", port, target)) {
                assertEquals(2, call.join());
                assertTrue(to.accepted() > 0);
            }
        }
    }

    @Test
    void a_wrong_secret_is_told_at_once() throws Exception {
        Path secret = folder.resolve("secret");
        new DshmCommand(folder)
                .run(
                        cluster.nodes(),
                        "user",
                        "add",
                        "app",
                        "--rights",
                        "write:client",
                        "--new-secret-file",
                        "" + secret)
                .requireStatus(0);
        String right = Files.readString(secret).strip();
        try (DshmClient client =
                clientOf(cluster.nodes()).credentials("app", right).build()) {
            assertEquals(1, client.blocking().incr("client::secret", 1));
        }
        try (DshmClient client =
                clientOf(cluster.nodes()).credentials("app", "x" + right).build()) {
            InvalidCallException failure = assertThrows(
                    InvalidCallException.class, () -> client.blocking().incr("client::secret", 1));
            assertTrue(("" + failure.getMessage()).contains(ErrorCode.DENIED.wireName()), failure.toString());
        }
    }

    @Test
    void shares_of_two_clients_admit_no_more_than_the_limit() throws Exception {
        Policy policy = Policy.of(Algorithm.LOG, 2_000, Duration.ofHours(1));
        AtomicInteger admitted = new AtomicInteger();
        try (DshmClient one = clientOf(cluster.nodes()).build();
                DshmClient other =
                        clientOf(first(cluster.nodes().get(2), cluster)).build();
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
        ClusterProcess secured = PROCESSES.newCluster();
        for (NodeProcess node : secured.nodes()) {
            right.node(node.name(), "127.0.0.1");
            node.withCertificates(right).withEnvironment("DSHM_TLS", "on").connectWith(right.client());
        }
        secured.start();
        try (DshmClient client = anonymous(endpoints(secured.nodes()))
                .tls(ClientTls.ofPem(right.authority(), null, null))
                .build()) {
            assertEquals(1, client.blocking().incr("client::tls", 1));
        }
        try (DshmClient client = anonymous(endpoints(secured.nodes()))
                .tls(ClientTls.ofPem(foreign.authority(), null, null))
                .build()) {
            assertThrows(InvalidCallException.class, () -> client.blocking().incr("client::tls", 1));
        }
        for (NodeProcess node : secured.nodes()) {
            node.kill();
        }
    }
}
