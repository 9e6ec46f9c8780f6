package io.dshm.server.system;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;

/** Requests of the Sharedance protocol, byte by byte, and what comes back. Keys and data are given as Latin-1. */
final class Sharedance {

    private static final int READ_MILLIS_MAX = 40_000;

    private Sharedance() {}

    /** A new connection to that port; a read fails after 40 seconds. */
    static Socket open(int port) throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setSoTimeout(READ_MILLIS_MAX);
        socket.setTcpNoDelay(true);
        return socket;
    }

    /** What is replied to these bytes until the connection ends; "reset" if it ends so. */
    static String ask(int port, byte[] request) throws IOException {
        try (Socket socket = open(port)) {
            socket.getOutputStream().write(request);
            return rest(socket);
        } catch (SocketException e) {
            return "reset";
        }
    }

    /** What is still replied until the connection ends; "reset" if it ends so. Closes it. */
    static String rest(Socket socket) throws IOException {
        try {
            return new String(socket.getInputStream().readAllBytes(), ISO_8859_1);
        } catch (SocketException e) {
            return "reset";
        } finally {
            socket.close();
        }
    }

    /** Bytes as they are. */
    static String text(byte[] bytes) {
        return new String(bytes, ISO_8859_1);
    }

    /** The bytes of a store. */
    static byte[] store(String key, String data) throws IOException {
        return join(head('S', key.length(), data.length()), key + data);
    }

    /** The bytes of a fetch. */
    static byte[] fetch(String key) throws IOException {
        return join(head('F', key.length()), key);
    }

    /** The bytes of a delete. */
    static byte[] delete(String key) throws IOException {
        return join(head('D', key.length()), key);
    }

    private static byte[] join(byte[] head, String rest) {
        ByteArrayOutputStream request = new ByteArrayOutputStream();
        request.writeBytes(head);
        request.writeBytes(rest.getBytes(ISO_8859_1));
        return request.toByteArray();
    }

    /** How a request begins: its verb and lengths. */
    static byte[] head(char verb, int... lengths) throws IOException {
        ByteArrayOutputStream head = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(head);
        out.writeByte(verb);
        for (int length : lengths) {
            out.writeInt(length);
        }
        return head.toByteArray();
    }
}
