package io.dshm.server.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.client.DshmConnection;
import io.dshm.proto.Command;
import io.dshm.proto.Condition;
import io.dshm.proto.ErrorCode;
import io.dshm.proto.Key;
import io.dshm.proto.Reply;
import io.dshm.proto.ValueType;
import io.dshm.server.replication.writes.GrowingWrites;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.LongFunction;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Clients fill the heap of all nodes by every means: the nodes go on, and come back after they were killed. */
class FullHeapIT {

    private static final String HEAP = "-Xmx192m";
    private static final int ROUNDS_MAX = 20_000;

    /** Deletions of one entry each, until another one fits. */
    private static final int DELETIONS_MAX = 50;

    /** So many small entries in a row that are refused: the state is full. */
    private static final int REFUSALS = 50;

    private static final int PIPELINED = 500;
    private static final long WRITES_MAX = 50_000_000;

    @RegisterExtension
    final Processes processes = Processes.perTest();

    @Test
    void when_clients_fill_the_heap_then_growth_is_refused_and_all_else_goes_on()
            throws IOException, InterruptedException {
        ClusterProcess cluster = processes
                .newCluster()
                .withJvm(HEAP, "-XX:+ExitOnOutOfMemoryError")
                .with("--snapshot-log-bytes", "20000000")
                .start();
        fillThroughAllNodes(cluster.nodes());
        for (NodeProcess node : cluster.nodes()) {
            assertTrue(node.isAlive(), node + " lives");
            checkWhatGoesOn(node);
        }
        cluster.assertEqualDigests();
        cluster.nodes().forEach(NodeProcess::killSoon);
        for (NodeProcess node : cluster.nodes()) {
            node.kill();
        }
        cluster.start();
        cluster.assertEqualDigests();
        for (NodeProcess node : cluster.nodes()) {
            checkWhatGoesOn(node);
        }
    }

    /** Small entries of one kind: the larger part of what they take is not their data. */
    @Tag("long")
    @ParameterizedTest
    @MethodSource("everySeries")
    void a_node_with_512_mib_that_is_filled_by_one_kind_of_write_lives(String series)
            throws IOException, InterruptedException {
        NodeProcess node = processes.newNode().withJvm("-Xmx512m", "-XX:+ExitOnOutOfMemoryError");
        node.start();
        node.awaitHealthy();
        LongFunction<Command.Write> writes =
                Objects.requireNonNull(GrowingWrites.in("r::").get(series));
        long number = 0;
        try (DshmConnection connection = node.connect()) {
            connection.set("there", new byte[10], Duration.ZERO);
            connection.incr("count", 1);
            for (int refused = 0; refused < REFUSALS; ) {
                List<Command.Write> some = LongStream.range(number, number + PIPELINED)
                        .mapToObj(writes)
                        .toList();
                number += PIPELINED;
                assertTrue(number < WRITES_MAX, () -> "it was never refused");
                connection.sendAll(some);
                for (int i = 0; i < some.size(); i++) {
                    refused += accept(connection.receive()) ? 1 : 0;
                }
            }
        }
        checkAfter(node, 2);
        node.kill();
        node.start();
        node.awaitHealthy();
        checkAfter(node, 4);
    }

    private static Set<String> everySeries() {
        return GrowingWrites.in("r::").keySet();
    }

    private static void checkAfter(NodeProcess node, long count) throws IOException {
        assertTrue(node.isAlive());
        try (DshmConnection connection = node.connect()) {
            assertEquals(count, connection.incr("count", 1), "it counts on");
            assertEquals(count + 1, connection.incr("count", 1));
            assertTrue(connection.get("count").isPresent());
            connection.delete("there");
        }
        assertTrue(node.statusNumber("stateBytes") <= node.statusNumber("stateBytesMax") * 9 / 8);
    }

    private static void fillThroughAllNodes(List<NodeProcess> nodes) throws InterruptedException {
        ExecutorService clients = Executors.newFixedThreadPool(nodes.size());
        try {
            List<Future<Integer>> rounds =
                    nodes.stream().map(node -> clients.submit(() -> fill(node))).toList();
            for (Future<Integer> one : rounds) {
                assertTrue(one.get() < ROUNDS_MAX, "a client was never refused");
            }
        } catch (ExecutionException e) {
            throw new AssertionError(e.getCause());
        } finally {
            clients.shutdownNow();
        }
    }

    /** How many rounds it took until nothing more was taken. */
    private static int fill(NodeProcess node) throws IOException {
        String region = node.name() + "::";
        try (DshmConnection connection = node.connect()) {
            int refused = 0;
            int round = 0;
            for (; round < ROUNDS_MAX && refused < REFUSALS; round++) {
                List<Command.Write> writes = growth(region + round, region, round);
                connection.sendAll(writes);
                boolean last = false;
                for (int i = 0; i < writes.size(); i++) {
                    last = accept(connection.receive());
                }
                refused = last ? refused + 1 : 0;
            }
            return round;
        }
    }

    /** What is checked afterwards, a large value now and then, and one write of every kind that adds something. */
    private static List<Command.Write> growth(String key, String region, int round) {
        List<Command.Write> writes = new ArrayList<>(List.of(
                round % 20 == 0
                        ? new Command.Set(Key.of(key + "large"), 0, new byte[1_000_000])
                        : new Command.Delete(Key.of(key + "none")),
                new Command.Set(Key.of(key), 0, new byte[20_000]),
                new Command.Put(Key.of(key + "p"), 0, ValueType.STRING, 7, Condition.ANY, new byte[2_000]),
                new Command.Incr(Key.of(key + "i"), 1, 0, 0),
                new Command.Push(Key.of(region + "list"), Command.End.LEFT, ValueType.STRING, new byte[500])));
        writes.addAll(GrowingWrites.ofEach(GrowingWrites.in(region), round));
        writes.add(new Command.Set(Key.of(key + "end"), 0, new byte[1]));
        return writes;
    }

    /** Whether a write was refused for want of room; it must not fail in another way. */
    private static boolean accept(Reply reply) {
        if (reply instanceof Reply.Failure failure) {
            if (failure.code() == ErrorCode.NOT_FOUND) {
                // What was to be settled was refused.
                return false;
            }
            assertEquals(ErrorCode.OUT_OF_MEMORY, failure.code(), failure::toString);
            return true;
        }
        return false;
    }

    /** With room for it afterwards as before. */
    private static void checkWhatGoesOn(NodeProcess node) throws IOException {
        String key = node.name() + "::0";
        try (DshmConnection connection = node.connect()) {
            assertEquals(20_000, connection.get(key).orElseThrow().length);
            long count = connection.incr(key + "i", 1);
            assertEquals(count + 1, connection.incr(key + "i", 1));
            connection.touch(key, Duration.ZERO);
            assertInstanceOf(
                    Reply.Detailed.class,
                    connection.call(new Command.Pop(Key.of(node.name() + "::list"), Command.End.LEFT)));
            Command.Set another = new Command.Set(Key.of(node.name() + "::another"), 0, new byte[20_100]);
            assertTrue(accept(connection.call(another)), "there is no room");
            int deleted = 0;
            do {
                assertTrue(deleted < DELETIONS_MAX, "room comes back with what is deleted");
                connection.delete(node.name() + "::" + deleted++);
            } while (accept(connection.call(another)));
            connection.delete(node.name() + "::another");
            for (int i = 0; i < deleted; i++) {
                // The state was beyond its limit by what several clients grew it at the same time: the last ones may
                // not fit again.
                boolean refused =
                        accept(connection.call(new Command.Set(Key.of(node.name() + "::" + i), 0, new byte[20_000])));
                assertTrue(i > 0 || !refused, "there is room for as much as was deleted");
            }
            assertTrue(
                    node.statusNumber("stateBytes") <= node.statusNumber("stateBytesMax") * 9 / 8,
                    () -> "the state is within its limit");
        }
    }
}
