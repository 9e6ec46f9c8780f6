package io.dshm.server.system;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.dshm.client.DshmConnection;
import io.dshm.proto.Command;
import io.dshm.proto.ErrorCode;
import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.proto.Reply;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The largest values there are: they neither unseat a leader nor stop small commands, and arrive whole or not at all. */
class LargeValuesIT {

    private static final int CLIENTS = 50;
    private static final int BASELINE = 10_000;
    private static final long HIGHEST_MICROS = TimeUnit.MINUTES.toMicros(2);

    @RegisterExtension
    final Processes processes = Processes.perTest();

    /** Where clients record how long an increment took, in microseconds; swapped when something else is to be measured. */
    private volatile Histogram latencies = new ConcurrentHistogram(HIGHEST_MICROS, 2);

    @Test
    void while_values_of_32_MiB_are_set_others_go_on_under_the_same_leader() throws Exception {
        assumeFalse(
                Secured.ON, "this process encrypts for all its clients, and leaves the nodes too little of two cores");
        ClusterProcess cluster = newCluster();
        long term = cluster.term();
        List<Increments> all = new ArrayList<>();
        for (int i = 0; i < cluster.nodes().size(); i++) {
            NodeProcess node = cluster.nodes().get(i);
            int clients = CLIENTS / 3 + (i < CLIENTS % 3 ? 1 : 0);
            all.add(Increments.start(() -> new Timed(node), clients));
        }
        for (Increments increments : all) {
            increments.awaitMore(BASELINE / 3);
        }
        latencies = new ConcurrentHistogram(HIGHEST_MICROS, 2);
        for (Increments increments : all) {
            increments.awaitMore(BASELINE / 3);
        }
        Histogram before = latencies;
        latencies = new ConcurrentHistogram(HIGHEST_MICROS, 2);
        byte[] first = value(1);
        byte[] second = value(2);
        long started = System.nanoTime();
        try (DshmConnection leader = cluster.awaitLeader().connect();
                DshmConnection follower = cluster.follower().connect()) {
            assertArrayEquals(first, leader.set("large::first", first, Duration.ZERO));
            assertArrayEquals(second, follower.set("large::second", second, Duration.ofHours(1)));
        }
        long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - started);
        Histogram during = latencies;
        List<Increments.Books> books = new ArrayList<>();
        for (Increments increments : all) {
            books.add(increments.stop());
        }
        System.out.printf(
                "Two SETs of 32 MiB took %d ms. INCR before: %s; during: %s%n", millis, words(before), words(during));
        assertEquals(term, cluster.term(), "the leader is the same");
        assertEquals(List.of(), Increments.Books.sum(books).failures());
        assertTrue(during.getTotalCount() > 0, "small commands went on");
        for (NodeProcess node : cluster.nodes()) {
            try (DshmConnection connection = node.connect()) {
                Increments.Books.sum(books).assertExact(connection.incr("large::n", 0));
                assertArrayEquals(first, connection.get("large::first").orElseThrow());
                assertArrayEquals(second, connection.get("large::second").orElseThrow());
            }
        }
        cluster.assertEqualDigests();
    }

    @Test
    void when_the_leader_is_killed_under_a_value_of_32_MiB_then_it_is_there_as_a_whole_or_not_at_all()
            throws Exception {
        ClusterProcess cluster = newCluster();
        NodeProcess follower = cluster.follower();
        NodeProcess leader = cluster.awaitLeader();
        byte[] old = value(3);
        byte[] fresh = value(4);
        try (DshmConnection connection = follower.connect()) {
            connection.set("large::key", old, Duration.ZERO);
            long applied = leader.statusNumber("appliedIndex");
            connection.send(new Command.Set(Key.of("large::key"), 0, fresh));
            Await.until("some pieces are in the log", () -> leader.statusNumber("appliedIndex") > applied + 10);
            leader.kill();
            Reply reply = connection.receive();
            System.out.println("A SET of 32 MiB while the leader was killed: "
                    + (reply instanceof Reply.Failure failure ? failure : "acknowledged"));
            cluster.awaitLeader();
            leader.start();
            leader.awaitHealthy();
            cluster.assertEqualDigests();
            for (NodeProcess node : cluster.nodes()) {
                try (DshmConnection reader = node.connect()) {
                    byte[] value = reader.get("large::key").orElseThrow();
                    boolean isOld = Arrays.equals(old, value);
                    boolean isFresh = Arrays.equals(fresh, value);
                    assertTrue(isOld || isFresh, "the value is one of the two, on " + node);
                    assertTrue(
                            isFresh || !(reply instanceof Reply.Value), "it was acknowledged, but is not on " + node);
                    assertTrue(isOld || !neverApplied(reply), "it was refused, but is on " + node);
                }
            }
            for (NodeProcess node : cluster.others(leader)) {
                Await.until("no memory is held for it", () -> node.statusNumber("valueMemoryBytes") == 0);
            }
        }
    }

    private static boolean neverApplied(Reply reply) {
        return reply instanceof Reply.Failure failure && failure.code().effect() != ErrorCode.Effect.UNKNOWN;
    }

    private ClusterProcess newCluster() throws IOException, InterruptedException {
        ClusterProcess cluster = processes.newCluster().withJvm("-Xmx512m");
        if (Secured.ON) {
            cluster.with("--request-timeout-millis", Secured.LARGE_VALUE_MILLIS);
        }
        return cluster.start();
    }

    private static byte[] value(long seed) {
        byte[] value = new byte[Limits.VALUE_BYTES_MAX];
        new Random(seed).nextBytes(value);
        return value;
    }

    private static String words(Histogram micros) {
        return "%d, p50 %.1f ms, p99 %.1f ms, at most %.1f ms"
                .formatted(
                        micros.getTotalCount(),
                        micros.getValueAtPercentile(50) / 1e3,
                        micros.getValueAtPercentile(99) / 1e3,
                        micros.getMaxValue() / 1e3);
    }

    /** Increments, and takes the time. */
    private final class Timed implements Increments.Counter {

        private final DshmConnection connection;

        Timed(NodeProcess node) throws IOException {
            connection = node.connect();
        }

        @Override
        public long increment() throws IOException {
            long started = System.nanoTime();
            long value = connection.incr("large::n", 1);
            latencies.recordValue(Math.min(HIGHEST_MICROS, TimeUnit.NANOSECONDS.toMicros(System.nanoTime() - started)));
            return value;
        }

        @Override
        public void close() throws IOException {
            connection.close();
        }
    }
}
