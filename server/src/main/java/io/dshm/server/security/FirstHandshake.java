package io.dshm.server.security;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.SslContext;
import java.nio.ByteBuffer;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;

/**
 * A handshake of a node with itself, in memory. The first one of a process takes many times as long as the others,
 * because all of the implementation is loaded in it; this one makes it before anybody waits. Blocks.
 */
final class FirstHandshake {

    /** More than a handshake has steps: it ends in any case. */
    private static final int STEPS_MAX = 64;

    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private final SSLEngine dialing;
    private final SSLEngine accepting;
    private final ByteBuffer toAccepting;
    private final ByteBuffer toDialing;

    private FirstHandshake(SslContext dialing, SslContext accepting, String self) {
        this.dialing = dialing.newEngine(ByteBufAllocator.DEFAULT, self, 0);
        this.accepting = accepting.newEngine(ByteBufAllocator.DEFAULT);
        // A step writes one record at most, and is only taken with room for it.
        int bytes = 8 * this.dialing.getSession().getPacketBufferSize();
        this.toAccepting = ByteBuffer.allocate(bytes);
        this.toDialing = ByteBuffer.allocate(bytes);
    }

    /** @throws SSLException if the node does not believe its own certificate */
    static void make(SslContext dialing, SslContext accepting, String self) throws SSLException {
        new FirstHandshake(dialing, accepting, self).make();
    }

    private void make() throws SSLException {
        dialing.beginHandshake();
        accepting.beginHandshake();
        for (int i = 0; i < STEPS_MAX && !(isDone(dialing) && isDone(accepting)); i++) {
            step(dialing, toDialing, toAccepting);
            step(accepting, toAccepting, toDialing);
        }
        if (!isDone(dialing) || !isDone(accepting)) {
            throw new SSLException("a handshake with itself does not end");
        }
    }

    private static boolean isDone(SSLEngine engine) {
        return engine.getHandshakeStatus() == HandshakeStatus.NOT_HANDSHAKING;
    }

    private static void step(SSLEngine engine, ByteBuffer in, ByteBuffer out) throws SSLException {
        switch (engine.getHandshakeStatus()) {
            case NEED_WRAP -> engine.wrap(NOTHING, out);
            case NEED_UNWRAP, NEED_UNWRAP_AGAIN -> unwrap(engine, in);
            case NEED_TASK -> {
                for (Runnable task = engine.getDelegatedTask(); task != null; task = engine.getDelegatedTask()) {
                    task.run();
                }
            }
            case FINISHED, NOT_HANDSHAKING -> unwrap(engine, in);
        }
    }

    /** Also after the handshake: tickets come then. */
    private static void unwrap(SSLEngine engine, ByteBuffer in) throws SSLException {
        in.flip();
        SSLEngineResult result =
                engine.unwrap(in, ByteBuffer.allocate(engine.getSession().getApplicationBufferSize()));
        in.compact();
        if (result.getStatus() == SSLEngineResult.Status.CLOSED) {
            throw new SSLException("a handshake with itself is ended");
        }
    }
}
