package io.dshm.server.system;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.dshm.client.DshmConnection;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What the program is for: three web servers, each with its own node beside it, that count together. */
class NginxIT {

    private static final int CLIENTS = 8;
    private static final int SOME = 500;

    @RegisterExtension
    static final Processes PROCESSES = Processes.perClass();

    private static final List<NginxProcess> WEB_SERVERS = new ArrayList<>();
    private static ClusterProcess cluster;

    @BeforeAll
    static void start() throws IOException, InterruptedException {
        cluster = PROCESSES.newCluster().start();
        for (NodeProcess node : cluster.nodes()) {
            WEB_SERVERS.add(PROCESSES.startNginx(node));
        }
    }

    @Test
    void requests_through_three_web_servers_are_counted_once_each() throws IOException, InterruptedException {
        List<Increments> all = visit("web::plain");
        for (Increments increments : all) {
            increments.awaitMore(2 * SOME);
        }
        Increments.Books books = Increments.Books.sum(stop(all));
        assertEquals(List.of(), books.failures());
        books.assertExact(value("web::plain"));
    }

    @Test
    void when_the_leader_is_killed_then_every_acknowledged_increment_counts_once()
            throws IOException, InterruptedException {
        List<Increments> all = visit("web::killed");
        List<NodeProcess> killed = new ArrayList<>();
        for (int round = 0; round < 2; round++) {
            for (Increments increments : all) {
                increments.awaitMore(SOME);
            }
            NodeProcess leader = cluster.awaitLeader();
            leader.kill();
            killed.add(leader);
            for (NodeProcess survivor : cluster.others(leader)) {
                all.get(cluster.nodes().indexOf(survivor)).awaitMore(SOME);
            }
            leader.start();
            leader.awaitHealthy();
        }
        for (Increments increments : all) {
            increments.awaitMore(SOME);
        }
        List<Increments.Books> books = stop(all);
        for (NodeProcess node : cluster.nodes()) {
            if (!killed.contains(node)) {
                assertEquals(List.of(), books.get(cluster.nodes().indexOf(node)).failures(), "beside " + node);
            }
        }
        Increments.Books sum = Increments.Books.sum(books);
        System.out.println("Kills of the leader: " + sum.summary());
        sum.assertExact(value("web::killed"));
        cluster.assertEqualDigests();
    }

    private static List<Increments> visit(String key) {
        return WEB_SERVERS.stream()
                .map(nginx -> Increments.start(() -> new HttpCounter(nginx, key), CLIENTS))
                .toList();
    }

    private static List<Increments.Books> stop(List<Increments> all) throws InterruptedException {
        List<Increments.Books> books = new ArrayList<>();
        for (Increments increments : all) {
            books.add(increments.stop());
        }
        return books;
    }

    private static long value(String key) throws IOException, InterruptedException {
        try (DshmConnection connection = cluster.awaitLeader().connect()) {
            return connection.incr(key, 0);
        }
    }
}
