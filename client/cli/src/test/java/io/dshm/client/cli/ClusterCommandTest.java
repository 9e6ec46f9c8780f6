package io.dshm.client.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What {@code dshm cluster} makes of what nodes say, and what it asks them for. */
@Timeout(60)
class ClusterCommandTest {

    private static final String MEMBERS = "{\"members\": ["
            + "{\"node\": \"n1\", \"address\": \"10.0.0.1:7321\", \"role\": \"leader\"},"
            + "{\"node\": \"n2\", \"address\": \"10.0.0.2:7321\", \"role\": \"voter\"},"
            + "{\"node\": \"n3\", \"address\": \"10.0.0.3:7321\", \"role\": \"learner\"}]}";

    private static final String LEADER = "{\"node\": \"n1\", \"leads\": true, \"term\": 3, \"leaderSeconds\": 7300,"
            + " \"appliedIndex\": 9, \"lagMillis\": 0, \"version\": \"0.1.0\", \"format\": 2, \"entries\": 4,"
            + " \"stateBytes\": 3145728, \"diskFreeBytes\": 1073741824, \"snapshotAgeSeconds\": -1}";

    private static String http(int status, String body) {
        return "HTTP/1.1 " + status + " OK\r\ncontent-length: " + body.length() + "\r\n\r\n" + body;
    }

    private static FakeNode leader(AtomicInteger posts, List<String> answers) throws IOException {
        return new FakeNode(request -> {
            if (request.startsWith("POST ")) {
                String answer = answers.get(Math.min(posts.getAndIncrement(), answers.size() - 1));
                return http(answer.contains("\"error\"") ? 409 : 200, answer);
            }
            if (request.startsWith("GET /cluster ")) {
                return http(200, MEMBERS);
            }
            return request.startsWith("GET /status ") ? http(200, LEADER) : http(200, "ok\n");
        });
    }

    private static Run cluster(FakeNode node, String... words) {
        String[] all = new String[words.length + 4];
        all[0] = "cluster";
        System.arraycopy(words, 0, all, 1, words.length);
        all[words.length + 1] = "--admin";
        all[words.length + 2] = node.address();
        all[words.length + 3] = "--timeout=5s";
        return Run.on("10.0.0.1", all);
    }

    @Test
    void members_that_do_not_answer_stand_in_the_table_too() throws IOException {
        try (FakeNode node = leader(new AtomicInteger(), List.of())) {
            Run run = cluster(node, "status");
            assertEquals(ExitCode.NO, run.exitCode());
            List<String> lines = run.out().lines().toList();
            assertEquals(
                    "NODE  ADDRESS        ROLE     TERM  SINCE  APPLIED  LAG   VERSION  FORMAT  ENTRIES  MEMORY  DISK"
                            + "      SNAPSHOT  STATE",
                    lines.get(0));
            assertEquals(
                    "n1    10.0.0.1:7321  leader   3     2 h    9        0 ms  0.1.0    2       4        3 MiB   1024"
                            + " MiB  -         ok",
                    lines.get(1));
            assertTrue(lines.get(2).startsWith("n2    10.0.0.2:7321  voter    -     -      -  "), lines.get(2));
            assertTrue(lines.get(3).endsWith("no answer at any of the admin ports"), lines.get(3));
        }
    }

    @Test
    void a_node_that_was_removed_and_runs_stands_behind_the_members() throws IOException {
        String said = "{\"node\": \"n9\", \"leads\": false, \"removed\": true}";
        try (FakeNode leader = leader(new AtomicInteger(), List.of());
                FakeNode removed = new FakeNode(request -> request.startsWith("GET /status ")
                        ? http(200, said)
                        : http(503, "n9 was removed from the cluster\n"))) {
            Run run = Run.on(
                    "10.0.0.1",
                    "cluster",
                    "status",
                    "--admin",
                    removed.address() + "," + leader.address(),
                    "--timeout=5s");
            List<String> lines = run.out().lines().toList();
            assertTrue(lines.get(4).matches("n9 .* removed .* n9 was removed from the cluster"), run.out());
        }
    }

    @Test
    void health_counts_those_that_vote() throws IOException {
        try (FakeNode node = leader(new AtomicInteger(), List.of())) {
            Run run = cluster(node, "health");
            assertEquals(ExitCode.NO, run.exitCode());
            assertTrue(run.out().contains("1 of 2 voting nodes are well: the cluster stands still"), run.out());
        }
    }

    @Test
    void what_passes_is_asked_again_and_what_is_refused_is_not() throws IOException {
        AtomicInteger posts = new AtomicInteger();
        List<String> answers =
                List.of("{\"error\": \"not_caught_up\", \"message\": \"lags\"}", "{\"message\": \"n3 votes\"}");
        try (FakeNode node = leader(posts, answers)) {
            Run run = cluster(node, "promote", "n3");
            assertEquals("n3 votes\n", run.out());
            assertEquals(2, posts.get());
        }
        posts.set(0);
        try (FakeNode node = leader(posts, List.of("{\"error\": \"quorum\", \"message\": \"too few\"}"))) {
            Run run = cluster(node, "remove", "n2");
            assertEquals(ExitCode.REFUSED, run.exitCode());
            assertTrue(run.err().contains("too few"), run.err());
            assertEquals(1, posts.get());
        }
    }

    @Test
    void nobody_is_removed_for_a_node_that_cannot_be_added() throws IOException {
        AtomicInteger posts = new AtomicInteger();
        try (FakeNode node = leader(posts, List.of("{\"message\": \"done\"}"))) {
            Run noPort = cluster(node, "replace", "n3", "n3=10.0.0.9");
            assertEquals(ExitCode.USAGE, noPort.exitCode());
            assertTrue(noPort.err().contains("NAME=HOST:RAFT-PORT, not n3=10.0.0.9"), noPort.err());
            Run taken = cluster(node, "replace", "n3", "n3=10.0.0.2:7321");
            assertEquals(ExitCode.REFUSED, taken.exitCode());
            assertTrue(taken.err().contains("n2 has the address 10.0.0.2:7321"), taken.err());
            Run unknown = cluster(node, "replace", "n33", "n4=10.0.0.4:7321");
            assertEquals(ExitCode.REFUSED, unknown.exitCode());
            assertTrue(unknown.err().contains("no member has the name n33"), unknown.err());
            assertEquals(0, posts.get());
        }
    }

    @Test
    void a_replacement_may_be_asked_for_again() throws IOException {
        AtomicInteger posts = new AtomicInteger();
        try (FakeNode node = leader(posts, List.of("{\"message\": \"done\"}"))) {
            Run run = cluster(node, "replace", "n0", "n2=10.0.0.2:7321");
            assertEquals("n0 is no member, and n2 votes\n", run.out());
            assertEquals(ExitCode.OK, run.exitCode());
            assertEquals(0, posts.get());
            cluster(node, "replace", "n3", "n3=10.0.0.9:7321");
            assertEquals(3, posts.get(), "remove, add, promote");
        }
    }

    @Test
    void a_time_is_said_as_people_say_it() {
        assertEquals("119 s", StatusTable.age(Map.of("a", 119L), "a"));
        assertEquals("119 min", StatusTable.age(Map.of("a", 7199L), "a"));
        assertEquals("47 h", StatusTable.age(Map.of("a", 172_799L), "a"));
        assertEquals("2 d", StatusTable.age(Map.of("a", 172_800L), "a"));
        assertEquals("-", StatusTable.age(Map.of("a", -1L), "a"));
        assertEquals("-", StatusTable.age(Map.of(), "a"));
    }
}
