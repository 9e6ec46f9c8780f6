package io.dshm.client.cli;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Pem;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import javax.net.ServerSocketFactory;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code dshm bench} against servers that tell the truth, that lie, and that stand still. */
@Timeout(60)
class BenchCommandTest {

    private static final String ALL = "get=4,set=4,add=1,cas=4,delete=1,incr=4,take=1,push=2,pop=2,touch=1,ping=1";

    /** A run with a few connections and keys and a fixed number of requests, unless these options say otherwise. */
    private static Run bench(FakeNode node, String mix, String... more) {
        List<String> words = new ArrayList<>(List.of("bench", "--mix", mix, "--warm-up", "0", "--json"));
        List<String> given = Arrays.asList(more);
        Map.of("--connections", "4", "--keys", "5", "--count", "2000").forEach((option, value) -> {
            if (!given.contains(option)) {
                words.addAll(List.of(option, value));
            }
        });
        words.addAll(given);
        return Run.on(node.address(), words.toArray(new String[0]));
    }

    private static Map<String, Object> json(Run run) {
        return Json.object(run.out());
    }

    private static long violations(Run run, String kind) {
        return json(run).get("violations") instanceof Map<?, ?> kinds && kinds.get(kind) instanceof Long count
                ? count
                : -1;
    }

    /** A store some of whose answers are changed. */
    private static FakeNode lying(UnaryOperator<String> store, Lie lie) throws IOException {
        return new FakeNode(request -> lie.told(request, store));
    }

    private interface Lie {
        String told(String request, UnaryOperator<String> store);
    }

    @ParameterizedTest
    @ValueSource(strings = {"1", "3"})
    void a_server_that_tells_the_truth_has_no_violations(String threads) throws IOException {
        try (FakeNode node = new FakeNode(new FakeStore())) {
            Run run = bench(node, ALL, "--threads", threads, "--pipeline", "3", "--distribution", "zipf");
            assertEquals(ExitCode.OK, run.exitCode(), run.out() + run.err());
            assertEquals(
                    Map.of("counts", 0L, "limits", 0L, "reads", 0L, "lists", 0L, "adds", 0L),
                    json(run).get("violations"));
            assertEquals(2000L, json(run).get("requests"));
            assertEquals(Map.of(), json(run).get("errors"));
        }
    }

    @Test
    void a_number_that_comes_twice_is_found() throws IOException {
        AtomicInteger requests = new AtomicInteger();
        FakeStore store = new FakeStore();
        try (FakeNode node = lying(
                store,
                (request, honest) -> request.startsWith("INCR") && requests.incrementAndGet() % 100 == 0
                        ? honest.apply(request.replaceFirst("INCR (\\S+) .*", "GET $1"))
                        : honest.apply(request))) {
            Run run = bench(node, "incr");
            assertEquals(ExitCode.NO, run.exitCode());
            assertTrue(violations(run, "counts") > 0, run.out());
        }
    }

    @Test
    void a_counter_that_lost_some_in_the_end_is_found() throws IOException {
        try (FakeNode node = lying(
                new FakeStore(),
                (request, honest) -> request.startsWith("GET") ? FakeStore.value("1") : honest.apply(request))) {
            Run run = bench(node, "incr", "--keys", "1");
            assertEquals(ExitCode.NO, run.exitCode());
            assertEquals(1, violations(run, "counts"), run.out());
            assertTrue(run.out().contains("1 in the end, but 2000 were acknowledged"), run.out());
        }
    }

    @Test
    void unknown_outcomes_widen_what_a_counter_may_say() throws IOException {
        AtomicInteger requests = new AtomicInteger();
        try (FakeNode node = lying(new FakeStore(), (request, honest) -> {
            int number = request.startsWith("INCR") ? requests.incrementAndGet() : 1;
            String answer = number % 20 == 0 ? "" : honest.apply(request);
            return number % 10 == 0 ? "ERROR timeout\r\n" : answer;
        })) {
            Run run = bench(node, "incr");
            assertEquals(ExitCode.OK, run.exitCode(), run.out());
            assertEquals(Map.of("timeout", 200L), json(run).get("errors"));
        }
    }

    @Test
    void a_limit_that_admits_too_many_is_found() throws IOException {
        try (FakeNode node = lying(
                new FakeStore(),
                (request, honest) ->
                        request.startsWith("TAKE") ? "DONE allowed=1 limit=9\r\n" : honest.apply(request))) {
            Run run = bench(node, "take", "--limit", "100/1h");
            assertEquals(ExitCode.NO, run.exitCode());
            assertEquals(2 * (2000 - 5 * 100), violations(run, "limits") + 2000 - 5 * 100, run.out());
        }
    }

    @Test
    void a_read_of_what_was_there_before_an_acknowledged_write_is_found() throws IOException {
        Map<String, String> first = new HashMap<>();
        try (FakeNode node = lying(new FakeStore(), (request, honest) -> {
            String answer = honest.apply(request);
            String key = request.split(" ", -1)[1];
            synchronized (first) {
                return request.startsWith("GET") ? first.computeIfAbsent(key, name -> answer) : answer;
            }
        })) {
            Run run = bench(node, "get=1,set=1");
            assertEquals(ExitCode.NO, run.exitCode());
            assertTrue(violations(run, "reads") > 5, run.out());
        }
    }

    @Test
    void an_acknowledged_value_that_is_gone_is_found() throws IOException {
        AtomicInteger writes = new AtomicInteger();
        try (FakeNode node = lying(
                new FakeStore(),
                (request, honest) -> request.startsWith("SET") && writes.incrementAndGet() > 100
                        ? FakeStore.value(request.substring(request.lastIndexOf(' ') + 1))
                        : honest.apply(request))) {
            // One connection: what several do at once on a machine that stands still cannot be kept apart.
            Run run = bench(node, "set", "--connections", "1");
            assertEquals(ExitCode.NO, run.exitCode());
            assertEquals(5, violations(run, "reads"), run.out());
        }
    }

    @Test
    void an_element_that_comes_twice_or_never_is_found() throws IOException {
        AtomicInteger pops = new AtomicInteger();
        AtomicInteger pushes = new AtomicInteger();
        try (FakeNode node = lying(new FakeStore(), (request, honest) -> {
            if (request.startsWith("RPUSH") && pushes.incrementAndGet() == 10) {
                return FakeStore.value("1");
            }
            String answer = honest.apply(request);
            if (request.startsWith("LPOP") && answer.startsWith("LEN") && pops.incrementAndGet() == 10) {
                String again = answer.lines().skip(1).findFirst().orElse("");
                assertFalse(honest.apply(request.replace("LPOP", "RPUSH") + " 64 " + again)
                        .isEmpty());
            }
            return answer;
        })) {
            Run run = bench(node, "push=1,pop=1");
            assertEquals(ExitCode.NO, run.exitCode());
            assertEquals(2, violations(run, "lists"), run.out());
        }
    }

    @Test
    void a_lost_update_is_found() throws IOException {
        try (FakeNode node = lying(new FakeStore(), (request, honest) -> {
            String[] words = request.split(" ", -1);
            if (words[0].equals("PUT")) {
                assertFalse(honest.apply("SET " + words[1] + " 0 1 " + words[words.length - 1])
                        .isEmpty());
                return "DONE version=1\r\n";
            }
            return honest.apply(request);
        })) {
            assertTrue(violations(bench(node, "cas", "--keys", "1"), "counts") > 0);
            assertEquals(2000 - 5, violations(bench(node, "add"), "adds"));
        }
    }

    @Test
    void an_open_loop_counts_the_time_in_which_the_server_stood_still() throws IOException {
        AtomicInteger requests = new AtomicInteger();
        try (FakeNode node = lying(new FakeStore(), (request, honest) -> {
            if (requests.incrementAndGet() == 200) {
                try {
                    TimeUnit.MILLISECONDS.sleep(400); // it is what is measured
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }
            return honest.apply(request);
        })) {
            Run run = bench(node, "ping", "--rate", "1000", "--count", "1000", "--connections", "1");
            assertEquals(ExitCode.OK, run.exitCode(), run.out());
            Map<?, ?> latency = map(json(run), "latency");
            assertEquals(1000L, latency.get("count"));
            // Of the 1000 that were due, 400 were due while it stood still, and waited half of that on average.
            assertTrue(number(latency, "p90") > 200, run.out());
            assertTrue(number(latency, "p99") > 350, run.out());
        }
    }

    @Test
    void a_connection_that_breaks_leaves_outcomes_unknown_and_the_load_goes_on() throws IOException {
        AtomicInteger requests = new AtomicInteger();
        try (FakeNode node = lying(new FakeStore(), (request, honest) -> {
            String answer = honest.apply(request);
            return request.startsWith("INCR") && requests.incrementAndGet() % 500 == 0 ? "" : answer;
        })) {
            Run run = bench(node, "incr");
            assertEquals(ExitCode.OK, run.exitCode(), run.out());
            assertEquals(4L, json(run).get("breaks"), run.out());
            assertEquals(
                    Map.of("the server closed the connection", 4L), json(run).get("errors"));
        }
    }

    @Test
    void another_server_takes_turns_and_the_page_needs_nothing_else(@TempDir Path folder) throws IOException {
        Path page = folder.resolve("page.html");
        try (FakeNode node = new FakeNode(new FakeStore());
                FakeNode other = new FakeNode(new FakeStore())) {
            Run run = bench(
                    node,
                    "get,incr",
                    "--compare",
                    "dshm://" + other.address(),
                    "--rounds",
                    "2",
                    "--count",
                    "200",
                    "--html",
                    page.toString());
            assertEquals(ExitCode.OK, run.exitCode(), run.out());
            List<Map<String, Object>> lines =
                    run.out().lines().map(Json::object).toList();
            assertEquals(
                    List.of("DSHM", "dshm", "DSHM", "dshm"),
                    lines.stream().limit(4).map(line -> line.get("target")).toList());
            Map<?, ?> medians = map(lines.get(4), "medians");
            double one = number(map(medians, "DSHM"), "perSecond");
            double two = number(map(medians, "dshm"), "perSecond");
            assertEquals(one / two, number(map(medians, "ratios"), "perSecond"), 0.01);
        }
        String text = Files.readString(page);
        assertTrue(text.contains("<svg") && text.contains("polyline class=\"s1\"") && text.contains("dark"), text);
        assertTrue(!text.contains("http:") && !text.contains("https:") && !text.contains("NaN"), text);
    }

    @Test
    void what_another_server_does_not_have_is_refused() {
        for (String[] wrong : new String[][] {
            {"redis://127.0.0.1:1", "get=1,take=1", "take"},
            {"memcached://127.0.0.1:1", "push,pop", "push, pop"},
            {"etcd://127.0.0.1:1", "incr", "incr"},
            {"ftp://127.0.0.1:1", "get", "--compare"},
        }) {
            Run run = Run.on("127.0.0.1:1", "bench", "--compare", wrong[0], "--mix", wrong[1]);
            assertEquals(ExitCode.USAGE, run.exitCode());
            assertTrue(run.err().contains(wrong[2]), run.err());
        }
    }

    @Test
    void it_does_not_begin_where_nobody_listens_or_with_wrong_options() throws IOException {
        FakeNode gone = new FakeNode(new FakeStore());
        gone.close();
        assertEquals(ExitCode.UNAVAILABLE, bench(gone, "get").exitCode());
        for (String[] wrong : new String[][] {
            {"--mix", "get=80,jump=20"},
            {"--mix", "get=0"},
            {"--mix", "get,get"},
            {"--distribution", "normal"},
            {"--value-size", "7"},
            {"--value-size", "100-10"},
            {"--limit", "100"},
            {"--algorithm", "dice"},
            {"--threads", "49"},
            {"--connections", "0"},
        }) {
            Run run = Run.on(gone.address(), "bench", wrong[0], wrong[1]);
            assertEquals(ExitCode.USAGE, run.exitCode(), wrong[1] + run.err());
            assertTrue(run.err().contains(wrong[0]), run.err());
        }
    }

    private static Map<?, ?> map(Map<?, ?> fields, String name) {
        return (Map<?, ?>) requireNonNull(fields.get(name), name);
    }

    private static double number(Map<?, ?> fields, String name) {
        return ((Number) requireNonNull(fields.get(name), name)).doubleValue();
    }

    /** Who does not say this first may do nothing. */
    private static UnaryOperator<String> asksWho(UnaryOperator<String> store, String user, String secret) {
        return request -> request.startsWith("AUTH ")
                ? request.equals("AUTH " + encoded(user) + " " + encoded(secret)) ? "DONE\r\n" : "ERROR denied\r\n"
                : store.apply(request);
    }

    private static String encoded(String word) {
        return HexFormat.of().withUpperCase().withPrefix("%").formatHex(word.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void tls_and_users_are_those_of_the_other_words(@TempDir Path folder) throws Exception {
        Path right = Files.writeString(folder.resolve("right"), "s:ecret");
        Path wrong = Files.writeString(folder.resolve("wrong"), "other");
        ServerSocketFactory ports = certificates(folder.resolve("own"));
        certificates(folder.resolve("foreign"));
        try (FakeNode node = new FakeNode(asksWho(new FakeStore(), "app", "s:ecret"), ports)) {
            String[] own = {"--ca", folder + "/own/ca.pem", "--user", "app", "--secret-file", right.toString()};
            Run run = bench(node, ALL, own);
            assertEquals(ExitCode.OK, run.exitCode(), run.out() + run.err());
            assertEquals(2000L, json(run).get("requests"));
            assertEquals(Map.of(), json(run).get("errors"));

            own[5] = wrong.toString();
            run = bench(node, ALL, own);
            assertEquals(ExitCode.UNAVAILABLE, run.exitCode());
            assertTrue(run.out().contains("AUTH was refused"), run.out());

            own[1] = folder + "/foreign/ca.pem";
            run = bench(node, ALL, own);
            assertEquals(ExitCode.UNAVAILABLE, run.exitCode());
            assertTrue(run.out().contains("certification path"), run.out());
        }
    }

    /** Makes an authority, and ports with a certificate of it. */
    private static ServerSocketFactory certificates(Path folder) throws Exception {
        Path command = Path.of("../../deploy/bin/dshm-certs").toAbsolutePath().normalize();
        for (List<String> words : List.of(List.of("ca"), List.of("node", "n1", "127.0.0.1"))) {
            List<String> line = new ArrayList<>(List.of(command.toString(), folder.toString()));
            line.addAll(words);
            assertEquals(
                    0,
                    new ProcessBuilder(line)
                            .redirectErrorStream(true)
                            .redirectOutput(Redirect.DISCARD)
                            .start()
                            .waitFor());
        }
        Pem.Identity identity = Pem.identity(folder.resolve("n1.pem"), folder.resolve("n1.key"));
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        store.setKeyEntry("n1", identity.key(), new char[0], identity.chain().toArray(new X509Certificate[0]));
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(store, new char[0]);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), null, null);
        return context.getServerSocketFactory();
    }
}
