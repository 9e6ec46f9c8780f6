package io.dshm.server.system;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.dshm.server.system.DshmCommand.Ended;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** The {@code dshm} command through its launcher, as a person or a script types it, with three nodes. */
class CliIT {

    private static final Path LAUNCHER = DshmCommand.LAUNCHER;
    private static final Path SCRIPT = Path.of("/usr/bin/script");

    @RegisterExtension
    final Processes processes = Processes.perTest();

    @TempDir
    Path folder;

    private ClusterProcess cluster;

    @BeforeEach
    void startNodes() throws IOException, InterruptedException {
        cluster = processes.newCluster().start();
    }

    private Ended run(List<NodeProcess> nodes, byte[] stdin, List<String> command)
            throws IOException, InterruptedException {
        return new DshmCommand(folder).run(nodes, stdin, command);
    }

    private Ended dshm(String... words) throws IOException, InterruptedException {
        return dshm(cluster.nodes(), new byte[0], words);
    }

    private Ended dshm(List<NodeProcess> nodes, byte[] stdin, String... words)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(LAUNCHER.toString()));
        command.addAll(List.of(words));
        return run(nodes, stdin, command);
    }

    private static void assertEnds(int status, String out, Ended ended) {
        assertEquals(out, ended.out(), ended.err());
        assertEquals(status, ended.status(), ended.err());
    }

    @Test
    void it_counts_on_when_the_leader_dies_and_says_when_nothing_was_changed() throws Exception {
        NodeProcess leader = cluster.awaitLeader();
        List<NodeProcess> leaderFirst = new ArrayList<>(List.of(leader));
        leaderFirst.addAll(cluster.others(leader));
        byte[] nothing = {};

        assertEnds(0, "1\n", dshm(leaderFirst, nothing, "incr", "visits"));
        Ended well = dshm(leaderFirst, nothing, "status");
        assertEquals(0, well.status(), well.out());
        assertEquals(3, well.out().lines().filter(line -> line.endsWith("  ok")).count(), well.out());
        assertTrue(well.out().lines().anyMatch(line -> line.matches(leader.name() + " .* leader .*")), well.out());

        leader.kill();
        assertEnds(0, "2\n", dshm(leaderFirst, nothing, "incr", "visits"));
        assertEnds(0, "{\"value\":3}\n", dshm(leaderFirst, nothing, "--json", "incr", "visits"));
        assertEnds(0, "3\n", dshm(leaderFirst, nothing, "get", "visits", "--read", "linearizable"));
        Ended degraded = dshm(leaderFirst, nothing, "status");
        assertEquals(1, degraded.status(), degraded.out());
        assertTrue(degraded.out().contains("connection refused"), degraded.out());

        leaderFirst.get(1).kill();
        // The command introduces itself first: without a majority it gets no further.
        Ended refused = dshm(leaderFirst, nothing, "incr", "visits", "--timeout", "1s");
        assertEquals(4, refused.status(), refused.err());
        assertTrue(refused.err().contains("nothing was changed"), refused.err());
        leaderFirst.get(2).kill();
        assertEquals(4, dshm(leaderFirst, nothing, "incr", "visits").status());
    }

    @Test
    void values_and_exit_codes_go_through_the_launcher() throws Exception {
        byte[] value = new byte[100_000];
        new Random(1).nextBytes(value);
        Path file = Files.write(folder.resolve("value"), value);
        assertEnds(0, "DONE\n", dshm("set", "files::a", "@" + file));
        assertArrayEquals(value, dshm("get", "files::a", "--raw").bytes());
        assertEnds(0, "DONE\n", dshm(cluster.nodes(), value, "set", "files::b", "-"));
        assertArrayEquals(value, dshm("get", "files::b", "--raw").bytes());
        assertEnds(0, "files::a\nfiles::b\n", dshm("keys", "files", "--read", "linearizable"));

        assertEnds(1, "", dshm("get", "nothing"));
        assertEquals(2, dshm("get").status());
        assertEnds(0, "1\n", dshm("push", "list", "x"));
        assertEquals(3, dshm("incr", "list").status());
        assertEquals(4, dshm("get", "k", "--endpoints", "127.0.0.1:1").status());
        assertEnds(0, "0\n", dshm("limiter", "limits::a", "1", "1h"));
        assertEnds(1, "-1\n", dshm("limiter", "limits::a", "1", "1h"));
        aFullRegionMakesRoomOrRefuses();
    }

    private void aFullRegionMakesRoomOrRefuses() throws IOException, InterruptedException {
        assertEnds(0, "", dshm("region", "set", "limited", "--bytes", "5000", "--policy", "evict"));
        StringBuilder script = new StringBuilder();
        for (int i = 0; i < 20; i++) {
            script.append("put limited::")
                    .append(i)
                    .append(' ')
                    .append("v".repeat(500))
                    .append('\n');
        }
        Ended filled = dshm(cluster.nodes(), script.toString().getBytes(StandardCharsets.UTF_8));
        assertEquals(0, filled.status(), filled.err());
        assertTrue(filled.out().contains(" evicted=yes\n"), filled.out());
        Ended listed = dshm("region", "list");
        assertTrue(
                listed.out().lines().anyMatch(line -> line.matches("limited +5000 +[345][0-9]{3} +[0-9] +evict")),
                listed.out());
        Ended refused = dshm("put", "limited::new", "v".repeat(2000), "--full", "refuse", "--timeout", "1s");
        assertEquals(4, refused.status(), refused.err());
        assertTrue(refused.err().contains("out_of_memory"), refused.err());
        assertEquals(2, dshm("region", "set", "limited", "--bytes", "many").status());
        assertEnds(0, "", dshm("region", "set", "limited", "--bytes", "0"));
        assertEquals(1, dshm("region", "list").out().lines().count(), "the headings");
    }

    @Test
    void commands_come_from_a_pipe_and_from_a_terminal() throws Exception {
        byte[] script = "set k 'a b'\nincr n 5\nget k\n\"\nincr n\n".getBytes(StandardCharsets.UTF_8);
        Ended piped = dshm(cluster.nodes(), script);
        assertEnds(2, "DONE\n5\na b\n", piped);
        assertTrue(piped.err().contains("is not closed"), piped.err());

        Ended completed = run(
                cluster.nodes(),
                new byte[0],
                List.of(
                        "bash",
                        "-c",
                        "source <(" + LAUNCHER
                                + " completion bash); COMP_WORDS=(dshm li); COMP_CWORD=1; _complete_dshm; echo ${COMPREPLY[*]}"));
        assertEnds(0, "limiter\n", completed);

        assumeTrue(Files.isExecutable(SCRIPT), "script of bsdutils makes a terminal");
        byte[] typed = "incr n 7\nget nothing\nquit\n".getBytes(StandardCharsets.UTF_8);
        String command = "stty cols 80 rows 24; " + LAUNCHER;
        Ended prompt = run(cluster.nodes(), typed, List.of(SCRIPT.toString(), "-qec", command, "/dev/null"));
        assertTrue(prompt.out().contains("dshm> "), prompt.out());
        assertTrue(prompt.out().contains("12\r\n"), prompt.out());
        assertTrue(prompt.out().contains("dshm: not_found"), prompt.out());
        assertTrue(Files.readString(folder.resolve("state/dshm/history")).contains("incr n 7"));
    }
}
