package io.dshm.client.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.client.internal.Endpoint;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What admin ports say, and how it is shown. */
@Timeout(60)
class StatusTableTest {

    private static final Endpoint NODE = new Endpoint("10.0.0.1", 4321);

    private static String http(int status, String body) {
        return "HTTP/1.1 " + status + " OK\r\ncontent-length: " + body.length() + "\r\n\r\n" + body;
    }

    private static FakeNode adminPort(String status, String health) throws IOException {
        return new FakeNode(request -> request.startsWith("GET /status ") ? http(200, status) : http(503, health));
    }

    @Test
    void all_nodes_stand_in_one_table() throws IOException {
        try (FakeNode leader = adminPort(
                        "{\n \"node\": \"n1\", \"leads\": true, \"votes\": true, \"term\": 3, \"appliedIndex\": 1042,\n"
                                + " \"lagMillis\": 0, \"version\": \"0.1.0\", \"format\": 2, \"more\": [{\"a\": null}]}",
                        "ok\n");
                FakeNode starting = adminPort("{\"node\": \"n2\", \"lagMillis\": -1, \"format\": 2}", "starting\n")) {
            Run run = Run.on(
                    "10.0.0.1,10.0.0.2,10.0.0.3",
                    "status",
                    "--admin",
                    leader.address() + "," + starting.address() + ",127.0.0.1:1");
            assertEquals(ExitCode.NO, run.exitCode());
            assertEquals(
                    List.of(
                            "NODE  ADDRESS        ROLE    TERM  APPLIED  LAG   VERSION  FORMAT  STATE",
                            "n1    10.0.0.1:4321  leader  3     1042     0 ms  0.1.0    2       ok",
                            "n2    10.0.0.2:4321  -       -     -        -     -        2       starting",
                            "-     10.0.0.3:4321  -       -     -        -     -        -       no answer on 127.0.0.1:1: connection refused"),
                    run.out().lines().toList());
        }
    }

    @Test
    void a_cluster_that_is_well_ends_with_0() throws IOException {
        try (FakeNode node = adminPort("{\"node\": \"n1\", \"leads\": false, \"votes\": false}", "ok\n")) {
            Run run = Run.on("10.0.0.1", "status", "--json", "--admin", node.address());
            assertEquals(
                    new Run(
                            ExitCode.OK,
                            "{\"nodes\":[{\"address\":\"10.0.0.1:4321\",\"ok\":true,\"state\":\"ok\",\"role\":\"no vote\","
                                    + "\"node\":\"n1\",\"leads\":false,\"votes\":false}]}\n",
                            ""),
                    run);
        }
    }

    /** As one does that lost its data and knew of no others. */
    @Test
    void a_node_that_began_a_cluster_of_its_own_is_not_well() throws IOException {
        try (FakeNode n1 = adminPort("{\"node\": \"n1\", \"clusterId\": \"00000000000000aa\"}", "ok\n");
                FakeNode n2 = adminPort("{\"node\": \"n2\", \"clusterId\": \"00000000000000bb\"}", "ok\n");
                FakeNode n3 = adminPort("{\"node\": \"n3\", \"clusterId\": \"00000000000000bb\"}", "ok\n");
                FakeNode n4 = adminPort("{\"node\": \"n4\", \"clusterId\": \"0000000000000000\"}", "ok\n")) {
            Run run = Run.on(
                    "10.0.0.1,10.0.0.2,10.0.0.3,10.0.0.4",
                    "status",
                    "--admin",
                    n1.address() + "," + n2.address() + "," + n3.address() + "," + n4.address());
            assertEquals(ExitCode.NO, run.exitCode());
            List<String> lines = run.out().lines().toList();
            assertTrue(
                    lines.get(1).endsWith(" is of another cluster than the others: its clusterId is 00000000000000aa"),
                    run.out());
            assertTrue(lines.get(2).endsWith(" ok") && lines.get(4).endsWith(" ok"), run.out());
            Run two = Run.on("10.0.0.1,10.0.0.2", "status", "--admin", n1.address() + "," + n2.address());
            assertEquals(2, two.out().split("is of another cluster", -1).length - 1, "nobody knows which is right");
        }
    }

    @Test
    void what_is_no_admin_port_is_said_so() throws IOException {
        try (FakeNode node = FakeNode.always("ERROR malformed_request\r\n")) {
            Run run = Run.on("10.0.0.1", "status", "--admin", node.address());
            assertTrue(run.out().contains("this is no admin port"), run.out());
        }
    }

    @Test
    void top_shows_rates_between_two_answers() {
        Top.Sample before = new Top.Sample(node(100, 10), 0);
        Top.Sample after = new Top.Sample(node(1100, 8), 2_000_000_000L);
        List<String> lines = Top.lines(List.of(after), Map.of(NODE, before));
        assertEquals(
                "NODE  ADDRESS        ROLE    TERM  LOG/S  LAG  CLIENTS  ENTRIES  +/S  MEMORY  STATE", lines.get(0));
        assertEquals("n1    10.0.0.1:4321  leader  1     500    -    5        8        -1   3 MiB   ok", lines.get(1));
    }

    private static StatusTable.Node node(long applied, long entries) {
        return new StatusTable.Node(
                NODE,
                Map.of(
                        "node",
                        "n1",
                        "leads",
                        true,
                        "term",
                        1L,
                        "appliedIndex",
                        applied,
                        "connections",
                        5L,
                        "entries",
                        entries,
                        "stateBytes",
                        3L * 1024 * 1024),
                "ok");
    }

    @Test
    void top_ends_after_as_many_tables_as_asked_for() throws IOException {
        try (FakeNode node = adminPort("{\"node\": \"n1\", \"appliedIndex\": 5}", "ok\n")) {
            Run run = Run.on("10.0.0.1", "top", "--count", "2", "--interval", "1ms", "--admin", node.address());
            assertEquals(ExitCode.OK, run.exitCode());
            assertEquals(
                    2, run.out().lines().filter(line -> line.startsWith("n1 ")).count());
        }
    }

    @Test
    void an_address_that_is_none_is_wrong_usage() {
        CliException wrong = assertThrows(CliException.class, () -> Session.endpoints("a, b:x", 4321));
        assertEquals(ExitCode.USAGE, wrong.exitCode());
        assertTrue(String.valueOf(wrong.getMessage()).contains("'b:x'"), wrong.toString());
    }

    @Test
    void json_is_read_as_it_is_written() {
        Map<String, Object> object = Json.object("{\"a\":{\"b\":[1,-2.5,true,\"x\\u0041\\n\\\"\"]},\"c\":{},\"d\":[]}");
        assertEquals("{\"a\":{\"b\":[1,-2.5,true,\"xA\\n\\\"\"]},\"c\":{},\"d\":[]}", Json.text(object));
        for (String wrong : List.of("", "[]", "{", "{\"a\"}", "{\"a\":}", "{\"a\":1", "{\"a\":\"", "{} x", "{a:1}")) {
            assertThrows(IllegalArgumentException.class, () -> Json.object(wrong), wrong);
        }
    }
}
