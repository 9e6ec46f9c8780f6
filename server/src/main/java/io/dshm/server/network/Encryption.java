package io.dshm.server.network;

import io.netty.channel.Channel;

/** What encrypts the connections that a port accepts. Thread-safe. */
@FunctionalInterface
public interface Encryption {

    /** They are plain. */
    Encryption NONE = accepted -> {};

    /** Equips a new connection, before any other handler is in its pipeline. On its event loop. */
    void begin(Channel accepted);
}
