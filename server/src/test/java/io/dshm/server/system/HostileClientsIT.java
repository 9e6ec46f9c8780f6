package io.dshm.server.system;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.client.DshmConnection;
import io.dshm.proto.Limits;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Clients that do what no client should: they get one clear error or a closed connection, cost a node with a small heap
 * no more than it can bear, and the client next to them notices nothing.
 *
 * <p>The heap is what six values of 32 MiB need that are on their way into the log (two from each node), some that are
 * being received, and a little more: whatever is not bounded does not fit.
 */
class HostileClientsIT {

    private static final int MIB = 1024 * 1024;
    private static final long NEVER_READ_BYTES_MAX = 64L * MIB;
    private static final int CONNECTIONS_MAX = 2_200;
    private static final int BYSTANDERS = 2;
    private static final int IDENTITIES = 100_000;

    @RegisterExtension
    static final Processes PROCESSES = Processes.perClass();

    private static ClusterProcess cluster;
    private static NodeProcess node;

    private final List<Socket> sockets = new ArrayList<>();
    private Increments bystander;

    @BeforeAll
    static void start() throws IOException, InterruptedException {
        cluster = PROCESSES
                .newCluster()
                .withJvm("-Xmx512m")
                .with("--stall-seconds", "5")
                .with("--value-memory-bytes", "" + 64 * MIB)
                .with("--connections-max", "" + CONNECTIONS_MAX)
                .start();
        node = cluster.awaitLeader();
    }

    @BeforeEach
    void startBystander() throws InterruptedException {
        bystander = Increments.start(node, "bystander::n", BYSTANDERS);
        bystander.awaitMore(20);
    }

    @AfterEach
    void others_noticed_nothing_and_nothing_is_left() throws IOException, InterruptedException {
        bystander.awaitMore(20);
        assertEquals(List.of(), bystander.stop().failures());
        for (Socket socket : sockets) {
            socket.close();
        }
        Await.until("no memory is held for values", () -> node.statusNumber("valueMemoryBytes") == 0);
        Await.until("all connections are closed", () -> node.statusNumber("connections") == 0);
        for (NodeProcess any : cluster.nodes()) {
            assertTrue(any.isAlive(), any + " lives");
        }
    }

    @Test
    void a_line_without_end_gets_one_error_and_a_close() throws IOException {
        byte[] part = new byte[100_000];
        Arrays.fill(part, (byte) 'A');
        for (int i = 0; i < 20; i++) {
            Socket patient = open();
            patient.getOutputStream().write(part);
            assertTrue(line(patient).startsWith("ERROR too_large"));
            assertEquals(-1, patient.getInputStream().read());
        }
        for (int i = 0; i < 3; i++) {
            assertTrue(sendUntilClosed(open(), part), "one that goes on for ever is closed");
        }
    }

    @Test
    void whatever_bytes_come_there_are_only_errors_or_a_close() throws IOException {
        Random random = new Random(11);
        for (int i = 0; i < 50; i++) {
            Socket socket = open();
            byte[] garbage = new byte[200_000];
            random.nextBytes(garbage);
            try {
                socket.getOutputStream().write(garbage);
                socket.shutdownOutput();
                for (String line = line(socket); !line.isEmpty(); line = line(socket)) {
                    assertTrue(line.startsWith("ERROR "), line);
                }
            } catch (IOException reset) {
                assertTrue(socket.isConnected(), "closed while we were still sending");
            }
        }
    }

    @Test
    void a_value_beyond_the_limit_is_swallowed_and_the_connection_goes_on() throws IOException {
        Socket socket = open();
        byte[] value = new byte[33 * MIB];
        send(socket, "SET hostile::big 0 " + value.length + "\r\n");
        socket.getOutputStream().write(value);
        send(socket, "GET hostile::big\r\n");
        assertTrue(line(socket).startsWith("ERROR too_large"));
        assertEquals("ERROR not_found", line(socket));
    }

    @Test
    void half_a_value_takes_no_effect_whether_the_client_leaves_or_stalls() throws IOException, InterruptedException {
        Socket leaves = open();
        Socket stalls = open();
        for (Socket socket : List.of(leaves, stalls)) {
            send(socket, "SET hostile::half 0 " + 32 * MIB + "\r\n");
            socket.getOutputStream().write(new byte[16 * MIB]);
        }
        Await.until("the halves have arrived", () -> node.statusNumber("valueMemoryBytes") >= 32L * MIB);
        leaves.close();
        assertEquals(-1, stalls.getInputStream().read(), "closed by the server");
        try (DshmConnection connection = node.connect()) {
            assertEquals(Optional.empty(), connection.get("hostile::half"));
        }
    }

    @Test
    void many_large_values_at_once_are_refused_before_memory_is_short() throws IOException, InterruptedException {
        List<Socket> senders = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
            Socket socket = open();
            senders.add(socket);
            send(socket, "SET hostile::many 0 " + 32 * MIB + "\r\n");
            socket.getOutputStream().write(new byte[8 * MIB]);
        }
        Await.until("the budget is used up", () -> node.statusNumber("valueMemoryBytes") > 48L * MIB);
        assertTrue(node.statusNumber("valueMemoryBytes") <= 64L * MIB, "not more than it may");
        int refused = 0;
        for (Socket socket : senders) {
            String end = endAfterRest(socket);
            assertTrue(end.startsWith("LEN ") || end.startsWith("ERROR busy") || end.equals("closed"), end);
            refused += end.startsWith("ERROR") ? 1 : 0;
        }
        assertTrue(refused > 0, "some were refused");
    }

    /** Sends the rest of a value of which 8 MiB were sent, reads the reply's first line, and leaves. */
    private static String endAfterRest(Socket socket) throws IOException {
        try {
            socket.getOutputStream().write(new byte[24 * MIB]);
        } catch (IOException e) {
            // It stood still for too long, while others were served.
            return "closed";
        }
        String end = line(socket);
        socket.close();
        return end;
    }

    @Test
    void a_client_that_never_reads_its_replies_is_not_read_from_any_more() throws IOException, InterruptedException {
        try (DshmConnection connection = node.connect()) {
            connection.set("hostile::4MiB", new byte[4 * MIB], Duration.ZERO);
            connection.set("hostile::64KiB", new byte[64 * 1024], Duration.ZERO);
        }
        List<Pipeline> pipelines = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            String key = i % 2 == 0 ? "hostile::4MiB" : "hostile::64KiB";
            pipelines.add(pipeline(("GET " + key + "\r\n").repeat(1_000).getBytes(US_ASCII)));
        }
        bystander.awaitMore(200);
        Await.until("they are disconnected", () -> node.statusNumber("connections") <= BYSTANDERS);
        for (Pipeline pipeline : pipelines) {
            pipeline.close();
        }
    }

    @Test
    void a_client_that_closes_its_sending_side_gets_all_replies_and_the_end() throws IOException {
        Socket socket = open();
        byte[] value = new byte[MIB];
        Arrays.fill(value, (byte) 'v');
        send(socket, "SET hostile::half 0 " + MIB + "\r\n");
        socket.getOutputStream().write(value);
        send(
                socket,
                "INCR hostile::halfcount 1 0\r\nGET hostile::half\r\nGET hostile::halfcount read=linearizable\r\nGET hosti");
        socket.shutdownOutput();
        String large = "LEN 1048576\r\n" + "v".repeat(MIB) + "\r\nDONE\r\n";
        String one = "LEN 1\r\n1\r\nDONE\r\n";
        assertEquals(
                large + one + large + one, new String(socket.getInputStream().readAllBytes(), US_ASCII));
        try (DshmConnection connection = node.connect()) {
            connection.delete("hostile::halfcount");
        }
    }

    @Test
    void what_a_browser_posts_is_not_run() throws IOException {
        Socket socket = open();
        send(socket, "POST /any HTTP/1.1\r\nHost: localhost\r\n\r\nINCR hostile::posted 1 0\r\n");
        assertTrue(new String(socket.getInputStream().readAllBytes(), US_ASCII).startsWith("ERROR malformed_request "));
        try (DshmConnection connection = node.connect()) {
            assertEquals(Optional.empty(), connection.get("hostile::posted"));
        }
    }

    @Test
    void clients_that_pipeline_writes_and_never_read_are_not_read_from_any_more()
            throws IOException, InterruptedException {
        byte[] set = ("SET hostile::60KB 0 60000\r\n" + "v".repeat(60_000)).getBytes(US_ASCII);
        // Its reply is the value as it is, because that is no integer.
        byte[] incr = "INCR hostile::60KB 1 0\r\n".repeat(1_000).getBytes(US_ASCII);
        List<Pipeline> pipelines = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            pipelines.add(pipeline(i % 2 == 0 ? set : incr));
        }
        bystander.awaitMore(200);
        for (Pipeline pipeline : pipelines) {
            pipeline.close();
        }
    }

    @Test
    void two_thousand_idle_clients_disturb_nobody_and_one_too_many_is_told_so()
            throws IOException, InterruptedException {
        for (int i = 0; i < 2_000; i++) {
            Socket socket = open();
            if (i % 100 == 0) {
                send(socket, "GET hostile::absent\r\n");
                assertEquals("ERROR not_found", line(socket));
            }
        }
        Await.until("all are accepted", () -> node.statusNumber("connections") >= 2_000);
        for (int i = 2_000; i < CONNECTIONS_MAX; i++) {
            open(node.connectBareAsNobody());
        }
        // Accepting takes its time: only a node that has counted all of them refuses the next one.
        Await.until("as many as allowed", () -> node.statusNumber("connections") >= CONNECTIONS_MAX);
        Socket oneTooMany = node.connectBareAsNobody().socket();
        sockets.add(oneTooMany);
        send(oneTooMany, "GET hostile::absent\r\n");
        String refusal = line(oneTooMany);
        assertTrue(refusal.startsWith("ERROR busy"), refusal);
        send(sockets.get(0), "GET hostile::absent\r\n");
        assertEquals("ERROR not_found", line(sockets.get(0)), "one that is connected is served");
    }

    /** Sends the same request again and again, reading no reply, until the server reads no more. */
    private static Pipeline pipeline(byte[] request) throws IOException, InterruptedException {
        Pipeline pipeline = new Pipeline(node, request, NEVER_READ_BYTES_MAX);
        pipeline.awaitStuck();
        assertTrue(pipeline.sent() < NEVER_READ_BYTES_MAX, "the server has stopped reading");
        return pipeline;
    }

    /** Every other one does not mark its repeats: it is refused once the part of the table that an address may have is full. */
    @Test
    void a_hundred_thousand_identities_from_one_address_keep_nobody_else_out()
            throws IOException, InterruptedException, ExecutionException {
        Socket many = open(node.connectBareFrom("127.0.0.9"));
        CompletableFuture<Void> sent = CompletableFuture.runAsync(() -> sendIdentities(many));
        BufferedReader replies = new BufferedReader(new InputStreamReader(many.getInputStream(), US_ASCII));
        int counted = 0;
        for (int i = 0; i < IDENTITIES; i++) {
            String reply = replies.readLine();
            if (reply.startsWith("LEN ")) {
                replies.readLine();
                assertEquals("DONE", replies.readLine());
                counted++;
            } else {
                assertTrue(reply.startsWith("ERROR busy"), reply);
            }
        }
        sent.get();
        assertEquals(IDENTITIES / 2 + Limits.ADDRESS_CLIENTS_MAX / 2, counted);
        Socket newcomer = open(node.connectBareFrom("127.0.0.10"));
        for (String way : List.of("id=1 seq=1", "id=1 seq=1", "id=2 seq=1 done=1", "id=2 seq=1 done=1 retry=yes")) {
            send(newcomer, "INCR hostile::newcomer 1 0 " + way + "\r\n");
            assertTrue(line(newcomer).startsWith("LEN "), way);
            assertEquals(way.contains("id=1") ? "1" : "2", line(newcomer));
            assertEquals("DONE", line(newcomer));
        }
        for (NodeProcess any : cluster.nodes()) {
            try (DshmConnection client = any.connect()) {
                int expected = counted;
                Await.until(
                        any + " has the same count",
                        () -> client.get("hostile::count")
                                .map(value -> new String(value, US_ASCII))
                                .equals(Optional.of("" + expected)));
            }
        }
    }

    private static void sendIdentities(Socket many) {
        StringBuilder requests = new StringBuilder();
        for (int i = 0; i < IDENTITIES; i++) {
            requests.append("INCR hostile::count 1 0 id=")
                    .append(1_000_000 + i)
                    .append(i % 2 == 0 ? " seq=1\r\n" : " seq=1 done=1\r\n");
        }
        try {
            send(many, requests.toString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Socket open() throws IOException {
        return open(node.connectBare());
    }

    private Socket open(BareConnection connection) {
        Socket socket = connection.socket();
        sockets.add(socket);
        return socket;
    }

    private static void send(Socket socket, String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(US_ASCII));
    }

    /** Sends the same bytes again and again until the server has closed; false if it does not. */
    private static boolean sendUntilClosed(Socket socket, byte[] bytes) {
        long deadline = System.nanoTime() + Await.LONG.toNanos();
        try {
            while (System.nanoTime() - deadline < 0) {
                socket.getOutputStream().write(bytes);
            }
            return false;
        } catch (IOException e) {
            return true;
        }
    }

    private static String line(Socket socket) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int read = socket.getInputStream().read();
                read >= 0;
                read = socket.getInputStream().read()) {
            if (read == '\n') {
                return line.substring(0, line.length() - 1);
            }
            line.append((char) read);
        }
        return line.toString();
    }
}
