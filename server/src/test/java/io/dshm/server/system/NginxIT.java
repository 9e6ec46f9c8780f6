package io.dshm.server.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.client.DshmConnection;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the program is for: three web servers, each with its own node beside it, that count together. */
class NginxIT {

    private static final int CLIENTS = 8;
    private static final int SOME = 500;
    private static final int WINDOW_SECONDS = 2;
    private static final int LIMIT = 100;

    @RegisterExtension
    static final Processes PROCESSES = Processes.perClass();

    private static final List<NginxProcess> WEB_SERVERS = new ArrayList<>();
    private static ClusterProcess cluster;

    @BeforeAll
    static void start() throws IOException, InterruptedException {
        cluster = PROCESSES.newCluster().start();
        for (NodeProcess node : cluster.nodes()) {
            WEB_SERVERS.add(PROCESSES.startNginx(node, cluster.others(node)));
        }
    }

    @Test
    void requests_through_three_web_servers_are_counted_once_each() throws IOException, InterruptedException {
        List<Increments> all = visit("/incr?web::plain");
        for (Increments increments : all) {
            increments.awaitMore(2 * SOME);
        }
        Increments.Books books = Increments.Books.sum(stop(all));
        assertEquals(List.of(), books.failures());
        books.assertExact(value("web::plain"));
    }

    /** A request that misses what the one before it stored would count from an older number. */
    @ParameterizedTest
    @ValueSource(strings = {"v3", "v4"})
    void a_session_is_seen_wherever_the_next_request_lands(String storage) throws IOException {
        List<HttpCounter> site = new ArrayList<>();
        try {
            for (NginxProcess nginx : WEB_SERVERS) {
                site.add(new HttpCounter(nginx, "/session?storage=" + storage + "&id=of-" + storage));
            }
            for (int request = 1; request <= 60; request++) {
                assertEquals(request, site.get(request % site.size()).increment());
            }
        } finally {
            for (HttpCounter counter : site) {
                counter.close();
            }
        }
    }

    @Test
    void when_the_leader_is_killed_then_every_acknowledged_increment_counts_once()
            throws IOException, InterruptedException {
        List<Increments> all = visit("/incr?web::killed");
        List<NodeProcess> killed = new ArrayList<>();
        for (int round = 0; round < 2; round++) {
            killed.add(killLeader(all));
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

    @Test
    void when_the_leader_is_killed_then_no_request_through_a_dict_fails() throws IOException, InterruptedException {
        List<Increments> all = visit("/dict?key=killed&ttl=3600");
        killLeader(all);
        for (Increments increments : all) {
            increments.awaitMore(SOME);
        }
        Increments.Books books = Increments.Books.sum(stop(all));
        assertEquals(List.of(), books.failures());
        books.assertExact(value("dict::killed"));
        assertEquals(books.values().size(), value("dict::killed"));
    }

    /**
     * Each window counts from one, so a limit admits what it should if no window leaves out a value or has one twice. Not
     * all are used up: one ends while there is no leader, and a slow machine may not get through others.
     */
    @Test
    void a_limit_admits_as_many_in_each_window_also_while_the_leader_is_killed()
            throws IOException, InterruptedException {
        String target = "/dict?key=window&ttl=" + WINDOW_SECONDS;
        List<Increments> visitors = visit(target);
        killLeader(visitors);
        Increments.Books books = Increments.Books.sum(stop(visitors));
        assertEquals(List.of(), books.failures());

        // by value; what is beyond the limit is of no interest
        int[] replies = new int[LIMIT + 1];
        books.values().stream().filter(value -> value <= LIMIT).forEach(value -> replies[value.intValue()]++);
        // until there are some windows, and the last one is used up
        try (HttpCounter counter = new HttpCounter(WEB_SERVERS.get(0), target)) {
            long value;
            do {
                value = counter.increment();
                if (value <= LIMIT) {
                    replies[(int) value]++;
                }
            } while (value != LIMIT || replies[1] < 4);
        }
        String all = "how often there was each reply, from 1 on: "
                + Arrays.toString(Arrays.copyOfRange(replies, 1, replies.length));
        for (int value = 2; value <= LIMIT; value++) {
            assertTrue(replies[value] <= replies[value - 1], all);
        }
    }

    /** Lets all count some, kills the leader, lets those beside the others count some more, and starts it again. */
    private static NodeProcess killLeader(List<Increments> all) throws IOException, InterruptedException {
        for (Increments increments : all) {
            increments.awaitMore(SOME);
        }
        NodeProcess leader = cluster.awaitLeader();
        leader.kill();
        for (NodeProcess survivor : cluster.others(leader)) {
            all.get(cluster.nodes().indexOf(survivor)).awaitMore(SOME);
        }
        leader.start();
        leader.awaitHealthy();
        return leader;
    }

    private static List<Increments> visit(String target) {
        return WEB_SERVERS.stream()
                .map(nginx -> Increments.start(() -> new HttpCounter(nginx, target), CLIENTS))
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
