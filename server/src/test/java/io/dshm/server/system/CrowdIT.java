package io.dshm.server.system;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.client.DshmConnection;
import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Slow connections and many of them, at each port in turn: 99 % of an honest client's calls take at most twice the time and 2 ms more. */
@Tag("long")
class CrowdIT {

    private static final int ROUNDS = 5;
    private static final int CALLS = 1_500;

    /** They send a byte now and then, of a request that never ends. */
    private static final int SLOW = 300;

    private static final Duration BETWEEN_BYTES = Duration.ofMillis(3);

    /** What a scheduler alone makes of a call. */
    private static final long GRAIN_NANOS = 2_000_000;

    @RegisterExtension
    static final Processes PROCESSES = Processes.perClass();

    private static ClusterProcess cluster;
    private static NodeProcess node;

    /** Where somebody may connect, with bytes that begin something. */
    enum Port {
        CLIENTS("SET crowd::k 0 1000\r\n"),
        SHAREDANCE("S\0\0\0\1\0\0\4\0k"),
        ADMIN("POST /users/add?name="),
        PEERS("\0\0\4\0");

        private final String begins;

        Port(String begins) {
            this.begins = begins;
        }

        BareConnection connect() throws IOException {
            return switch (this) {
                case CLIENTS -> node.connectBare();
                case SHAREDANCE -> node.connectBareToSharedance();
                case ADMIN -> node.connectBareToAdmin();
                case PEERS -> node.connectBareToPeers(cluster.others(node).get(0));
            };
        }
    }

    /** The slow ones, and one after the other that comes and goes. */
    private static final class Crowd implements Closeable {

        private final Port port;
        private final Thread thread = new Thread(this::run, "crowd");

        /** Guarded by this, as is whether it is over. */
        private final List<BareConnection> slow = new ArrayList<>();

        private boolean stopped;

        Crowd(Port port) {
            this.port = port;
            thread.setDaemon(true);
            thread.start();
        }

        private void run() {
            try {
                for (int at = 0; step(at); at = (at + 1) % SLOW) {
                    Await.pause(BETWEEN_BYTES);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        /** False when it is over. */
        private synchronized boolean step(int at) {
            if (stopped) {
                return false;
            }
            try {
                if (at < slow.size()) {
                    slow.get(at).socket().getOutputStream().write('0');
                } else {
                    BareConnection one = port.connect();
                    slow.add(one);
                    one.socket().getOutputStream().write(port.begins.getBytes(US_ASCII));
                }
            } catch (IOException refused) {
                // What a node does about such a client is for others to test: the next one comes.
                if (at < slow.size()) {
                    slow.remove(at);
                }
            }
            return true;
        }

        @Override
        public synchronized void close() throws IOException {
            stopped = true;
            for (BareConnection each : slow) {
                each.close();
            }
        }
    }

    @BeforeAll
    static void start() throws IOException, InterruptedException {
        cluster = PROCESSES.newCluster().withSharedance().withJvm("-Xmx512m").start();
        node = cluster.follower();
        percentile();
    }

    @ParameterizedTest
    @EnumSource
    void an_honest_client_waits_at_most_twice_as_long(Port port) throws IOException {
        long[] quiet = new long[ROUNDS];
        long[] crowded = new long[ROUNDS];
        for (int round = 0; round < ROUNDS; round++) {
            quiet[round] = percentile();
            try (Crowd crowd = new Crowd(port)) {
                assertTrue(crowd.thread.isAlive());
                crowded[round] = percentile();
            }
        }
        Arrays.sort(quiet);
        Arrays.sort(crowded);
        String said = String.format(
                Locale.ROOT,
                "%s: 99 %% of the calls within %.2f ms alone, and %.2f ms beside the crowd",
                port,
                quiet[ROUNDS / 2] / 1e6,
                crowded[ROUNDS / 2] / 1e6);
        System.out.println(said);
        assertTrue(crowded[ROUNDS / 2] <= 2 * quiet[ROUNDS / 2] + GRAIN_NANOS, said);
    }

    /** Within which time 99 % of an honest client's calls are answered, in nanoseconds. */
    private static long percentile() throws IOException {
        long[] nanos = new long[CALLS];
        try (DshmConnection honest = node.connect()) {
            for (int i = 0; i < CALLS; i++) {
                long began = System.nanoTime();
                honest.incr("crowd::honest", 1);
                nanos[i] = System.nanoTime() - began;
            }
        }
        Arrays.sort(nanos);
        return nanos[CALLS * 99 / 100];
    }
}
