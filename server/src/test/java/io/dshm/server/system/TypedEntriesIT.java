package io.dshm.server.system;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.client.DshmConnection;
import io.dshm.proto.Command;
import io.dshm.proto.Condition;
import io.dshm.proto.ErrorCode;
import io.dshm.proto.Key;
import io.dshm.proto.ReadMode;
import io.dshm.proto.Reply;
import io.dshm.proto.ValueType;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What the verbs of typed entries promise across nodes. What they reply byte for byte stands in the conversations. */
class TypedEntriesIT {

    @RegisterExtension
    static final Processes PROCESSES = Processes.perClass();

    private static @Nullable ClusterProcess shared;

    private ClusterProcess cluster;

    @BeforeEach
    void start() throws IOException, InterruptedException {
        if (shared == null) {
            shared = PROCESSES.newCluster();
        }
        cluster = shared.start();
    }

    private static Key key(String name) {
        return Key.of("typed::" + name);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static String text(Reply reply) {
        return new String(assertInstanceOf(Reply.Value.class, reply).bytes(), StandardCharsets.US_ASCII);
    }

    @Test
    void a_write_with_an_identity_counts_once_however_many_nodes_it_is_sent_to_and_while_the_leader_dies()
            throws IOException, InterruptedException {
        long client = ThreadLocalRandom.current().nextLong(1, 1_000_000_000_000_000_000L);
        NodeProcess leader = cluster.awaitLeader();
        int rounds = 200;
        for (int sequence = 1; sequence <= rounds; sequence++) {
            Command.Write count =
                    new Command.Identified(client, sequence, new Command.IncrNumber(key("once"), 1, 0.0, 0));
            if (sequence == rounds / 2) {
                // Its reply is not waited for: whether it took effect before the leader died, nobody knows.
                try (DshmConnection dying = leader.connect()) {
                    dying.send(count);
                    leader.kill();
                }
            }
            for (NodeProcess node : cluster.nodes()) {
                if (node.isAlive()) {
                    assertEquals(Integer.toString(sequence), countedThrough(node, count));
                }
            }
        }
        leader.start();
        leader.awaitHealthy();
        try (DshmConnection connection = leader.connect()) {
            Reply again =
                    connection.call(new Command.Identified(client, 1, new Command.IncrNumber(key("once"), 1, 0.0, 0)));
            assertEquals("1", text(again), "the node that was away knows the outcomes, too");
        }
        cluster.assertEqualDigests();
    }

    /** As clients do: what was certainly not applied, or may have been, is sent again. */
    private static String countedThrough(NodeProcess node, Command.Write count)
            throws IOException, InterruptedException {
        return Await.value("an outcome through " + node, () -> {
            try (DshmConnection connection = node.connect()) {
                Reply reply = connection.call(count);
                boolean open = reply instanceof Reply.Failure failure
                        && (failure.code() == ErrorCode.NO_LEADER || failure.code() == ErrorCode.TIMEOUT);
                return open ? java.util.Optional.empty() : java.util.Optional.of(text(reply));
            }
        });
    }

    @Test
    void a_large_typed_value_is_whole_on_every_node_and_its_condition_holds_when_it_is_published()
            throws IOException, InterruptedException {
        byte[] large = new byte[3_000_000];
        ThreadLocalRandom.current().nextBytes(large);
        NodeProcess follower = cluster.follower();
        try (DshmConnection connection = follower.connect()) {
            Command.Put absent = new Command.Put(key("large"), 0, ValueType.STRING, 5, Condition.ABSENT, large);
            assertInstanceOf(Reply.Detailed.class, connection.call(absent));
            assertEquals(
                    ErrorCode.EXISTS,
                    assertInstanceOf(Reply.Failure.class, connection.call(absent))
                            .code());
        }
        for (NodeProcess node : cluster.nodes()) {
            try (DshmConnection connection = node.connect()) {
                Reply.Detailed fetched = assertInstanceOf(
                        Reply.Detailed.class,
                        connection.call(new Command.Fetch(key("large"), false, ReadMode.LINEARIZABLE)));
                assertArrayEquals(large, fetched.value());
                assertEquals("5", fetched.detail("flags"));
            }
        }
    }

    @Test
    void compare_and_set_through_all_nodes_loses_nothing() throws IOException, InterruptedException {
        int writers = 3;
        int each = 30;
        Thread[] threads = new Thread[writers];
        for (int i = 0; i < writers; i++) {
            NodeProcess node = cluster.nodes().get(i % cluster.nodes().size());
            threads[i] = new Thread(() -> {
                try (DshmConnection connection = node.connect()) {
                    for (int done = 0; done < each; done++) {
                        countByCompareAndSet(connection);
                    }
                } catch (IOException e) {
                    throw new java.io.UncheckedIOException(e);
                }
            });
            threads[i].start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        try (DshmConnection connection = cluster.awaitLeader().connect()) {
            assertEquals(
                    Integer.toString(writers * each),
                    text(connection.call(new Command.Get(key("cas"), ReadMode.LINEARIZABLE))));
        }
    }

    private static void countByCompareAndSet(DshmConnection connection) throws IOException {
        while (true) {
            Reply seen = connection.call(new Command.Fetch(key("cas"), false, ReadMode.LOCAL));
            Condition unchanged = Condition.ABSENT;
            long next = 1;
            if (seen instanceof Reply.Detailed entry && entry.value() != null) {
                unchanged = Condition.version(Long.parseLong(String.valueOf(entry.detail("version"))));
                next = Long.parseLong(new String(entry.value(), StandardCharsets.US_ASCII)) + 1;
            }
            byte[] value = bytes(Long.toString(next));
            Reply reply = connection.call(new Command.Put(key("cas"), 0, ValueType.NUMBER, 0, unchanged, value));
            if (reply instanceof Reply.Detailed) {
                return;
            }
        }
    }

    @Test
    void a_node_shows_in_a_list_of_keys_and_in_a_multi_what_it_has_acknowledged()
            throws IOException, InterruptedException {
        try (DshmConnection connection = cluster.follower().connect()) {
            for (int i = 0; i < 50; i++) {
                Key key = Key.of("typedkeys::" + i);
                connection.call(new Command.Put(key, 0, ValueType.NUMBER, 0, Condition.ANY, bytes("1")));
                Reply.Detailed keys = assertInstanceOf(
                        Reply.Detailed.class, connection.call(new Command.Keys(bytes("typedkeys"), 1000, 0, null)));
                assertEquals(Integer.toString(i + 1), keys.detail("count"));
                Reply both = connection.call(
                        new Command.MultiRead(List.of(new Command.Get(key), new Command.Stat(key, false, null)), null));
                assertTrue(text(both).startsWith("LEN 1\r\n1\r\nDONE\r\nDONE type=number"), () -> text(both));
            }
        }
    }

    @Test
    void a_node_says_who_it_is_and_who_leads() throws IOException, InterruptedException {
        NodeProcess leader = cluster.awaitLeader();
        for (NodeProcess node : cluster.nodes()) {
            try (DshmConnection connection = node.connect()) {
                Reply.Detailed info = assertInstanceOf(Reply.Detailed.class, connection.call(Command.Info.INFO));
                assertEquals("2", info.detail("protocol"));
                assertEquals(node.name(), info.detail("node"));
                assertEquals(leader.name(), info.detail("leader"));
            }
        }
    }
}
