package io.dshm.client;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.dshm.proto.Algorithm;
import io.dshm.proto.Command;
import io.dshm.proto.ErrorCode;
import io.dshm.proto.Key;
import io.dshm.proto.Policy;
import io.dshm.proto.Reply;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The client against a server that expects certain bytes, and answers with certain bytes. */
@Timeout(30)
class DshmConnectionTest {

    private static final String ADMITTED = "DONE allowed=1 limit=5 remaining=5 reset=0 retry=0\r\n";
    private static final String REFUSED = "DONE allowed=0 limit=1 remaining=0 reset=9 retry=9\r\n";

    private static final Duration LONG = Duration.ofSeconds(20);

    private ServerSocket listener;
    private DshmConnection connection;
    private Socket server;

    @BeforeEach
    void connect() throws IOException {
        listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        connection = open(LONG);
        server = listener.accept();
    }

    private DshmConnection open(Duration readTimeout) throws IOException {
        return DshmConnection.connect(
                new InetSocketAddress(listener.getInetAddress(), listener.getLocalPort()), LONG, readTimeout);
    }

    @AfterEach
    void close() throws IOException {
        connection.close();
        server.close();
        listener.close();
    }

    /** Expects one request after the other, and answers each; the result is done when all have come. */
    private CompletableFuture<Void> script(String... requestsAndReplies) {
        return CompletableFuture.runAsync(() -> {
            try {
                for (int i = 0; i < requestsAndReplies.length; i += 2) {
                    byte[] request = server.getInputStream().readNBytes(requestsAndReplies[i].length());
                    assertEquals(requestsAndReplies[i], new String(request, US_ASCII));
                    server.getOutputStream().write(requestsAndReplies[i + 1].getBytes(US_ASCII));
                }
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        });
    }

    @Test
    void says_each_command_as_the_protocol_does() throws IOException {
        CompletableFuture<Void> script = script(
                "SET k 1.500 2\r\nab",
                "LEN 2\r\nab\r\nDONE\r\n",
                "GET k\r\n",
                "LEN 2\r\nab\r\nDONE\r\n",
                "GET absent\r\n",
                "ERROR not_found\r\n",
                "TOUCH k 0.001\r\n",
                "DONE\r\n",
                "DELETE k\r\n",
                "DONE\r\n",
                "INCR n 2 0\r\n",
                "LEN 1\r\n2\r\nDONE\r\n",
                "INCR n -1 5 60\r\n",
                "LEN 1\r\n1\r\nDONE\r\n",
                "RATE_LIMITER l 1 60\r\n",
                "LEN 2\r\n-1\r\nDONE\r\n",
                "TAKE t fixed 5 60 cost=9\r\n",
                "DONE allowed=0 limit=5 remaining=5 reset=0 retry=-1\r\n",
                "TAKE t policy=api\r\n",
                "DONE allowed=1 limit=5 remaining=4 reset=7 retry=0 delay=3\r\n",
                "TAKE_ALL 35\r\nTAKE t fixed 5 60\r\nTAKE u log 1 1\r\n",
                "LEN 104 allowed=0 refused=2\r\n" + ADMITTED + REFUSED + "\r\nDONE\r\n",
                "ACQUIRE p 2 holder=h ttl=1.500\r\n",
                "DONE allowed=1 limit=2 remaining=1 retry=0 fence=77\r\n",
                "ACQUIRE p 2 holder=i ttl=1\r\n",
                "DONE allowed=0 limit=2 remaining=0 retry=5\r\n",
                "RELEASE p holder=h\r\n",
                "DONE\r\n",
                "FLUSHALL region\r\n",
                "DONE\r\n",
                "FLUSHALL\r\n",
                "DONE\r\n",
                "QUIT\r\n",
                "DONE\r\n");
        byte[] value = "ab".getBytes(US_ASCII);
        assertArrayEquals(value, connection.set("k", value, Duration.ofMillis(1500)));
        assertArrayEquals(value, connection.get("k").orElseThrow());
        assertEquals(Optional.empty(), connection.get("absent"));
        connection.touch("k", Duration.ofNanos(1));
        connection.delete("k");
        assertEquals(2, connection.incr("n", 2));
        assertEquals(1, connection.incr("n", -1, 5, Duration.ofMinutes(1)));
        assertEquals(-1, connection.rateLimiter("l", 1, Duration.ofMinutes(1)));
        assertEquals(
                new Decision(false, 5, 5, Duration.ZERO, Optional.empty(), Duration.ZERO),
                connection.take("t", new Policy(Algorithm.FIXED, 5, 60_000), 9));
        assertEquals(
                new Decision(true, 5, 4, Duration.ofMillis(7), Optional.of(Duration.ZERO), Duration.ofMillis(3)),
                connection.take("t", "api", 1));
        assertEquals(
                new Decisions(
                        false,
                        List.of(
                                new Decision(true, 5, 5, Duration.ZERO, Optional.of(Duration.ZERO), Duration.ZERO),
                                new Decision(
                                        false,
                                        1,
                                        0,
                                        Duration.ofMillis(9),
                                        Optional.of(Duration.ofMillis(9)),
                                        Duration.ZERO))),
                connection.takeAll(List.of(
                        new Command.Take(Key.of("t"), new Policy(Algorithm.FIXED, 5, 60_000), 1),
                        new Command.Take(Key.of("u"), new Policy(Algorithm.LOG, 1, 1000), 1))));
        assertEquals(
                new Permit(true, 2, 1, Optional.of(Duration.ZERO), 77),
                connection.acquire("p", 2, "h", Duration.ofMillis(1500)));
        assertEquals(
                new Permit(false, 2, 0, Optional.of(Duration.ofMillis(5)), 0),
                connection.acquire("p", 2, "i", Duration.ofSeconds(1)));
        connection.release("p", "h");
        connection.flushAll("region");
        connection.flushAll("");
        connection.quit();
        script.join();
    }

    @Test
    void when_the_server_refuses_a_command_then_the_connection_goes_on() throws IOException {
        CompletableFuture<Void> script =
                script("INCR n 1 0\r\n", "ERROR busy not now\r\n", "INCR n 1 0\r\n", "LEN 1\r\n1\r\nDONE\r\n");
        CommandFailedException refusal = assertThrows(CommandFailedException.class, () -> connection.incr("n", 1));
        assertEquals(ErrorCode.BUSY, refusal.code());
        assertEquals("busy not now", refusal.getMessage());
        assertEquals(1, connection.incr("n", 1));
        script.join();
    }

    @Test
    void pipelined_commands_have_their_replies_in_order() throws IOException {
        CompletableFuture<Void> script =
                script("INCR n 1 0\r\nGET x\r\nDELETE n\r\n", "LEN 1\r\n1\r\nDONE\r\nERROR not_found\r\nDONE\r\n");
        connection.sendAll(List.of(
                new Command.Incr(Key.of("n"), 1, 0, 0), new Command.Get(Key.of("x")), new Command.Delete(Key.of("n"))));
        assertArrayEquals(new byte[] {'1'}, ((Reply.Value) connection.receive()).bytes());
        assertEquals(Reply.Failure.NOT_FOUND, connection.receive());
        assertEquals(Reply.Done.DONE, connection.receive());
        script.join();
    }

    @Test
    void when_the_server_closes_then_so_does_the_client() throws IOException {
        server.close();
        assertThrows(EOFException.class, () -> connection.receive());
        assertThrows(IOException.class, () -> connection.get("k"));
    }

    @Test
    void when_a_reply_is_late_then_the_connection_is_not_used_again() throws IOException {
        connection.close();
        server.close();
        connection = open(Duration.ofMillis(50));
        server = listener.accept();
        assertThrows(SocketTimeoutException.class, () -> connection.get("k"));
        IOException later = assertThrows(IOException.class, () -> connection.get("k"));
        assertEquals("Socket closed", later.getMessage());
    }

    @Test
    void when_the_reply_is_none_of_the_protocol_then_the_connection_is_not_used_again() throws IOException {
        CompletableFuture<Void> script = script("GET k\r\n", "HTTP/1.1 400 Bad Request\r\n");
        IOException broken = assertThrows(IOException.class, () -> connection.get("k"));
        assertEquals("not a reply: expected DONE, LEN or ERROR", broken.getMessage());
        assertThrows(IOException.class, () -> connection.get("k"));
        script.join();
    }

    @Test
    void a_timeout_below_a_millisecond_is_one_and_not_none() throws IOException {
        try (DshmConnection impatient = open(Duration.ofNanos(1))) {
            assertThrows(SocketTimeoutException.class, () -> impatient.get("k"));
        }
        assertThrows(IllegalArgumentException.class, () -> open(Duration.ofNanos(-1)));
    }
}
