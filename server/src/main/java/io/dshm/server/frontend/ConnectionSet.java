package io.dshm.server.frontend;

import io.dshm.server.guard.Guard;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** The connections of one event loop, which looks after those that stand still. Confined to it. */
public final class ConnectionSet {

    private static final long CHECK_SECONDS_MAX = 5;

    /** Into how many checks the time is divided that a connection may stand still. */
    private static final long CHECKS = 4;

    private final Set<ClientConnection> connections = new HashSet<>();
    private final ScheduledExecutorService loop;
    private final long checkSeconds;
    private final int checksMax;

    /** @param stallSeconds how long a request that was begun may stand still; it may be a quarter more, or a second */
    ConnectionSet(ScheduledExecutorService loop, long stallSeconds) {
        this.loop = loop;
        this.checkSeconds = Math.max(1, Math.min(CHECK_SECONDS_MAX, stallSeconds / CHECKS));
        this.checksMax = Math.toIntExact(Math.max(1, stallSeconds / checkSeconds));
    }

    void start() {
        loop.scheduleWithFixedDelay(
                Guard.of("looking after connections", this::check), checkSeconds, checkSeconds, TimeUnit.SECONDS);
    }

    /** A connection has opened. */
    public void add(ClientConnection connection) {
        connections.add(connection);
    }

    /** A connection has ended. */
    public void remove(ClientConnection connection) {
        connections.remove(connection);
    }

    private void check() {
        for (ClientConnection connection : Set.copyOf(connections)) {
            try {
                connection.checkProgress(checksMax);
            } catch (RuntimeException e) {
                Guard.thrown("looking after a connection", e);
            }
        }
    }

    /** Ends those that have nothing outstanding; whether all have. */
    boolean finish() {
        Set.copyOf(connections).forEach(ClientConnection::finish);
        return connections.isEmpty();
    }
}
