package io.dshm.client.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What is sent again, where, and what is not. */
@Timeout(60)
class NodesTest {

    private static final String ONE = "LEN 1\r\n1\r\nDONE\r\n";
    private static final String BREAKS = "";
    private static final String NOBODY = "127.0.0.1:1";

    /** The value of a word of a request; null if it is not there. */
    private static @Nullable String option(String request, String name) {
        return Arrays.stream(request.split(" ", -1))
                .filter(word -> word.startsWith(name + "="))
                .map(word -> word.substring(name.length() + 1))
                .findFirst()
                .orElse(null);
    }

    /** A request without its identity. */
    private static FakeNode node(String... answers) throws IOException {
        AtomicInteger next = new AtomicInteger();
        return new FakeNode(request -> answers[Math.min(next.getAndIncrement(), answers.length - 1)]);
    }

    @Test
    void a_node_that_is_down_is_passed_over() throws IOException {
        try (FakeNode up = node(ONE)) {
            assertEquals(new Run(ExitCode.OK, "1\n", ""), Run.on(NOBODY + "," + up.address(), "incr", "k"));
            assertNull(option(up.requests().get(0), "retry"));
        }
    }

    @Test
    void a_write_whose_connection_broke_is_repeated_with_its_identity() throws IOException {
        try (FakeNode breaks = node(BREAKS);
                FakeNode other = node(ONE)) {
            Run run = Run.on(breaks.address() + "," + other.address(), "incr", "k");
            assertEquals(new Run(ExitCode.OK, "1\n", ""), run);
            String first = breaks.requests().get(0);
            String second = other.requests().get(0);
            assertEquals(first + " retry=yes", second);
            assertEquals("2", option(first, "seq"));
            assertEquals("2", option(first, "done"));
            assertEquals(List.of(1, 0), List.of(breaks.introductions(), other.introductions()));
        }
    }

    @Test
    void a_write_that_was_not_applied_is_repeated_as_a_first_one() throws IOException {
        try (FakeNode alone = node("ERROR no_leader\r\n");
                FakeNode other = node(ONE)) {
            assertEquals(
                    ExitCode.OK,
                    Run.on(alone.address() + "," + other.address(), "incr", "k").exitCode());
            assertEquals(alone.requests(), other.requests());
        }
    }

    @Test
    void once_a_copy_may_have_counted_all_later_ones_are_marked() throws IOException {
        try (FakeNode node = node("ERROR timeout\r\n", "ERROR busy\r\n", ONE)) {
            assertEquals(ExitCode.OK, Run.on(node.address(), "incr", "k").exitCode());
            List<String> requests = node.requests();
            assertEquals(
                    Arrays.asList(null, "yes", "yes"),
                    requests.stream().map(request -> option(request, "retry")).toList());
        }
    }

    @Test
    void a_refusal_of_a_later_copy_says_nothing_about_the_first_one() throws IOException {
        for (String refusal : List.of("disk_full", "denied", "out_of_memory")) {
            try (FakeNode breaks = node(BREAKS);
                    FakeNode other = node("ERROR " + refusal + "\r\n")) {
                Run run = Run.on(breaks.address() + "," + other.address(), "incr", "k");
                assertEquals(ExitCode.UNKNOWN, run.exitCode());
                assertTrue(run.err().contains(refusal), run.err());
            }
        }
    }

    private static Run as(String user, Path secretFile, String endpoints, String... words) {
        return Run.of(
                Map.of("DSHM_ENDPOINTS", endpoints, "DSHM_USER", user, "DSHM_SECRET_FILE", secretFile.toString()),
                "",
                words);
    }

    @Test
    void a_node_that_does_not_know_a_user_yet_is_passed_over(@TempDir Path folder) throws IOException {
        Path secret = Files.writeString(folder.resolve("secret"), "s");
        try (FakeNode denies = node("ERROR denied\r\n");
                FakeNode other = node("DONE\r\n", "DONE\r\n", ONE)) {
            assertEquals(
                    new Run(ExitCode.OK, "1\n", ""),
                    as("app", secret, denies.address() + "," + other.address(), "incr", "r::k"));
            assertTrue(other.requests().get(1).startsWith("RELEASE r::dshm-client "), other.requests()::toString);

            Run run = as("app", secret, denies.address() + "," + NOBODY, "incr", "r::k");
            assertEquals(ExitCode.REFUSED, run.exitCode());
            assertTrue(run.err().contains("denied"), run.err());
        }
    }

    @Test
    void who_may_write_in_one_region_only_is_known_by_a_write_there() throws IOException {
        try (FakeNode node = node("DONE\r\n", ONE)) {
            node.deniesStrangers = true;
            assertEquals(new Run(ExitCode.OK, "1\n", ""), Run.on(node.address(), "incr", "r::k"));
            assertTrue(node.requests().get(0).startsWith("RELEASE r::dshm-client "), node.requests()::toString);
        }
    }

    @Test
    void an_outcome_that_stays_unknown_is_said_so() throws IOException {
        try (FakeNode node = node(BREAKS)) {
            Run run = Run.on(node.address(), "incr", "k", "--timeout", "500ms");
            assertEquals(ExitCode.UNKNOWN, run.exitCode());
            assertTrue(run.err().startsWith("dshm: outcome unknown"), run.err());
            assertTrue(node.requests().size() > 1);
        }
    }

    @Test
    void a_read_has_no_unknown_outcome() throws IOException {
        try (FakeNode node = node(BREAKS)) {
            assertEquals(
                    ExitCode.UNAVAILABLE,
                    Run.on(node.address(), "get", "k", "--timeout", "300ms").exitCode());
        }
    }

    @Test
    void what_cannot_have_an_identity_is_sent_once() throws IOException {
        try (FakeNode breaks = node(BREAKS);
                FakeNode other = node("DONE\r\n")) {
            String both = breaks.address() + "," + other.address();
            assertEquals(ExitCode.UNKNOWN, Run.on(both, "flush", ":").exitCode());
            assertEquals(ExitCode.UNKNOWN, Run.on(both, "flush-expired", "r").exitCode());
            assertEquals(List.of(), other.requests());
            assertEquals(ExitCode.OK, Run.on(both, "flush", "r").exitCode());
        }
    }

    @Test
    void an_error_that_every_node_would_give_is_final() throws IOException {
        try (FakeNode first = node("ERROR exists\r\n");
                FakeNode other = node(ONE)) {
            assertEquals(
                    ExitCode.NO,
                    Run.on(first.address() + "," + other.address(), "add", "k", "v")
                            .exitCode());
            assertEquals(List.of(), other.requests());
        }
    }

    @Test
    void the_writes_of_a_script_have_one_identity_and_numbers() throws IOException {
        try (FakeNode node = node(ONE)) {
            Run.of(Map.of("DSHM_ENDPOINTS", node.address()), "incr k\nincr k\n");
            List<String> requests = node.requests();
            assertEquals(option(requests.get(0), "id"), option(requests.get(1), "id"));
            assertEquals("3", option(requests.get(1), "seq"));
            assertEquals("3", option(requests.get(1), "done"));
            assertEquals(1, node.introductions());
        }
    }
}
