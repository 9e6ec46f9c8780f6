package io.dshm.client;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.dshm.proto.Command;
import io.dshm.proto.Limits;
import io.dshm.proto.Rejection;
import io.dshm.proto.Reply;
import io.dshm.proto.Request;
import io.dshm.proto.text.ReplyEncoder;
import io.dshm.proto.text.RequestDecoder;
import io.dshm.proto.text.ValueBudget;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A node that does what a test says. Commands come from the real decoder; what a test does not say goes to the {@link FakeStore}, which all nodes of a test share.
 */
final class FakeNode implements AutoCloseable {

    /** Returned by a script: the connection is closed instead of a reply. */
    static final Reply CLOSES = new Reply.Value(new byte[0]);

    private final FakeStore store;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private final Object gate = new Object();
    private final AtomicInteger accepted = new AtomicInteger();

    /** What came, in its order on each connection, without questions about the node. */
    final List<Command> received = new CopyOnWriteArrayList<>();

    /** The first line that is expected on each connection; null for none. */
    volatile @Nullable String auth;

    /** What any other first line gets. */
    volatile String refusal = "denied";

    private volatile Function<Command, @Nullable Reply> script = command -> null;
    private volatile boolean frozen;
    private volatile boolean stopped;
    private volatile boolean closed;
    private final ServerSocket listener;

    FakeNode(FakeStore store) {
        this.store = store;
        this.listener = listen();
    }

    private ServerSocket listen() {
        try {
            ServerSocket socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
            Thread thread = new Thread(() -> accept(socket), "fake-node");
            thread.setDaemon(true);
            thread.start();
            return socket;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    int port() {
        return listener.getLocalPort();
    }

    String endpoint() {
        return "127.0.0.1:" + port();
    }

    int accepted() {
        return accepted.get();
    }

    /** How many connections are open. */
    int connections() {
        return open.size();
    }

    /** From now on this says the replies; null: the store does. */
    void script(Function<Command, @Nullable Reply> replies) {
        script = replies;
    }

    /** Neither reads nor replies, until {@link #thaw}: as a process that was stopped. */
    void freeze() {
        frozen = true;
    }

    void thaw() {
        synchronized (gate) {
            frozen = false;
            gate.notifyAll();
        }
    }

    /** Ends all connections. */
    void drop() {
        open.forEach(FakeNode::closeQuietly);
    }

    /** Ends all connections, and each new one at once. It keeps its port, which another program could get. */
    void stop() {
        stopped = true;
        drop();
    }

    /** Serves again. */
    void startAgain() {
        stopped = false;
    }

    private void accept(ServerSocket from) {
        try {
            while (true) {
                Socket socket = from.accept();
                if (stopped) {
                    socket.close();
                    continue;
                }
                accepted.incrementAndGet();
                open.add(socket);
                Thread thread = new Thread(() -> serve(socket), "fake-connection");
                thread.setDaemon(true);
                thread.start();
            }
        } catch (IOException e) {
            drop(); // it was closed
        }
    }

    private void serve(Socket socket) {
        RequestDecoder decoder = new RequestDecoder(Limits.VALUE_BYTES_MAX, ValueBudget.UNLIMITED);
        ByteBuf in = Unpooled.buffer();
        try (socket) {
            InputStream bytes = new BufferedInputStream(socket.getInputStream());
            if (auth != null && !authenticate(bytes, socket)) {
                return;
            }
            while (true) {
                awaitThaw();
                in.discardReadBytes();
                if (in.writeBytes(bytes, 64 * 1024) < 0) {
                    return;
                }
                awaitThaw();
                ByteBuf out = Unpooled.buffer();
                boolean goesOn = true;
                for (Request request = decoder.decode(in); request != null && goesOn; request = decoder.decode(in)) {
                    goesOn = reply(request, out);
                }
                out.readBytes(socket.getOutputStream(), out.readableBytes());
                if (!goesOn) {
                    return;
                }
            }
        } catch (IOException | InterruptedException e) {
            closeQuietly(socket); // it was dropped
        } finally {
            open.remove(socket);
        }
    }

    private boolean reply(Request request, ByteBuf out) {
        if (request instanceof Rejection rejection) {
            ReplyEncoder.encode(rejection.failure(), out);
            return !rejection.closes();
        }
        Command command = (Command) request;
        if (command != Command.Ping.PING && command != Command.Info.INFO) {
            received.add(command);
        }
        Reply reply = script.apply(command);
        if (reply == CLOSES) {
            return false;
        }
        ReplyEncoder.encode(reply == null ? store.apply(command) : reply, out);
        return true;
    }

    private boolean authenticate(InputStream bytes, Socket socket) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int one = bytes.read(); one >= 0 && one != '\n'; one = bytes.read()) {
            line.append((char) one);
        }
        boolean right = line.toString().trim().equals(auth);
        socket.getOutputStream().write((right ? "DONE\r\n" : "ERROR " + refusal + "\r\n").getBytes(US_ASCII));
        return right;
    }

    private void awaitThaw() throws InterruptedException {
        synchronized (gate) {
            while (frozen && !closed) {
                gate.wait();
            }
        }
    }

    private static void closeQuietly(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() throws IOException {
        closed = true;
        thaw();
        stop();
        listener.close();
    }
}
