package io.dshm.client.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What {@code dshm why} makes of what nodes say. */
@Timeout(60)
class WhyWordsTest {

    private static final String FIRST =
            "{\"node\": \"n1\", \"key\": \"api:42\", \"clusterTimeMillis\": 70000, \"kind\": \"log\","
                    + " \"limit\": 2, \"periodMillis\": 60000, \"remaining\": 0, \"unusedInMillis\": 59500,"
                    + " \"uses\": [{\"millis\": 69500, \"cost\": 1}, {\"millis\": 61000, \"cost\": 1}], \"refused\": 0, \"refusals\": []}";

    private static final String SECOND =
            "{\"node\": \"n2\", \"key\": \"api:42\", \"clusterTimeMillis\": 10, \"kind\": \"unused\","
                    + " \"refused\": 1, \"refusals\": [{\"millis\": 69900, \"client\": \"/10.0.0.7:4711\", \"command\": \"TAKE\","
                    + " \"cost\": 1, \"policy\": \"\", \"reply\": \"allowed=0 limit=2\"}]}";

    private static FakeNode saying(String body) throws IOException {
        return new FakeNode(request -> request.startsWith("GET /why?key=api%3A42 ")
                ? "HTTP/1.1 200 OK\r\n\r\n" + body
                : "HTTP/1.1 404 Not Found\r\n\r\nthere is no " + request);
    }

    @Test
    void the_node_that_has_applied_most_tells_the_limit_and_each_tells_its_refusals() throws IOException {
        try (FakeNode first = saying(FIRST);
                FakeNode second = saying(SECOND)) {
            Run run = Run.on(
                    "10.0.0.1", "why", "api:42", "--admin", second.address() + "," + first.address(), "--timeout=5s");
            assertEquals(
                    List.of(
                            "api:42: log, 2 in 60 s, 0 left, unused again in 59.500 s",
                            "used 1 at 1970-01-01T00:01:09.500Z",
                            "used 1 at 1970-01-01T00:01:01Z",
                            "n2 has refused it 1 times",
                            "n1 has refused it 0 times",
                            "WHEN                      NODE  CLIENT          COMMAND  COST  POLICY  REPLY",
                            "1970-01-01T00:01:09.900Z  n2    /10.0.0.7:4711  TAKE     1     -       allowed=0 limit=2"),
                    run.out().lines().toList());
            assertEquals(ExitCode.OK, run.exitCode());
        }
    }

    @Test
    void a_node_that_does_not_answer_is_named() throws IOException {
        try (FakeNode node = saying(FIRST);
                FakeNode silent = FakeNode.always("")) {
            Run run = Run.on(
                    "10.0.0.1", "why", "api:42", "--admin", node.address() + "," + silent.address(), "--timeout=5s");
            assertTrue(run.out().contains(silent.address() + " does not say: "), run.out());
            assertEquals(ExitCode.NO, run.exitCode());
            assertEquals(
                    ExitCode.UNAVAILABLE,
                    Run.on("10.0.0.1", "why", "api:42", "--admin", silent.address(), "--timeout=5s")
                            .exitCode());
        }
    }
}
