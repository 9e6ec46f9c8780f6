package io.dshm.client.cli;

import java.io.EOFException;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;

/**
 * One node's port for operators. A request by hand on a socket: the JDK's HTTP client would take longer to load than the rest of
 * the command.
 */
record AdminPort(Endpoint endpoint, Duration timeout) {

    /** What a path shows. */
    record Page(int status, String body) {}

    /** Asks for a path. */
    Page get(String path) throws IOException {
        int millis = (int) Math.max(1, Math.min(Integer.MAX_VALUE, timeout.toMillis()));
        try (Socket socket = new Socket()) {
            socket.setSoTimeout(millis);
            socket.connect(endpoint.resolve(), millis);
            socket.getOutputStream()
                    .write(("GET " + path + " HTTP/1.0\r\nHost: " + endpoint + "\r\n\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
            String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            int body = answer.indexOf("\r\n\r\n");
            if (body < 0 || !answer.matches("(?s)HTTP/1\\.[01] [0-9]{3}.*")) {
                throw answer.isEmpty()
                        ? new EOFException("the connection was closed without an answer")
                        : new IOException("this is no admin port");
            }
            return new Page(Integer.parseInt(answer.substring(9, 12)), answer.substring(body + 4));
        }
    }

    /** The fields of {@code /status}. */
    Map<String, Object> status() throws IOException {
        try {
            return Json.object(get("/status").body());
        } catch (IllegalArgumentException e) {
            throw new IOException("this is no admin port", e);
        }
    }
}
