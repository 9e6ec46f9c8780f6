package io.dshm.server.admin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Limits;
import io.dshm.server.network.Encryption;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The admin port with clients that send, read or go on as they like, on real sockets. */
@Timeout(60)
class AdminListenerTest {

    private static final int SCRAPE_BYTES = 1 << 20;

    private final AtomicInteger scrapes = new AtomicInteger();
    private final List<Socket> sockets = new ArrayList<>();
    private @Nullable AdminListener listener;
    private int port;

    @BeforeEach
    void listen() throws IOException, InterruptedException {
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        listener = new AdminListener(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), port),
                null,
                new TestNode(),
                accept -> {
                    scrapes.incrementAndGet();
                    return new MetricsSource.Scrape("text/plain", new byte[SCRAPE_BYTES]);
                },
                Encryption.NONE);
    }

    @AfterEach
    void stop() throws IOException, InterruptedException {
        for (Socket socket : sockets) {
            socket.close();
        }
        if (listener != null) {
            listener.stop();
        }
    }

    private Socket send(String text) throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
        sockets.add(socket);
        socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
        return socket;
    }

    private String ask(String path) throws IOException {
        Socket socket = send("GET " + path + " HTTP/1.0\r\n\r\n");
        return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }

    private String statusFor(String path, String host) throws IOException {
        Socket socket = send("GET " + path + " HTTP/1.1\r\nConnection: close\r\nHost:" + host + "\r\n\r\n");
        String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return answer.substring("HTTP/1.1 ".length(), "HTTP/1.1 200".length());
    }

    /** Its site gives its own name this machine's address, and the browser lets it read the answers. */
    @Test
    void a_web_page_of_another_site_learns_only_whether_the_node_is_well() throws IOException {
        for (String host : List.of(
                " evil.example",
                " evil.example:" + port,
                " 127.0.0.1.evil.example",
                " localhost.evil.example",
                " [evil.example]:80",
                " [::1",
                " 127.0.0.1@evil.example")) {
            for (String path : List.of("/", "/status", "/snapshot", "/nothing")) {
                assertEquals("403", statusFor(path, host), path + host);
            }
            for (String path : List.of("/health", "/livez", "/readyz")) {
                assertEquals("200", statusFor(path, host), path + host);
            }
        }
        for (String host : List.of("", " 127.0.0.1", " 10.0.0.7:8321", " LocalHost:" + port, " [::1]:8321", " [::1]")) {
            assertEquals("200", statusFor("/status", host), host);
        }
        assertTrue(ask("/status").startsWith("HTTP/1.1 200 "), "without the header");
    }

    @Test
    void more_clients_than_may_be_connected_that_stand_still_keep_nobody_out() throws IOException {
        for (int i = 0; i < 3 * Limits.ADMIN_CONNECTIONS_MAX; i++) {
            send(i % 2 == 0 ? "" : "GET /health HTTP/1.1\r\nX-Slow: ");
        }
        assertTrue(ask("/health").endsWith("ok\n"));
    }

    @Test
    void a_client_that_asks_on_and_reads_nothing_gets_one_answer_at_a_time() throws IOException {
        // More than the sockets' buffers hold.
        int requests = 100;
        send("GET /metrics HTTP/1.1\r\n\r\n".repeat(requests));
        for (int i = 0; i < 5; i++) {
            assertTrue(ask("/health").endsWith("ok\n"));
        }
        assertTrue(scrapes.get() < requests, () -> scrapes + " answers wait for one client");
        int before = scrapes.get();
        ask("/health");
        assertEquals(before, scrapes.get());
    }

    @Test
    void the_page_hears_what_the_node_logs_and_too_many_pages_are_refused() throws IOException {
        Logger log = LoggerFactory.getLogger(AdminListenerTest.class);
        log.warn("a \"line\"\nfor the page");
        for (int i = 0; i < Limits.PAGE_LISTENERS_MAX; i++) {
            Socket page = send("GET /events HTTP/1.1\r\n\r\n");
            BufferedReader lines =
                    new BufferedReader(new InputStreamReader(page.getInputStream(), StandardCharsets.UTF_8));
            String line = Objects.requireNonNull(lines.readLine());
            assertEquals("HTTP/1.1 200 OK", line);
            while (!line.startsWith("data: ")) {
                line = Objects.requireNonNull(lines.readLine());
            }
            assertTrue(line.contains("\"text\": \"a \\\"line\\\"\\u000afor the page\""), line);
        }
        assertTrue(ask("/events").startsWith("HTTP/1.1 503 "));
        assertTrue(ask("/health").endsWith("ok\n"));
    }
}
