package io.dshm.server.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.client.CommandFailedException;
import io.dshm.client.DshmConnection;
import io.dshm.proto.Command;
import io.dshm.proto.ErrorCode;
import io.dshm.proto.Key;
import io.dshm.proto.ReadMode;
import io.dshm.proto.Reply;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a node has acknowledged, that node shows: to the client that wrote it, and to all others. */
class ReadsIT {

    private static final int ROUNDS = 1_000;
    private static final int EXPIRIES = 20;
    private static final int PIPELINES = 40;
    private static final int PIPELINE_COMMANDS = 60;

    @RegisterExtension
    static final Processes PROCESSES = Processes.perClass();

    private static ClusterProcess cluster;

    @BeforeAll
    static void start() throws IOException, InterruptedException {
        cluster = PROCESSES.newCluster().start();
    }

    @Test
    void what_a_follower_acknowledged_it_shows_at_once_on_every_connection() throws IOException, InterruptedException {
        NodeProcess follower = cluster.follower();
        try (DshmConnection writer = follower.connect();
                DshmConnection other = follower.connect()) {
            for (long round = 1; round <= ROUNDS; round++) {
                String key = "reads::" + round % 7;
                long value = writer.incr(key, 1);
                DshmConnection reader = round % 2 == 0 ? writer : other;
                assertEquals(Long.toString(value), text(reader.get(key).orElseThrow()), "round " + round);
            }
        }
    }

    @Test
    void what_any_node_acknowledged_every_node_shows_to_linearizable_reads() throws IOException {
        List<NodeProcess> nodes = cluster.nodes();
        Random random = new Random(13);
        List<DshmConnection> connections = new ArrayList<>();
        try {
            for (NodeProcess node : nodes) {
                connections.add(node.connect());
            }
            DshmConnection switched = connections.get(2);
            switched.readMode(ReadMode.LINEARIZABLE);
            for (long round = 1; round <= ROUNDS; round++) {
                String key = "linearizable::" + round % 7;
                long value = connections.get(random.nextInt(nodes.size())).incr(key, 1);
                DshmConnection reader = connections.get(random.nextInt(nodes.size()));
                Optional<byte[]> read = reader == switched ? reader.get(key) : reader.get(key, ReadMode.LINEARIZABLE);
                assertEquals(Long.toString(value), text(read.orElseThrow()), "round " + round);
            }
        } finally {
            for (DshmConnection connection : connections) {
                connection.close();
            }
        }
    }

    @Test
    void what_one_linearizable_read_saw_expired_no_other_sees_alive() throws IOException {
        try (DshmConnection writer = cluster.nodes().get(0).connect();
                DshmConnection first = cluster.nodes().get(1).connect();
                DshmConnection second = cluster.nodes().get(2).connect()) {
            for (int round = 0; round < EXPIRIES; round++) {
                String key = "expiring::" + round;
                writer.set(key, bytes(round), Duration.ofMillis(100));
                assertTrue(second.get(key, ReadMode.LINEARIZABLE).isPresent(), "a tenth of a second has not passed");
                Optional<byte[]> seen;
                do {
                    seen = first.get(key, ReadMode.LINEARIZABLE);
                } while (seen.isPresent());
                assertEquals(Optional.empty(), second.get(key, ReadMode.LINEARIZABLE), "round " + round);
            }
        }
    }

    @Test
    void a_node_that_is_cut_off_refuses_local_reads_as_soon_as_they_may_be_too_old()
            throws IOException, InterruptedException {
        ClusterProcess bounded = PROCESSES
                .newCluster()
                .with("--max-staleness-millis", "1000", "--request-timeout-millis", "2000", "--read-mode", "LOCAL")
                .start();
        NodeProcess alone = bounded.follower();
        try (DshmConnection connection = alone.connect()) {
            connection.set("stale::k", bytes(1), Duration.ZERO);
            assertEquals(Optional.of("1"), connection.get("stale::k").map(ReadsIT::text));
            assertTrue(alone.statusNumber("lagMillis") < 10_000);
            for (NodeProcess other : bounded.others(alone)) {
                other.kill();
            }
            Await.until("the local read is refused", () -> isRefused(() -> connection.get("stale::k")));
            assertTrue(alone.statusNumber("lagMillis") > 1000);
            assertTrue(isRefused(() -> connection.get("stale::k", ReadMode.LINEARIZABLE)));
            bounded.start();
            Await.until("the local read is answered again", () -> !isRefused(() -> connection.get("stale::k")));
        }
    }

    private interface Read {
        Optional<byte[]> read() throws IOException;
    }

    private static boolean isRefused(Read read) throws IOException {
        try {
            assertEquals(Optional.of("1"), read.read().map(ReadsIT::text));
            return false;
        } catch (CommandFailedException e) {
            assertEquals(ErrorCode.NO_LEADER, e.code());
            return true;
        }
    }

    @Test
    void what_a_follower_flushed_it_shows_no_more() throws IOException, InterruptedException {
        NodeProcess follower = cluster.follower();
        try (DshmConnection writer = follower.connect();
                DshmConnection other = follower.connect()) {
            for (int round = 0; round < ROUNDS / 10; round++) {
                writer.set("flushed::key", new byte[] {'v'}, Duration.ZERO);
                writer.flushAll("flushed");
                assertEquals(Optional.empty(), other.get("flushed::key"), "round " + round);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ReadMode.class)
    void pipelined_commands_take_effect_one_after_the_other(ReadMode mode) throws IOException {
        Random random = new Random(7);
        for (NodeProcess node : cluster.nodes()) {
            Key key = Key.of("pipelined::" + node);
            try (DshmConnection connection = node.connect()) {
                connection.readMode(mode);
                connection.delete(key.toString());
                long value = 0;
                for (int pipeline = 0; pipeline < PIPELINES; pipeline++) {
                    List<Command> commands = new ArrayList<>();
                    List<Long> expected = new ArrayList<>();
                    for (int i = 0; i < PIPELINE_COMMANDS; i++) {
                        switch (random.nextInt(4)) {
                            case 0 -> {
                                value = random.nextInt(1000);
                                commands.add(new Command.Set(key, 0, bytes(value)));
                            }
                            case 1 -> {
                                value += 3;
                                commands.add(new Command.Incr(key, 3, 0, 0));
                            }
                            default -> {
                                if (commands.isEmpty()) {
                                    commands.add(new Command.Incr(key, 0, 0, 0));
                                } else {
                                    commands.add(new Command.Get(key));
                                }
                            }
                        }
                        expected.add(value);
                    }
                    connection.sendAll(commands);
                    for (int i = 0; i < expected.size(); i++) {
                        Reply.Value reply = (Reply.Value) connection.receive();
                        assertEquals(Long.toString(expected.get(i)), text(reply.bytes()), "" + commands.get(i));
                    }
                }
            }
        }
    }

    @Test
    void long_replies_among_short_ones_come_whole_and_in_their_order() throws IOException {
        for (NodeProcess node : cluster.nodes()) {
            try (DshmConnection connection = node.connect()) {
                Key small = Key.of("order::small");
                List<Key> keys = new ArrayList<>(List.of(small));
                connection.set(small.toString(), bytes(1), Duration.ZERO);
                for (int length : new int[] {100_000, 131_072, 140_000, 1_000_000}) {
                    Key key = Key.of("order::" + length);
                    keys.add(key);
                    connection.set(
                            key.toString(), "x".repeat(length).getBytes(StandardCharsets.US_ASCII), Duration.ZERO);
                }
                List<Command> commands = new ArrayList<>();
                List<Integer> expected = new ArrayList<>();
                Random random = new Random(11);
                for (int i = 0; i < 100; i++) {
                    Key key = keys.get(random.nextInt(keys.size()));
                    // INCR on a value that is no integer replies it as it is, however long it is.
                    commands.add(
                            !key.equals(small) && random.nextInt(3) == 0
                                    ? new Command.Incr(key, 1, 0, 0)
                                    : new Command.Get(key));
                    expected.add(
                            key.equals(small)
                                    ? 1
                                    : Integer.parseInt(key.toString().substring("order::".length())));
                }
                connection.sendAll(commands);
                for (int i = 0; i < expected.size(); i++) {
                    assertEquals(
                            expected.get(i), ((Reply.Value) connection.receive()).bytes().length, "" + commands.get(i));
                }
            }
        }
    }

    private static byte[] bytes(long number) {
        return Long.toString(number).getBytes(StandardCharsets.US_ASCII);
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.US_ASCII);
    }
}
