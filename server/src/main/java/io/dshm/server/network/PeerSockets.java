package io.dshm.server.network;

import io.netty.channel.Channel;
import io.netty.channel.epoll.EpollSocketChannel;

/** What all connections between nodes have in common. */
public final class PeerSockets {

    /**
     * After which unacknowledged bytes end a connection. A cable that is cut says nothing; and once it is whole again, TCP
     * by itself would wait about as long as the cut took before it tries once more.
     */
    private static final int USER_TIMEOUT_MILLIS = 2_000;

    private PeerSockets() {}

    /** Has the connection end when the other side acknowledges nothing for too long. On Linux; elsewhere nothing changes. */
    public static void giveUpOnSilence(Channel channel) {
        if (channel instanceof EpollSocketChannel socket) {
            socket.config().setTcpUserTimeout(USER_TIMEOUT_MILLIS);
        }
    }
}
