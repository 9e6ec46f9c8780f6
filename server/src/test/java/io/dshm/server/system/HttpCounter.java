package io.dshm.server.system;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/**
 * One connection to a web server that counts, kept alive. Made by hand, because the JDK's HTTP clients send a request a
 * second time when a connection breaks, and so would count twice.
 */
final class HttpCounter implements Increments.Counter {

    private static final int REPLY_MILLIS_MAX = 30_000;
    private static final String LENGTH = "content-length:";

    private final Socket socket;
    private final InputStream in;
    private final byte[] request;

    /**
     * Opens the connection.
     *
     * @param target what counts: {@code /incr?key}
     */
    HttpCounter(NginxProcess nginx, String target) throws IOException {
        socket = new Socket(InetAddress.getLoopbackAddress(), nginx.port());
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(REPLY_MILLIS_MAX);
        in = new BufferedInputStream(socket.getInputStream());
        request = ("GET " + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n").getBytes(StandardCharsets.US_ASCII);
    }

    @Override
    public long increment() throws IOException {
        socket.getOutputStream().write(request);
        String status = readLine();
        int length = 0;
        for (String header = readLine(); !header.isEmpty(); header = readLine()) {
            if (header.toLowerCase(Locale.ROOT).startsWith(LENGTH)) {
                length = Integer.parseInt(header.substring(LENGTH.length()).trim());
            }
        }
        String body = new String(in.readNBytes(length), StandardCharsets.US_ASCII);
        if (status.startsWith("HTTP/1.1 200 ")) {
            return Long.parseLong(body);
        }
        if (body.equals("connection refused")) {
            throw new ConnectException("the web server's node is down");
        }
        throw new IOException(status + ": " + body);
    }

    private String readLine() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int read = in.read(); read != '\n'; read = in.read()) {
            if (read < 0) {
                throw new EOFException("the web server has closed the connection");
            }
            line.write(read);
        }
        return line.toString(StandardCharsets.US_ASCII).trim();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
