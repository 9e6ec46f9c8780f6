package io.dshm.server.system;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.client.DshmConnection;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketException;
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
    private static final int EXPIRATION_SECONDS = 4;

    @RegisterExtension
    final Processes processes = Processes.perTest();

    @Test
    void php_and_the_other_clients_share_one_store() throws Exception {
        ClusterProcess cluster = processes
                .newCluster()
                .withSharedance("--sharedance-expiration-seconds", "" + EXPIRATION_SECONDS)
                .with("--request-timeout-millis", Secured.ON ? Secured.LARGE_VALUE_MILLIS : "3000")
                .withJvm("-Xmx512m")
                .start();
        String hosts = cluster.nodes().stream()
                .map(node -> "127.0.0.1:" + node.sharedancePort())
                .collect(Collectors.joining(","));
        assertPasses("test/live_test.php", hosts, "" + EXPIRATION_SECONDS);
        List<String> limiter = new ArrayList<>(List.of(cluster.nodes().stream()
                .map(member -> "127.0.0.1:" + member.port())
                .collect(Collectors.joining(","))));
        if (cluster.nodes().get(0).isSecured()) {
            limiter.addAll(List.of(
                    Secured.authority().toString(),
                    Secured.USER,
                    Secured.secretFile().toString()));
        }
        assertPasses("test/limiter_live_test.php", limiter.toArray(String[]::new));

        NodeProcess node = cluster.follower();
        try (DshmConnection connection = node.connect()) {
            assertEquals("OK\n", Sharedance.ask(node.sharedancePort(), Sharedance.store("a b:c%", "from PHP")));
            assertEquals(
                    "from PHP",
                    Sharedance.text(connection.get("sharedance::a%20b:c%25").orElseThrow()));
            connection.set("sharedance::a%20b:c%25", "from Lua".getBytes(US_ASCII), Duration.ZERO);
            assertEquals("from Lua", Sharedance.ask(node.sharedancePort(), Sharedance.fetch("a b:c%")));
            connection.incr("sharedance::n", 41);
            assertEquals("41", Sharedance.ask(node.sharedancePort(), Sharedance.fetch("n")));
            connection.rateLimiter("sharedance::limiter", 7, Duration.ofMinutes(1));
            assertEquals("6", Sharedance.ask(node.sharedancePort(), Sharedance.fetch("limiter")));
            assertEquals("OK\n", Sharedance.ask(node.sharedancePort(), Sharedance.delete("n")));
            assertEquals("", Sharedance.ask(node.sharedancePort(), Sharedance.delete("n")));
            assertTrue(connection.get("sharedance::n").isEmpty());
            assertEquals("OK\n", Sharedance.ask(node.sharedancePort(), Sharedance.store("flushed", "v")));
            connection.flushAll("sharedance");
            assertEquals("", Sharedance.ask(node.sharedancePort(), Sharedance.fetch("flushed")));
        }
        cluster.assertEqualDigests();

        cluster.others(node).forEach(NodeProcess::killSoon);
        assertEquals(
                "reset",
                Sharedance.ask(node.sharedancePort(), Sharedance.store("k", "v")),
                "there is no majority to store it");
        assertEquals("reset", Sharedance.ask(node.sharedancePort(), Sharedance.delete("k")));
        assertEquals(
                "reset",
                Sharedance.ask(node.sharedancePort(), Sharedance.fetch("k")),
                "nobody can say what was stored last");
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
        assertSilentFor(node, Arrays.copyOf(Sharedance.store("k", "0123456789"), 15));

        List<Socket> holders = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            Socket holder = Sharedance.open(node.sharedancePort());
            sendIfOpen(holder, Sharedance.head('S', 1, 32 * MIB));
            sendIfOpen(holder, "k".getBytes(US_ASCII));
            sendIfOpen(holder, new byte[9 * MIB]);
            holders.add(holder);
        }
        Await.until("memory is held", () -> node.statusNumber("valueMemoryBytes") > 8 * MIB);
        assertTrue(node.statusNumber("valueMemoryBytes") <= 32 * MIB, "not more than it may");
        // A byte now and then does not help who holds memory; it is all that a client with a short command needs.
        Socket patient = Sharedance.open(node.sharedancePort());
        for (byte b : Sharedance.store("patient", "v")) {
            for (Socket holder : holders) {
                sendIfOpen(holder, new byte[1]);
            }
            patient.getOutputStream().write(b);
            Await.pause(Duration.ofMillis(200));
        }
        assertEquals("OK\n", Sharedance.rest(patient));
        Await.until("no memory is held", () -> node.statusNumber("valueMemoryBytes") == 0);

        // More than sockets take for a client that does not read.
        byte[] large = new byte[24 * MIB];
        assertEquals(
                "OK\n",
                Sharedance.ask(node.sharedancePort(), Sharedance.store("large", new String(large, ISO_8859_1))));
        Socket deaf = Sharedance.open(node.sharedancePort());
        deaf.getOutputStream().write(Sharedance.fetch("large"));
        Await.until("it is served", () -> node.statusNumber("sharedanceConnections") == 1);
        Await.until("one that reads nothing is disconnected", () -> node.statusNumber("sharedanceConnections") == 0);
        assertEquals("reset", Sharedance.rest(deaf), "what it has got is not taken for all");

        List<Socket> many = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            many.add(Sharedance.open(node.sharedancePort()));
        }
        Await.until("all are accepted", () -> node.statusNumber("sharedanceConnections") == 20);
        assertEquals(
                "reset",
                Sharedance.ask(node.sharedancePort(), Sharedance.fetch("large")),
                "one too many, and not told that nothing is stored");
        for (Socket socket : many) {
            socket.close();
        }
        Await.until("they have gone", () -> node.statusNumber("sharedanceConnections") == 0);
        assertEquals("OK\n", Sharedance.ask(node.sharedancePort(), Sharedance.store("k", "v")));
        Socket idle = Sharedance.open(node.sharedancePort());
        Await.until("it is connected", () -> node.statusNumber("sharedanceConnections") == 1);
        node.terminate();
        assertEquals(0, node.awaitEnd());
        assertEquals("reset", Sharedance.rest(idle), "a stop ends who has asked for nothing yet");

        node.start();
        node.awaitHealthy();
        Socket half = Sharedance.open(node.sharedancePort());
        half.getOutputStream().write(Sharedance.fetch("large"));
        assertTrue(half.getInputStream().read() >= 0, "the reply has begun");
        node.kill();
        assertEquals("reset", Sharedance.rest(half), "the reply of a node that was killed is not taken for all");
    }

    /** Asserts that after these bytes the server closes, and not at once. */
    private static void assertSilentFor(NodeProcess node, byte[] bytes) throws IOException {
        long began = System.nanoTime();
        Socket socket = Sharedance.open(node.sharedancePort());
        socket.getOutputStream().write(bytes);
        assertEquals("", Sharedance.rest(socket));
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

    /** Runs one of the PHP client's tests, whose output is TAP. */
    private static void assertPasses(String script, String... arguments) throws IOException, InterruptedException {
        PhpServer.Ended ended = PhpServer.run(script, arguments);
        assertEquals(0, ended.status(), ended.output());
    }
}
