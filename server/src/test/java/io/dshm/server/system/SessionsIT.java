package io.dshm.server.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.client.DshmConnection;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** PHP's sessions in a cluster, with PHP's own web server and real cookies. */
class SessionsIT {

    @RegisterExtension
    static final Processes PROCESSES = Processes.perClass();

    private static ClusterProcess cluster;

    /** For all tests but one, each of which leaves it running. */
    @BeforeAll
    static void start() throws IOException, InterruptedException {
        cluster = PROCESSES.newCluster().withSharedance().start();
    }

    /** A PHP that asks this node first, and the others if it does not answer. */
    private static PhpServer php(NodeProcess first, int lockSeconds) throws IOException, InterruptedException {
        List<NodeProcess> order = new ArrayList<>(List.of(first));
        order.addAll(cluster.others(first));
        Map<String, String> environment = new HashMap<>(Map.of(
                "SESSION_HANDLER_HOST",
                order.stream().map(node -> "127.0.0.1:" + node.sharedancePort()).collect(Collectors.joining(",")),
                "SESSION_HANDLER_LOCK_HOST",
                order.stream().map(node -> "127.0.0.1:" + node.port()).collect(Collectors.joining(",")),
                "SESSION_HANDLER_LOCK_SECONDS",
                "" + lockSeconds));
        if (first.isSecured()) {
            environment.putAll(Secured.forPhpLocks());
        }
        return PROCESSES.startPhp(environment);
    }

    @Test
    void a_session_survives_the_node_that_php_talks_to_and_the_leader() throws Exception {
        NodeProcess first = cluster.follower();
        PhpServer php = php(first, 30);
        Browser browser = new Browser();
        assertEquals("ada 0", browser.get(php, "do=login&user=ada"));
        assertEquals("ada 1", browser.get(php, "do=count"));
        String id = browser.session();

        first.kill();
        assertEquals("ada 2", browser.get(php, "do=count"), "the node that PHP talks to was killed");
        first.start();
        first.awaitHealthy();
        NodeProcess leader = cluster.awaitLeader();

        leader.kill();
        assertEquals("ada 3", browser.get(php, "do=count"), "the leader was killed");
        leader.start();
        leader.awaitHealthy();

        NodeProcess both = cluster.awaitLeader();
        PhpServer atLeader = php(both, 0);
        assertEquals("ada 4", browser.get(atLeader, "do=count"));
        both.kill();
        assertEquals("ada 5", browser.get(atLeader, "do=count"), "the leader, which PHP talks to, was killed");
        cluster.start();
        assertEquals(id, browser.session(), "the session is the same all the time");
    }

    /** A request that misses what the one before it stored would count from an older number. */
    @Test
    void a_session_is_seen_wherever_the_next_request_lands() throws Exception {
        List<PhpServer> site = new ArrayList<>();
        for (NodeProcess node : cluster.nodes()) {
            site.add(php(node, 0));
        }
        Browser browser = new Browser();
        assertEquals("ada 0", browser.get(site.get(0), "do=login&user=ada"));
        for (int request = 1; request <= 60; request++) {
            assertEquals("ada " + request, browser.get(site.get(request % site.size()), "do=count"));
        }
    }

    @Test
    void with_locking_requests_of_one_session_take_turns_and_lose_nothing() throws Exception {
        List<PhpServer> site =
                List.of(php(cluster.nodes().get(0), 60), php(cluster.nodes().get(1), 60));
        Browser browser = new Browser();
        assertEquals("ada 0", browser.get(site.get(0), "do=login&user=ada"));
        int rounds = 15;
        for (int round = 0; round < rounds; round++) {
            List<CompletableFuture<String>> both = site.stream()
                    .map(php -> browser.getSoon(php, "do=count&sleep=5"))
                    .toList();
            List<String> replies = new ArrayList<>();
            for (CompletableFuture<String> reply : both) {
                replies.add(reply.get());
            }
            int before = 2 * round;
            assertTrue(
                    replies.containsAll(List.of("ada " + (before + 1), "ada " + (before + 2))),
                    () -> "after " + before + ": " + replies);
        }
        assertEquals("ada " + 2 * rounds, browser.get(site.get(1), "do=show"));
    }

    @Test
    void a_login_is_there_on_every_web_server_and_a_logout_too() throws Exception {
        PhpServer one = php(cluster.nodes().get(0), 0);
        PhpServer other = php(cluster.nodes().get(1), 0);
        Browser browser = new Browser();
        assertEquals("nobody 0", browser.get(one, "do=show"));
        assertEquals("ada 0", browser.get(one, "do=login&user=ada"));
        String id = browser.session();
        assertEquals("ada 1", browser.get(other, "do=count"));

        CompletableFuture<String> slow = browser.getSoon(one, "do=show&sleep=1500");
        Await.pause(Duration.ofMillis(500));
        assertEquals("nobody 1", browser.get(other, "do=logout"));
        assertTrue(slow.get().startsWith("ada "), "it had read the session before");
        browser.setSession(one, id);
        assertEquals("nobody 0", browser.get(one, "do=show"), "the logout shows at once");
        assertNotEquals(id, browser.session(), "in strict mode, an id that is not known is replaced");

        assertEquals("eve 0", browser.get(one, "do=login&user=eve"));
        String before = browser.session();
        assertEquals("eve 0", browser.get(one, "do=regenerate"));
        assertNotEquals(before, browser.session());
        assertEquals("eve 0", browser.get(one, "do=show"));
        browser.setSession(one, before);
        assertEquals("nobody 0", browser.get(one, "do=show"), "the old id is of no use");
    }

    @Test
    void requests_that_change_nothing_keep_a_session_alive_and_without_any_it_expires() throws Exception {
        NodeProcess node = PROCESSES.newNode().withSharedance("--sharedance-expiration-seconds", "4");
        node.start();
        node.awaitHealthy();
        PhpServer php = PROCESSES.startPhp(Map.of("SESSION_HANDLER_HOST", "127.0.0.1:" + node.sharedancePort()));
        Browser browser = new Browser();
        assertEquals("ada 0", browser.get(php, "do=login&user=ada"));
        for (int i = 0; i < 4; i++) {
            Await.pause(Duration.ofMillis(1500));
            assertEquals("ada 0", browser.get(php, "do=show"), "after " + (i + 1) + " times 1.5 seconds");
        }
        String key = "sharedance::" + browser.session();
        try (DshmConnection connection = node.connect()) {
            Await.until("it has expired", () -> connection.get(key).isEmpty());
        }
        assertEquals("nobody 0", browser.get(php, "do=show"));
    }

    @Test
    void when_no_node_answers_then_there_is_no_session_and_no_other_one() throws Exception {
        PhpServer php = php(cluster.nodes().get(0), 0);
        Browser browser = new Browser();
        assertEquals("ada 0", browser.get(php, "do=login&user=ada"));
        String id = browser.session();
        for (NodeProcess node : cluster.nodes()) {
            node.kill();
        }
        assertEquals("503 no session", browser.get(php, "do=show"));
        assertEquals(id, browser.session(), "the cookie still names it");
        cluster.start();
        assertEquals("ada 0", browser.get(php, "do=show"));
    }
}
