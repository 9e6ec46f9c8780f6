package io.dshm.server.network;

import io.netty.channel.Channel;
import io.netty.channel.socket.DuplexChannel;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.ssl.SslHandler;
import org.jspecify.annotations.Nullable;

/** Ends of a connection that mean the same with TLS and without. To be called on the connection's event loop. */
public final class SocketEnds {

    private SocketEnds() {}

    /** Sends nothing more. With TLS that is said first: a client could not tell it from an attacker's cut otherwise. */
    public static void endOutput(Channel channel) {
        @Nullable SslHandler tls = channel.pipeline().get(SslHandler.class);
        if (tls == null) {
            ((DuplexChannel) channel).shutdownOutput();
        } else {
            tls.closeOutbound().addListener(said -> ((DuplexChannel) channel).shutdownOutput());
        }
    }

    /**
     * From now on the connection is reset by whatever ends it, also by the end of this process: but for
     * {@link #closeAfterAll}. The client then knows that what it got may not be all.
     */
    public static void resetUnlessClosedAfterAll(SocketChannel channel) {
        channel.config().setSoLinger(0);
    }

    /** Closes the connection when all that waits is sent, and so says that it was all. */
    public static void closeAfterAll(SocketChannel channel) {
        if (channel.isOpen()) {
            channel.config().setSoLinger(-1);
        }
        channel.close();
    }

    /** Resets the connection. */
    public static void reset(SocketChannel channel) {
        resetUnlessClosedAfterAll(channel);
        drop(channel);
    }

    /**
     * Closes the connection at once, whatever waits to be sent. TLS would say a proper end first, and wait for seconds
     * for a client that does not read, so it is passed over.
     */
    public static void drop(Channel channel) {
        channel.unsafe().close(channel.unsafe().voidPromise());
    }
}
