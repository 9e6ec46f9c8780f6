package io.dshm.server.system;

import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;

/** A client that sends the same request again and again, and reads no reply. */
final class Pipeline implements Closeable {

    private static final int STUCK_ROUNDS = 150;
    private static final Duration ROUND = Duration.ofMillis(2);
    private static final int BUFFER_BYTES = 64 * 1024;

    private final BareConnection connection;
    private final AtomicLong sent = new AtomicLong();
    private final Thread sender;

    /** Begins; it ends after about so many bytes. */
    Pipeline(NodeProcess node, byte[] request, long bytesMax) throws IOException {
        connection = node.connectBare(BUFFER_BYTES);
        sender = new Thread(() -> send(request, bytesMax), "pipeline");
        sender.setDaemon(true);
        sender.start();
    }

    private void send(byte[] request, long bytesMax) {
        try {
            OutputStream out = connection.socket().getOutputStream();
            while (sent.get() < bytesMax) {
                out.write(request);
                sent.addAndGet(request.length);
            }
        } catch (IOException e) {
            // Closed, by either side.
        }
    }

    /** The bytes of whole requests that were taken. */
    long sent() {
        return sent.get();
    }

    /** Waits until nothing has been taken for a while, or it has ended. */
    void awaitStuck() throws InterruptedException {
        long before = -1;
        for (int stuck = 0; stuck < STUCK_ROUNDS && sender.isAlive(); stuck++) {
            if (sent.get() != before) {
                before = sent.get();
                stuck = 0;
            }
            Await.pause(ROUND);
        }
    }

    @Override
    public void close() throws IOException {
        connection.close();
    }
}
