package io.dshm.client.cli;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import javax.net.ServerSocketFactory;
import org.jspecify.annotations.Nullable;

/**
 * A server that answers each request, a line with its data, as a test says; an empty answer closes the connection instead. Also as an admin
 * port: a line that begins with {@code GET /} or {@code POST /} is one of HTTP.
 */
final class FakeNode implements AutoCloseable {

    private static final Set<String> WITH_DATA = Set.of("SET", "PUT", "LPUSH", "RPUSH", "MULTI", "TAKE_ALL");

    private final ServerSocket listener;
    private final Function<String, String> answers;
    private final List<String> requests = Collections.synchronizedList(new ArrayList<>());

    /** Whether it is denied to make oneself known by a write of a region that nobody has rights in. */
    volatile boolean deniesStrangers;

    private final AtomicInteger introductions = new AtomicInteger();

    FakeNode(Function<String, String> answers) throws IOException {
        this(answers, ServerSocketFactory.getDefault());
    }

    /** One that makes its port in that way. */
    FakeNode(Function<String, String> answers, ServerSocketFactory ports) throws IOException {
        this.answers = answers;
        this.listener = ports.createServerSocket(0, 16, InetAddress.getLoopbackAddress());
        start(this::accept);
    }

    /** Answers every request in the same way. */
    static FakeNode always(String answer) throws IOException {
        return new FakeNode(request -> answer);
    }

    private static void start(Runnable runnable) {
        Thread thread = new Thread(runnable, "fake node");
        thread.setDaemon(true);
        thread.start();
    }

    /** HOST:PORT. */
    String address() {
        return listener.getInetAddress().getHostAddress() + ":" + listener.getLocalPort();
    }

    /** How often a process has made itself known here; that is answered without the test. */
    int introductions() {
        return introductions.get();
    }

    /** Lines and data that have come, without line ends, a blank between the two. */
    List<String> requests() {
        return List.copyOf(requests);
    }

    /** The lines without identities. */
    List<String> plainRequests() {
        return requests().stream()
                .map(request -> request.replaceAll(" (id|seq|done|retry)=[a-z0-9]+", ""))
                .toList();
    }

    private void accept() {
        try {
            while (true) {
                Socket client = listener.accept();
                client.setTcpNoDelay(true); // answers to what came together are sent one by one
                start(() -> serve(client));
            }
        } catch (IOException e) {
            // the test has ended
            requests.add("closed");
        }
    }

    private void serve(Socket client) {
        try (client;
                InputStream in = new BufferedInputStream(client.getInputStream());
                OutputStream out = client.getOutputStream()) {
            for (String line = line(in); line != null; line = line(in)) {
                String request = line + data(line, in);
                if (line.startsWith("TOUCH dshm-client::")) {
                    introductions.incrementAndGet();
                    out.write((deniesStrangers ? "ERROR denied\r\n" : "DONE\r\n").getBytes(StandardCharsets.UTF_8));
                    continue;
                }
                requests.add(request);
                String answer = answers.apply(request);
                if (answer.isEmpty()) {
                    return;
                }
                out.write(answer.getBytes(StandardCharsets.UTF_8));
                if (line.startsWith("GET /") || line.startsWith("POST /")) {
                    return;
                }
            }
        } catch (IOException e) {
            requests.add("broken: " + e);
        }
    }

    private static @Nullable String line(InputStream in) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int b = in.read(); b != '\n'; b = in.read()) {
            if (b < 0) {
                return null;
            }
            line.append((char) b);
        }
        return line.toString().strip();
    }

    private static String data(String line, InputStream in) throws IOException {
        String[] words = line.split(" ", -1);
        if (!WITH_DATA.contains(words[0])) {
            return "";
        }
        int at = switch (words[0]) {
            case "MULTI", "TAKE_ALL" -> 1;
            case "LPUSH", "RPUSH" -> 2;
            default -> 3;
        };
        return " " + new String(in.readNBytes(Integer.parseInt(words[at])), StandardCharsets.UTF_8);
    }

    @Override
    public void close() throws IOException {
        listener.close();
    }
}
