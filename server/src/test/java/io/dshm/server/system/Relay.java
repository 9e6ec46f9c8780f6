package io.dshm.server.system;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** A port whose connections lead to a node, and end when a test says so. */
final class Relay implements AutoCloseable {

    private final ServerSocket listener;
    private final int target;
    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
    private final AtomicInteger accepted = new AtomicInteger();

    /** @param host an address of this machine */
    Relay(String host, int port, int target) throws IOException {
        this.target = target;
        this.listener = new ServerSocket();
        listener.setReuseAddress(true);
        listener.bind(new InetSocketAddress(host, port), 64);
        start("accept", this::accept);
    }

    /** HOST:PORT. */
    String address() {
        return listener.getInetAddress().getHostAddress() + ":" + listener.getLocalPort();
    }

    /** How many connections there have been. */
    int accepted() {
        return accepted.get();
    }

    /** Ends all connections, and whatever is on its way on them. */
    void cut() {
        sockets.forEach(Relay::end);
    }

    private static void start(String what, Body body) {
        Thread thread = new Thread(
                () -> {
                    try {
                        body.run();
                    } catch (IOException e) {
                        // The other end, or the test, has ended it.
                        Thread.currentThread().interrupt();
                    }
                },
                "relay-" + what);
        thread.setDaemon(true);
        thread.start();
    }

    private interface Body {
        void run() throws IOException;
    }

    private void accept() throws IOException {
        while (true) {
            Socket client = listener.accept();
            Socket node = new Socket(InetAddress.getLoopbackAddress(), target);
            accepted.incrementAndGet();
            for (Socket socket : new Socket[] {client, node}) {
                socket.setTcpNoDelay(true);
                sockets.add(socket);
            }
            start("request", () -> copy(client, node));
            start("reply", () -> copy(node, client));
        }
    }

    private void copy(Socket from, Socket to) throws IOException {
        try {
            from.getInputStream().transferTo(to.getOutputStream());
        } finally {
            end(from);
            end(to);
            sockets.remove(from);
            sockets.remove(to);
        }
    }

    private static void end(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() throws IOException {
        listener.close();
        cut();
    }
}
