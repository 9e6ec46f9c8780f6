package io.dshm.server.network;

import io.netty.channel.Channel;

/** What encrypts the connections that this node makes to others. Thread-safe. */
@FunctionalInterface
public interface DialedEncryption {

    /** They are plain. */
    DialedEncryption NONE = (dialed, node) -> {};

    /**
     * Equips a new connection, before any other handler is in its pipeline. On its event loop.
     *
     * @param node the name of the member that has to be at the other end
     */
    void begin(Channel dialed, String node);
}
