package io.dshm.server.system;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.client.DshmConnection;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The Sharedance protocol, with Debian's PHP and by hand. */
class SharedanceIT {

    private static final int MIB = 1024 * 1024;
    private static final int READ_MILLIS_MAX = 40_000;
    private static final int EXPIRATION_SECONDS = 4;

    @RegisterExtension
    final Processes processes = Processes.perTest();

    @Test
    void php_and_the_other_clients_share_one_store() throws Exception {
        ClusterProcess cluster = processes
                .newCluster()
                .withSharedance("--sharedance-expiration-seconds", "" + EXPIRATION_SECONDS)
                .with("--request-timeout-millis", "3000")
                .withJvm("-Xmx512m")
                .start();
        String hosts = cluster.nodes().stream()
                .map(node -> "127.0.0.1:" + node.sharedancePort())
                .collect(Collectors.joining(","));
        assertEquals(0, php("test/live_test.php", hosts, "" + EXPIRATION_SECONDS));

        NodeProcess node = cluster.follower();
        try (DshmConnection connection = node.connect()) {
            assertEquals("OK\n", ask(node, store("a b:c%", "from PHP")));
            assertEquals(
                    "from PHP", text(connection.get("sharedance::a%20b:c%25").orElseThrow()));
            connection.set("sharedance::a%20b:c%25", "from Lua".getBytes(US_ASCII), Duration.ZERO);
            assertEquals("from Lua", ask(node, fetch("a b:c%")));
            connection.incr("sharedance::n", 41);
            assertEquals("41", ask(node, fetch("n")));
            connection.rateLimiter("sharedance::limiter", 7, Duration.ofMinutes(1));
            assertEquals("6", ask(node, fetch("limiter")));
            assertEquals("OK\n", ask(node, delete("n")));
            assertEquals("", ask(node, delete("n")));
            assertTrue(connection.get("sharedance::n").isEmpty());
            assertEquals("OK\n", ask(node, store("flushed", "v")));
            connection.flushAll("sharedance");
            assertEquals("", ask(node, fetch("flushed")));
        }
        cluster.assertEqualDigests();

        cluster.others(node).forEach(NodeProcess::killSoon);
        assertEquals("reset", ask(node, store("k", "v")), "there is no majority to store it");
        assertEquals("reset", ask(node, delete("k")));
        assertEquals("", ask(node, fetch("k")), "reads go on");
    }

    @Test
    void a_client_that_sends_nothing_or_hardly_anything_is_disconnected_and_holds_no_memory() throws Exception {
        NodeProcess node = processes
                .newNode()
                .withSharedance("--sharedance-timeout-seconds", "2")
                .with("--value-memory-bytes", "" + 32 * MIB)
                .with("--connections-max", "20")
                .withJvm("-Xmx192m");
        node.start();
        node.awaitHealthy();
        assertSilentFor(node, new byte[0]);
        assertSilentFor(node, new byte[] {'S', 0, 0});
        assertSilentFor(node, Arrays.copyOf(store("k", "0123456789"), 15));

        List<Socket> holders = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            Socket holder = open(node);
            sendIfOpen(holder, head('S', 1, 32 * MIB));
            sendIfOpen(holder, "k".getBytes(US_ASCII));
            sendIfOpen(holder, new byte[9 * MIB]);
            holders.add(holder);
        }
        Await.until("memory is held", () -> node.statusNumber("valueMemoryBytes") > 8 * MIB);
        assertTrue(node.statusNumber("valueMemoryBytes") <= 32 * MIB, "not more than it may");
        // A byte now and then does not help who holds memory; it is all that a client with a short command needs.
        Socket patient = open(node);
        for (byte b : store("patient", "v")) {
            for (Socket holder : holders) {
                sendIfOpen(holder, new byte[1]);
            }
            patient.getOutputStream().write(b);
            Await.pause(Duration.ofMillis(200));
        }
        assertEquals("OK\n", rest(patient));
        Await.until("no memory is held", () -> node.statusNumber("valueMemoryBytes") == 0);

        byte[] large = new byte[8 * MIB];
        assertEquals("OK\n", ask(node, store("large", new String(large, ISO_8859_1))));
        Socket deaf = open(node);
        deaf.getOutputStream().write(fetch("large"));
        Await.until("one that reads nothing is disconnected", () -> node.statusNumber("sharedanceConnections") == 0);
        assertTrue(rest(deaf).length() < large.length);

        List<Socket> many = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            many.add(open(node));
        }
        Await.until("all are accepted", () -> node.statusNumber("sharedanceConnections") == 20);
        assertFalse(ask(node, store("k", "v")).startsWith("OK"), "one too many");
        for (Socket socket : many) {
            socket.close();
        }
        Await.until("they have gone", () -> node.statusNumber("sharedanceConnections") == 0);
        assertEquals("OK\n", ask(node, store("k", "v")));
        Socket idle = open(node);
        Await.until("it is connected", () -> node.statusNumber("sharedanceConnections") == 1);
        node.terminate();
        assertEquals(0, node.awaitEnd());
        assertEquals("", rest(idle), "a stop ends who has asked for nothing");
    }

    /** Asserts that after these bytes the server closes, and not at once. */
    private static void assertSilentFor(NodeProcess node, byte[] bytes) throws IOException {
        long began = System.nanoTime();
        Socket socket = open(node);
        socket.getOutputStream().write(bytes);
        assertEquals("", rest(socket));
        long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began);
        assertTrue(millis >= 1_900, "closed after " + millis + " ms");
    }

    /** Sends more, unless the server has closed. */
    private static void sendIfOpen(Socket socket, byte[] bytes) throws IOException {
        try {
            socket.getOutputStream().write(bytes);
        } catch (SocketException e) {
            socket.close();
        }
    }

    private static int php(String script, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(
                List.of("php", PhpServer.CLIENT.resolve(Path.of(script)).toString()));
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command).inheritIO().start().waitFor();
    }

    private static Socket open(NodeProcess node) throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), node.sharedancePort());
        socket.setSoTimeout(READ_MILLIS_MAX);
        socket.setTcpNoDelay(true);
        return socket;
    }

    /** What is replied to these bytes until the connection ends; "reset" if it ends so. */
    private static String ask(NodeProcess node, byte[] request) throws IOException {
        try (Socket socket = open(node)) {
            socket.getOutputStream().write(request);
            return rest(socket);
        }
    }

    private static String rest(Socket socket) throws IOException {
        try {
            return new String(socket.getInputStream().readAllBytes(), ISO_8859_1);
        } catch (SocketException e) {
            return "reset";
        } finally {
            socket.close();
        }
    }

    private static String text(byte[] bytes) {
        return new String(bytes, ISO_8859_1);
    }

    private static byte[] store(String key, String data) throws IOException {
        return join(head('S', key.length(), data.length()), key + data);
    }

    private static byte[] fetch(String key) throws IOException {
        return join(head('F', key.length()), key);
    }

    private static byte[] delete(String key) throws IOException {
        return join(head('D', key.length()), key);
    }

    private static byte[] join(byte[] head, String rest) {
        ByteArrayOutputStream request = new ByteArrayOutputStream();
        request.writeBytes(head);
        request.writeBytes(rest.getBytes(ISO_8859_1));
        return request.toByteArray();
    }

    private static byte[] head(char verb, int... lengths) throws IOException {
        ByteArrayOutputStream head = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(head);
        out.writeByte(verb);
        for (int length : lengths) {
            out.writeInt(length);
        }
        return head.toByteArray();
    }
}
