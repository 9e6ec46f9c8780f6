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
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.LongFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Clients fill the heap of all nodes by every means: the nodes go on, and come back after they were killed. */
class FullHeapIT {

    private static final String HEAP = "-Xmx192m";
    private static final int ROUNDS_MAX = 20_000;

    /** Deletions of one entry each, until another one fits. */
    private static final int DELETIONS_MAX = 50;

    /** So many small entries in a row that are refused: the state is full. */
    private static final int REFUSALS = 50;

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
        Map<String, LongFunction<Command.Write>> series = GrowingWrites.in(region);
        try (DshmConnection connection = node.connect()) {
            int refused = 0;
            int round = 0;
            for (; round < ROUNDS_MAX && refused < REFUSALS; round++) {
                List<Command.Write> writes = new ArrayList<>(GrowingWrites.ofEach(series, round));
                writes.addAll(growth(region + round, region, round));
                connection.sendAll(writes);
                boolean last = false;
                for (Command.Write write : writes) {
                    Reply reply = connection.receive();
                    last = !isUnreserved(write, reply) && accept(reply);
                }
                refused = last ? refused + 1 : 0;
            }
            return round;
        }
    }

    /** Beside what {@link GrowingWrites} adds: large values, so that it does not take too long, and small ones that fit last. */
    private static List<Command.Write> growth(String key, String region, int round) {
        Command.Write large = round % 20 == 0
                ? new Command.Set(Key.of(key + "large"), 0, new byte[1_000_000])
                : new Command.Delete(Key.of(key + "none"));
        return List.of(
                large,
                new Command.Set(Key.of(key), 0, new byte[20_000]),
                new Command.Put(Key.of(key + "p"), 0, ValueType.STRING, 7, Condition.ANY, new byte[2_000]),
                new Command.Incr(Key.of(key + "i"), 1, 0, 0),
                new Command.IncrNumber(Key.of(key + "n"), 1, 0.5, 0),
                new Command.RateLimiter(Key.of(key + "l"), 5, 3_600_000),
                new Command.Push(Key.of(region + "list"), Command.End.LEFT, ValueType.STRING, new byte[500]),
                new Command.Identified(
                        ((round % 500L) << 16) + (region.hashCode() & 0xFFFF),
                        1L + round / 500,
                        new Command.Push(Key.of(key + "q"), Command.End.LEFT, ValueType.NUMBER, new byte[] {'1'})),
                new Command.Set(Key.of(key + "s"), 0, new byte[1]));
    }

    /** Whether this settles what was not reserved, because there was no room for that. */
    private static boolean isUnreserved(Command.Write write, Reply reply) {
        return write instanceof Command.Settle
                && reply instanceof Reply.Failure failure
                && failure.code() == ErrorCode.NOT_FOUND;
    }

    /** Whether a write was refused for want of room; it must not fail in another way. */
    private static boolean accept(Reply reply) {
        if (reply instanceof Reply.Failure failure) {
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
            // More than the one value and what was popped, for which there may be room since the node before this one
            // was checked.
            Command.Set another = new Command.Set(Key.of(node.name() + "::another"), 0, new byte[30_000]);
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
