package io.dshm.server.network;

import io.netty.channel.Channel;
import io.netty.channel.epoll.EpollSocketChannel;

/** What all connections between nodes have in common. */
public final class PeerSockets {

    /**
     * After which unacknowledged bytes end a connection. A cut cable causes no error; and after it is repaired, TCP
     * by itself would wait about as long as the cut took before it tries again.
     */
    private static final int USER_TIMEOUT_MILLIS = 2_000;

    private PeerSockets() {}

    /**
     * Makes the connection end when the other side acknowledges nothing for too long. On Linux; elsewhere it has no
     * effect.
     */
    public static void giveUpOnSilence(Channel channel) {
        if (channel instanceof EpollSocketChannel socket) {
            socket.config().setTcpUserTimeout(USER_TIMEOUT_MILLIS);
        }
    }
}
