package io.dshm.client.cli.bench;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;

/** TLS over a channel that does not block. Hands are shaken by the first reads and writes. Of one thread. */
final class TlsStream {

    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private final SSLEngine engine;
    /** What has come and is no whole record yet; to be read. */
    private final ByteBuffer received;
    /** Records that the channel has not taken yet; to be read. */
    private final ByteBuffer sending;

    TlsStream(SSLEngine engine) {
        this.engine = engine;
        int record = engine.getSession().getPacketBufferSize();
        this.received = ByteBuffer.allocate(2 * record).flip();
        this.sending = ByteBuffer.allocate(2 * record).flip();
    }

    /**
     * Shakes hands, and waits for it.
     *
     * @throws IOException if that takes longer, or the other side is not who it should be
     */
    void shakeHands(SocketChannel channel, int timeoutMillis) throws IOException {
        long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMillis);
        Bytes none = new Bytes();
        engine.beginHandshake();
        try (Selector selector = Selector.open()) {
            SelectionKey key = channel.register(selector, SelectionKey.OP_READ);
            while (isShakingHands()) {
                key.interestOps(
                        write(channel, NOTHING) ? SelectionKey.OP_READ | SelectionKey.OP_WRITE : SelectionKey.OP_READ);
                long left = TimeUnit.NANOSECONDS.toMillis(until - System.nanoTime());
                if (left <= 0) {
                    throw new SocketTimeoutException("no TLS within " + timeoutMillis + " ms");
                }
                selector.select(left);
                if (!read(channel, none)) {
                    throw new IOException("the server closed the connection");
                }
            }
            write(channel, NOTHING);
        }
    }

    private boolean isShakingHands() {
        HandshakeStatus status = engine.getHandshakeStatus();
        return status != HandshakeStatus.NOT_HANDSHAKING && status != HandshakeStatus.FINISHED;
    }

    /** Reads what has come. False if nothing more will come. */
    boolean read(SocketChannel channel, Bytes in) throws IOException {
        boolean open = true;
        while (open) {
            received.compact();
            int bytes = channel.read(received);
            received.flip();
            open = bytes >= 0 && decrypt(channel, in);
            if (bytes == 0) {
                break;
            }
        }
        return open;
    }

    /** Opens all records that are there; false after the last one there will be. */
    private boolean decrypt(SocketChannel channel, Bytes in) throws IOException {
        while (received.hasRemaining()) {
            in.ensure(engine.getSession().getApplicationBufferSize());
            ByteBuffer clear = ByteBuffer.wrap(in.array, in.to, in.array.length - in.to);
            SSLEngineResult result = engine.unwrap(received, clear);
            in.to = clear.position();
            if (result.getHandshakeStatus() == HandshakeStatus.NEED_TASK
                    || result.getHandshakeStatus() == HandshakeStatus.NEED_WRAP) {
                write(channel, NOTHING);
            }
            switch (result.getStatus()) {
                case CLOSED -> {
                    return false;
                }
                case BUFFER_UNDERFLOW -> {
                    return true;
                }
                case OK, BUFFER_OVERFLOW -> {
                    if (result.bytesConsumed() == 0 && result.getHandshakeStatus() == HandshakeStatus.NEED_UNWRAP) {
                        return true;
                    }
                }
            }
        }
        return true;
    }

    /**
     * Sends what can be sent now; whether the channel has to be written to again, even if nothing more is to be sent.
     */
    boolean write(SocketChannel channel, ByteBuffer clear) throws IOException {
        while (true) {
            channel.write(sending);
            if (sending.hasRemaining()) {
                return true;
            }
            HandshakeStatus status = engine.getHandshakeStatus();
            if (status == HandshakeStatus.NEED_TASK) {
                for (Runnable task = engine.getDelegatedTask(); task != null; task = engine.getDelegatedTask()) {
                    task.run();
                }
                continue;
            }
            if (status == HandshakeStatus.NEED_UNWRAP
                    || (status != HandshakeStatus.NEED_WRAP && !clear.hasRemaining())) {
                return false;
            }
            sending.clear();
            SSLEngineResult result = engine.wrap(clear, sending);
            sending.flip();
            if (result.getStatus() == SSLEngineResult.Status.CLOSED) {
                throw new IOException("the server closed the connection");
            }
        }
    }
}
