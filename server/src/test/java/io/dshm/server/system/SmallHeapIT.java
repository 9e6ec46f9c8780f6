package io.dshm.server.system;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What replication keeps does not depend on what followers do: a leader with a small heap survives the death of one. */
class SmallHeapIT {

    private static final int WRITES = 40_000;
    private static final int KEYS = 1_000;
    private static final int VALUE_BYTES = 8_000;

    @RegisterExtension
    final Processes processes = Processes.perTest();

    @Test
    void the_leader_outlives_a_follower_while_one_client_pipelines_writes()
            throws IOException, InterruptedException, ExecutionException {
        ClusterProcess cluster = processes.newCluster().start();
        NodeProcess leader = cluster.awaitLeader();
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), leader.port())) {
            socket.setSoTimeout((int) Await.LONG.toMillis());
            InputStream in = new BufferedInputStream(socket.getInputStream(), 64 * 1024);
            OutputStream out = socket.getOutputStream();
            CompletableFuture<Void> sending = CompletableFuture.runAsync(() -> send(out));
            for (int i = 0; i < WRITES; i++) {
                if (i == KEYS) {
                    cluster.others(leader).get(0).killSoon();
                }
                readReply(in);
            }
            sending.get();
        }
        assertTrue(leader.isAlive());
    }

    private static void send(OutputStream out) {
        byte[] value = "v".repeat(VALUE_BYTES).getBytes(US_ASCII);
        try {
            for (int i = 0; i < WRITES; i++) {
                out.write(("SET heap::" + i % KEYS + " 0 " + VALUE_BYTES + "\r\n").getBytes(US_ASCII));
                out.write(value);
            }
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /** The value that was set, and that it was. */
    private static void readReply(InputStream in) throws IOException {
        assertEquals("LEN " + VALUE_BYTES, line(in));
        assertEquals("v".repeat(VALUE_BYTES), line(in));
        assertEquals("DONE", line(in));
    }

    private static String line(InputStream in) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int read = in.read(); read != '\n'; read = in.read()) {
            if (read < 0) {
                throw new IOException("closed");
            }
            line.append((char) read);
        }
        return line.substring(0, line.length() - 1);
    }
}
