package io.dshm.server.frontend;

import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** The connections of one event loop, which looks after those that stand still. Confined to it. */
final class ConnectionSet {

    private static final long CHECK_SECONDS = 5;

    private final Set<TextConnection> connections = new HashSet<>();
    private final ScheduledExecutorService loop;
    private final int checksMax;

    /** @param stallSeconds how long a request that was begun may stand still */
    ConnectionSet(ScheduledExecutorService loop, long stallSeconds) {
        this.loop = loop;
        this.checksMax = Math.toIntExact(Math.max(1, stallSeconds / CHECK_SECONDS));
    }

    void start() {
        loop.scheduleWithFixedDelay(this::check, CHECK_SECONDS, CHECK_SECONDS, TimeUnit.SECONDS);
    }

    void add(TextConnection connection) {
        connections.add(connection);
    }

    void remove(TextConnection connection) {
        connections.remove(connection);
    }

    private void check() {
        Set.copyOf(connections).forEach(connection -> connection.checkProgress(checksMax));
    }

    /** Ends those that have nothing outstanding; whether all have. */
    boolean finish() {
        Set.copyOf(connections).forEach(TextConnection::finish);
        return connections.isEmpty();
    }
}
