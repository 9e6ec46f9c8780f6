package io.dshm.server.security;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What the unfinished records and handshakes of one event loop's connections may hold together. When it is too much,
 * those that have not gone on for the longest time are ended at once: what they hold is free before anything more is
 * read. Confined to that loop.
 */
final class TlsRoom {

    private final long bytesMax;

    /** Those that hold something, the one that has not gone on for the longest time first. */
    private final Map<BoundedTls, Integer> holding = new LinkedHashMap<>();

    private long bytes;

    TlsRoom(long bytesMax) {
        this.bytesMax = bytesMax;
    }

    /**
     * That connection holds so many bytes now, instead of what it held before. May end any connection of this loop,
     * that one among them.
     *
     * @param hasGoneOn whether it has finished a record since the last call
     */
    void holds(BoundedTls connection, int now, boolean hasGoneOn) {
        if (hasGoneOn || now == 0) {
            remove(connection);
        }
        if (now > 0) {
            Integer before = holding.put(connection, now);
            bytes += now - (before == null ? 0 : before);
        }
        while (bytes > bytesMax) {
            BoundedTls eldest = holding.keySet().iterator().next();
            remove(eldest);
            eldest.evict();
        }
    }

    private void remove(BoundedTls connection) {
        Integer before = holding.remove(connection);
        if (before != null) {
            bytes -= before;
        }
    }

    /** What they hold together. */
    long bytes() {
        return bytes;
    }
}
