package io.dshm.client.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Lines, what they show and how they end, against a server that answers as the test says. */
@Timeout(60)
class CliTest {

    private static final String NOBODY = "127.0.0.1:1";

    private static Run answered(String answer, String... words) throws IOException {
        try (FakeNode node = FakeNode.always(answer)) {
            return Run.on(node.address(), words);
        }
    }

    private static void shows(String expected, String answer, String... words) throws IOException {
        assertEquals(new Run(ExitCode.OK, expected, ""), answered(answer, words));
    }

    @Test
    void shows_values_numbers_and_words() throws IOException {
        shows("hello\n", "LEN 5\r\nhello\r\nDONE\r\n", "get", "k");
        shows("hello", "LEN 5\r\nhello\r\nDONE\r\n", "get", "k", "--raw");
        shows("DONE\n", "LEN 1\r\nv\r\nDONE\r\n", "set", "k", "v");
        shows("-7\n", "LEN 2\r\n-7\r\nDONE\r\n", "incr", "k", "-8");
        shows("version=7\n", "DONE version=7\r\n", "add", "k", "v");
        shows("type=list length=2 version=7\n", "DONE type=list length=2 version=7\r\n", "stat", "k");
        shows("length=1 type=number version=7\n5\n", "LEN 1 type=number version=7\r\n5\r\nDONE\r\n", "fetch", "k");
        shows("1.005\n", "DONE type=raw length=1 ttl=1005 version=7\r\n", "ttl", "k");
        shows("never\n", "DONE type=raw length=1 version=7\r\n", "ttl", "k");
        shows("0.5\n", "LEN 3\r\n0.5\r\nDONE\r\n", "incr-number", "k", "-1");
        shows("99\n", "LEN 2\r\n99\r\nDONE\r\n", "limiter", "k", "100", "1m");
        shows("x\n", "LEN 1 type=string\r\nx\r\nDONE\r\n", "pop", "k");
        shows("DONE\n", "DONE\r\n", "ping");
    }

    @Test
    void shows_json_one_object_a_line() throws IOException {
        shows(
                "{\"key\":\"k\",\"value\":\"a\\\"b\\n\\u0001é\"}\n",
                "LEN 7\r\na\"b\n\u0001é\r\nDONE\r\n",
                "get",
                "k",
                "--json");
        shows("{\"value\":8}\n", "LEN 1\r\n8\r\nDONE\r\n", "--json", "incr", "k");
        shows("{\"value\":0.5}\n", "LEN 3\r\n0.5\r\nDONE\r\n", "--json", "incr-number", "k");
        shows("{\"value\":\"inf\"}\n", "LEN 3\r\ninf\r\nDONE\r\n", "--json", "incr-number", "k");
        shows("{\"done\":true}\n", "DONE\r\n", "--json", "del", "k");
        shows("{\"key\":\"k\",\"ttlMillis\":null}\n", "DONE type=raw length=1 version=7\r\n", "--json", "ttl", "k");
        shows(
                "{\"type\":\"number\",\"length\":1,\"version\":7}\n",
                "DONE type=number length=1 version=7\r\n",
                "stat",
                "k",
                "--json");
        assertEquals(
                new Run(ExitCode.NO, "{\"error\":\"not_found\",\"message\":\"not_found\",\"exit\":1}\n", ""),
                answered("ERROR not_found\r\n", "--json", "get", "k"));
    }

    @Test
    void bytes_that_are_no_text_are_base64_in_json() {
        Map<String, Object> members = new LinkedHashMap<>();
        Output.putBytes(members, "value", new byte[] {(byte) 0xFF, 0});
        assertEquals("{\"valueBase64\":\"/wA=\"}", Json.text(members));
    }

    @Test
    void every_error_has_an_exit_code_and_says_what_to_do() throws IOException {
        assertEquals(new Run(ExitCode.NO, "", "dshm: not_found\n"), answered("ERROR not_found\r\n", "get", "k"));
        String tooFew = "allowed=0 limit=1 remaining=0 reset=5 retry=5";
        assertEquals(
                new Run(ExitCode.NO, tooFew + "\n", ""),
                answered("DONE " + tooFew + "\r\n", "take", "k", "fixed", "1", "1"));
        assertEquals(new Run(ExitCode.NO, "-1\n", ""), answered("LEN 2\r\n-1\r\nDONE\r\n", "limiter", "k", "1", "1"));
        Run exists = answered("ERROR exists\r\n", "add", "k", "v");
        assertEquals(ExitCode.NO, exists.exitCode());
        assertTrue(exists.err().contains("dshm stat KEY"), exists.err());
        Run refused = answered("ERROR malformed_request FOO is no verb\r\n", "ping");
        assertEquals(ExitCode.REFUSED, refused.exitCode());
        assertTrue(refused.err().contains("malformed_request: FOO is no verb"), refused.err());
        assertEquals(
                ExitCode.UNAVAILABLE,
                answered("ERROR out_of_memory\r\n", "set", "k", "v").exitCode());
        assertEquals(
                ExitCode.UNKNOWN,
                answered("ERROR unknown_outcome\r\n", "set", "k", "v").exitCode());
        assertEquals(
                ExitCode.REFUSED,
                answered("LEN 3\r\nabc\r\nDONE\r\n", "incr", "k").exitCode());
        Run nobody = Run.on(NOBODY, "get", "k");
        assertEquals(ExitCode.UNAVAILABLE, nobody.exitCode());
        assertTrue(nobody.err().contains("127.0.0.1:1: connection refused"), nobody.err());
    }

    @Test
    void exit_codes_never_change() {
        assertEquals(
                List.of(0, 1, 2, 3, 4, 5),
                Stream.of(
                                ExitCode.OK,
                                ExitCode.NO,
                                ExitCode.USAGE,
                                ExitCode.REFUSED,
                                ExitCode.UNAVAILABLE,
                                ExitCode.UNKNOWN)
                        .map(ExitCode::number)
                        .toList());
    }

    private static void isWrongUsage(String hint, String... words) {
        Run run = Run.on(NOBODY, words);
        assertEquals(ExitCode.USAGE, run.exitCode(), run::toString);
        assertTrue(run.err().contains(hint), run.err());
    }

    @Test
    void wrong_usage_is_found_before_anything_is_sent() {
        isWrongUsage("there is no word 'delete'", "delete", "k");
        isWrongUsage("Missing required parameter: 'KEY'", "get");
        isWrongUsage("'c' is one word too many", "set", "a", "b", "c");
        isWrongUsage("there is no option --tll", "set", "a", "b", "--tll=3");
        isWrongUsage("BY is an integer of 64 bits, not 'x'", "incr", "k", "x");
        isWrongUsage("--ttl is a time", "set", "k", "v", "--ttl", "1y");
        isWrongUsage("a space as %20", "get", "a b");
        isWrongUsage("which region?", "flush");
        isWrongUsage("--read is one of local, ", "get", "k", "--read", "fresh");
        isWrongUsage("there is no file /nowhere", "set", "k", "@/nowhere");
        isWrongUsage("--if is absent, present or a version above 0", "put", "k", "v", "--if", "0");
        isWrongUsage("CAPACITY is 0 to 1000000", "limiter", "k", "1000001", "1");
        isWrongUsage("ALGORITHM is fixed, log, counter, gcra or leaky", "take", "k", "token", "1", "1");
        isWrongUsage("a limit is ALGORITHM LIMIT PERIOD, or --policy NAME", "take", "k", "fixed", "1");
        isWrongUsage("--holder is 1 to 128 bytes", "acquire", "k", "5", "--ttl", "5");
        isWrongUsage("--ttl is 1 ms", "acquire", "k", "5", "--holder", "h");
        isWrongUsage("is not an address", "get", "k", "--endpoints", "a:b");
        isWrongUsage("for bash and for zsh", "completion", "fish");
    }

    @Test
    void values_come_from_arguments_stdin_and_files(@TempDir Path folder) throws IOException {
        Path file = Files.writeString(folder.resolve("value"), "from a file\n");
        try (FakeNode node = FakeNode.always("LEN 0\r\n\r\nDONE\r\n")) {
            Map<String, String> environment = Map.of("DSHM_ENDPOINTS", node.address());
            Run.of(environment, "from\0stdin", "set", "k", "-");
            Run.of(environment, "", "set", "k", "@" + file);
            Run.of(environment, "", "set", "k", "@@home");
            Run.of(environment, "", "set", "k", "--", "--json");
            Run.of(environment, "", "set", "k", "-1");
            assertEquals(
                    List.of(
                            "SET k 0 10 from\0stdin",
                            "SET k 0 12 from a file\n",
                            "SET k 0 5 @home",
                            "SET k 0 6 --json",
                            "SET k 0 2 -1"),
                    node.plainRequests());
        }
    }

    @Test
    void keys_are_asked_for_page_by_page() throws IOException {
        try (FakeNode node = new FakeNode(request -> request.contains("after=9")
                ? "LEN 2 count=1\r\nc\n\r\nDONE\r\n"
                : "LEN 4 count=2 next=9\r\na\nb\n\r\nDONE\r\n")) {
            assertEquals(new Run(ExitCode.OK, "a\nb\nc\n", ""), Run.on(node.address(), "keys", "r"));
            assertEquals(new Run(ExitCode.OK, "a\nb\n", ""), Run.on(node.address(), "keys", "r", "--max", "2"));
            assertEquals(List.of("KEYS r max=1024", "KEYS r max=1024 after=9", "KEYS r max=2"), node.requests());
        }
    }

    @Test
    void multi_is_one_request_and_shows_each_reply() throws IOException {
        try (FakeNode node = FakeNode.always("LEN 33\r\nLEN 1\r\n1\r\nDONE\r\nERROR not_found\r\n\r\nDONE\r\n")) {
            Run run = Run.of(
                    Map.of("DSHM_ENDPOINTS", node.address()), "get a\n# comment\n\nget b", "multi", "--region", "r");
            assertEquals(new Run(ExitCode.NO, "1\n", "dshm: not_found\n"), run);
            assertEquals(List.of("MULTI 20 GET r::a\r\nGET r::b\r\n"), node.requests());
        }
        isWrongUsage("1 to 1024 words", "multi");
    }

    @Test
    void take_all_is_one_request_and_says_no_if_one_is_refused() throws IOException {
        String replies = "DONE allowed=1 limit=5\r\nDONE allowed=0 limit=1\r\n";
        try (FakeNode node = FakeNode.always("LEN 48 allowed=0 refused=2\r\n" + replies + "\r\nDONE\r\n")) {
            Run run = Run.of(
                    Map.of("DSHM_ENDPOINTS", node.address()),
                    "take a fixed 5 60\ntake b log 1 1 --cost 2\n",
                    "take-all",
                    "--region",
                    "r");
            assertEquals(new Run(ExitCode.NO, "allowed=1 limit=5\nallowed=0 limit=1\n", ""), run);
            String sent = node.requests().get(0).replaceFirst(" id=[0-9]+ seq=[0-9]+ done=[0-9]+", "");
            assertEquals("TAKE_ALL 48 TAKE r::a fixed 5 60\r\nTAKE r::b log 1 1 cost=2\r\n", sent);
        }
        isWrongUsage("1 to 100 limits", "take-all");
    }

    @Test
    void a_script_goes_on_after_no_and_stops_at_a_failure() throws IOException {
        try (FakeNode node =
                new FakeNode(request -> request.startsWith("GET") ? "ERROR not_found\r\n" : "LEN 1\r\n1\r\nDONE\r\n")) {
            Map<String, String> environment = Map.of("DSHM_ENDPOINTS", node.address());
            Run run = Run.of(
                    environment,
                    "# a comment\n\nget k\nset k 'a b'\nincr k --json\nincr k x\nincr k\n",
                    "--region",
                    "r");
            assertEquals(ExitCode.USAGE, run.exitCode());
            assertEquals("DONE\n{\"value\":1}\n", run.out());
            assertEquals(List.of("GET r::k", "SET r::k 0 3 a b", "INCR r::k 1 0"), node.plainRequests());
            assertEquals(
                    ExitCode.NO, Run.of(environment, "get k\nquit\nset k v").exitCode());
            assertEquals(ExitCode.USAGE, Run.of(environment, "set k -\nx").exitCode());
        }
    }

    @Test
    void words_are_split_as_in_a_shell() throws CliException {
        assertEquals(
                List.of("set", "k", "a b", "it's", "\"", ""),
                List.of(LineSplitter.split("set k 'a b' \"it's\" \\\" ''")));
        assertEquals(List.of(), List.of(LineSplitter.split("  # nothing")));
    }

    @Test
    void the_prompt_completes_words_and_their_options() {
        assertTrue(Prompt.WordCompleter.complete(List.of("li"), 0).contains("limiter"));
        assertTrue(Prompt.WordCompleter.complete(List.of("set", "k", "v", "--t"), 3)
                .contains("--ttl"));
        assertTrue(!Prompt.WordCompleter.complete(List.of("get", "k", "--t"), 2).contains("--ttl"));
    }
}
