package io.dshm.client.cli;

import io.dshm.client.ClientTls;
import io.dshm.client.internal.Endpoint;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One node's port for operators. A request by hand on a socket: the JDK's HTTP client would take longer to load than
 * the rest of the command.
 *
 * @param authorization what the node is told of who asks, or null
 */
record AdminPort(
        Endpoint endpoint,
        @Nullable ClientTls tls,
        Duration timeout,
        @Nullable String authorization) {

    private static final String HEAD_END = "\r\n\r\n";
    private static final int HEAD_BYTES_MAX = 8192;
    private static final int OK = 200;
    private static final int UNAUTHORIZED = 401;
    private static final int FORBIDDEN = 403;

    /** What a path shows. */
    record Page(int status, String body) {}

    /** Asks for a path. */
    Page get(String path) throws IOException {
        return exchange("GET", path);
    }

    /** Asks for a change. */
    Page post(String path) throws IOException {
        return exchange("POST", path);
    }

    private Page exchange(String method, String path) throws IOException {
        try (Socket socket = ask(method, path)) {
            return page(socket.getInputStream().readAllBytes());
        }
    }

    /**
     * Asks for something long; closing it closes the connection.
     *
     * @throws IOException also if the node cannot give it now; the message is what it says
     */
    InputStream open(String path) throws IOException {
        Socket socket = ask("GET", path);
        boolean opened = false;
        try {
            InputStream in = socket.getInputStream();
            ByteArrayOutputStream head = new ByteArrayOutputStream();
            while (!head.toString(StandardCharsets.ISO_8859_1).endsWith(HEAD_END)) {
                int next = in.read();
                if (next < 0 || head.size() == HEAD_BYTES_MAX) {
                    throw new EOFException("the connection was closed without an answer");
                }
                head.write(next);
            }
            int status = page(head.toByteArray()).status();
            if (status != OK) {
                throw new IOException(new String(in.readAllBytes(), StandardCharsets.UTF_8).strip());
            }
            opened = true;
            return in;
        } finally {
            if (!opened) {
                socket.close();
            }
        }
    }

    private Socket ask(String method, String path) throws IOException {
        int millis = (int) Math.max(1, Math.min(Integer.MAX_VALUE, timeout.toMillis()));
        Socket socket = new Socket();
        boolean asked = false;
        try {
            socket.setSoTimeout(millis);
            socket.connect(endpoint.resolve(), millis);
            if (tls != null) {
                socket = tls.over(socket, endpoint.host());
            }
            socket.getOutputStream()
                    .write((method + " " + path + " HTTP/1.0\r\nHost: " + endpoint
                                    + "\r\nDshm-Operator: dshm\r\nContent-Length: 0"
                                    + (authorization == null ? "" : "\r\nAuthorization: " + authorization)
                                    + HEAD_END)
                            .getBytes(StandardCharsets.US_ASCII));
            asked = true;
            return socket;
        } finally {
            if (!asked) {
                socket.close();
            }
        }
    }

    private static Page page(byte[] bytes) throws IOException {
        String answer = new String(bytes, StandardCharsets.UTF_8);
        int body = answer.indexOf(HEAD_END);
        if (body < 0 || !answer.matches("(?s)HTTP/1\\.[01] [0-9]{3}.*")) {
            throw answer.isEmpty()
                    ? new EOFException("the connection was closed without an answer")
                    : new IOException("this is no admin port");
        }
        return new Page(Integer.parseInt(answer.substring(9, 12)), answer.substring(body + HEAD_END.length()));
    }

    /** The fields of {@code /status}. */
    Map<String, Object> status() throws IOException {
        Page page = get("/status");
        if (page.status() == UNAUTHORIZED) {
            throw new IOException("it asks for its token, --admin-token-file, or a user with admin:*, --user");
        }
        if (page.status() == FORBIDDEN) {
            throw new IOException(page.body().strip());
        }
        try {
            return Json.object(page.body());
        } catch (IllegalArgumentException e) {
            throw new IOException("this is no admin port", e);
        }
    }
}
