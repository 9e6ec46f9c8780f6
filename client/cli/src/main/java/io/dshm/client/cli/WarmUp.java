package io.dshm.client.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/**
 * Loads the classes that words need, in the one run after which the JVM writes its archive of them; see the launcher.
 * It talks to a server of its own on the loopback address, that knows these requests only.
 */
final class WarmUp {

    private static final List<String> ANSWERS = List.of(
            "LEN 1\r\n1\r\nDONE\r\n",
            "ERROR not_found\r\n",
            "LEN 1\r\n1\r\nDONE\r\n",
            "DONE type=string length=1 version=1\r\n",
            "HTTP/1.1 200 OK\r\n\r\n{\"node\": \"n1\", \"leads\": true, \"term\": 1, \"lagMillis\": -1}",
            "HTTP/1.1 200 OK\r\n\r\nok\n");

    private WarmUp() {}

    /** Runs words, with their output thrown away. */
    static void run() {
        PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Thread thread = new Thread(() -> answer(server), "answers");
            thread.setDaemon(true);
            thread.start();
            String node = server.getInetAddress().getHostAddress() + ":" + server.getLocalPort();
            Cli cli = new Cli(
                    Map.of("DSHM_ENDPOINTS", node, "DSHM_ADMIN", node),
                    InputStream.nullInputStream(),
                    false,
                    new Output(nowhere, nowhere, false, false));
            cli.run("incr", "k", "-1", "--ttl", "1m");
            cli.run("get", "k");
            cli.run("set", "k", "1", "--json");
            cli.run("stat", "k");
            cli.run("status");
            cli.run("--help");
            cli.run("get", "-x");
        } catch (IOException e) {
            // Without a port there are fewer classes in the archive, and the command takes longer.
            nowhere.print(e);
        }
    }

    private static void answer(ServerSocket server) {
        try {
            for (String answer : ANSWERS) {
                try (Socket client = server.accept();
                        OutputStream out = client.getOutputStream()) {
                    new BufferedReader(new InputStreamReader(client.getInputStream(), StandardCharsets.US_ASCII))
                            .readLine();
                    out.write(answer.getBytes(StandardCharsets.US_ASCII));
                }
            }
        } catch (IOException e) {
            Thread.currentThread().interrupt(); // the words end on their own
        }
    }
}
