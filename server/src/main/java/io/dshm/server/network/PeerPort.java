package io.dshm.server.network;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Who may connect to a port for other nodes, and what all connections there may cost together. When they cost too much,
 * the connection whose incomplete frame began first is closed: frames of other nodes are complete within milliseconds.
 *
 * <p>Thread-safe. Each connection takes the lock when it opens, with its first frame, when it closes, and for a large
 * frame that arrives in several pieces; never for others.
 */
public final class PeerPort {

    /**
     * What a port may cost.
     *
     * @param connections that may be open at a time
     * @param unfinishedBytes that incomplete frames may announce together, unless a single one is larger
     * @param frame and one frame of them
     */
    public record Bounds(int connections, long unfinishedBytes, FrameGuard.Bounds frame) {}

    private final Bounds bounds;
    private final Predicate<InetAddress> mayConnect;
    private final RefusalLog refusals;

    /** Connections with a frame that is not complete, by when it began, and how much it announces; 0: its first one. */
    private final Map<FrameGuard, Integer> unfinished = new LinkedHashMap<>();

    private long unfinishedBytes;
    private int connections;

    /**
     * A port without connections.
     *
     * @param mayConnect asked on event loops: must not block
     */
    public PeerPort(Bounds bounds, Predicate<InetAddress> mayConnect, RefusalLog refusals) {
        this.bounds = bounds;
        this.mayConnect = mayConnect;
        this.refusals = refusals;
    }

    /** The first handler in the pipeline of a new connection at this port. It closes one that is not allowed. */
    public FrameGuard guard(FrameFormat format) {
        return new FrameGuard(format, bounds.frame(), this);
    }

    /** Why that connection may not be, or null. To be followed by {@link #closed} in any case. */
    @Nullable
    String opened(FrameGuard guard, @Nullable SocketAddress remote) {
        FrameGuard evicted = null;
        synchronized (this) {
            connections++;
            if (remote instanceof InetSocketAddress address && !mayConnect.test(address.getAddress())) {
                return "no member has this address";
            }
            if (connections > bounds.connections()) {
                Iterator<FrameGuard> eldest = unfinished.keySet().iterator();
                if (!eldest.hasNext()) {
                    return bounds.connections() + " are connected";
                }
                evicted = eldest.next();
                remove(evicted);
            }
            unfinished.put(guard, 0);
        }
        if (evicted != null) {
            evicted.evict();
        }
        return null;
    }

    synchronized void closed(FrameGuard guard) {
        connections--;
        remove(guard);
    }

    /** A frame of so many bytes has begun to arrive. */
    void began(FrameGuard guard, int bytes) {
        while (true) {
            FrameGuard evicted;
            synchronized (this) {
                if (unfinishedBytes + bytes <= bounds.unfinishedBytes() || unfinishedBytes == 0) {
                    remove(guard);
                    unfinished.put(guard, bytes);
                    unfinishedBytes += bytes;
                    return;
                }
                evicted = eldestLarge();
                remove(evicted);
            }
            evicted.evict();
        }
    }

    private FrameGuard eldestLarge() {
        return unfinished.entrySet().stream()
                .filter(entry -> entry.getValue() > 0)
                .map(Map.Entry::getKey)
                .findFirst()
                .orElseThrow();
    }

    /** A connection's frame is complete. */
    synchronized void ended(FrameGuard guard) {
        remove(guard);
    }

    private void remove(FrameGuard guard) {
        Integer bytes = unfinished.remove(guard);
        if (bytes != null) {
            unfinishedBytes -= bytes;
        }
    }

    /** Logs that a connection was refused, or ended for what it sent; at a bounded rate. */
    public void refused(@Nullable SocketAddress who, String why) {
        refusals.refused(String.valueOf(who), why);
    }

    /** How many connections there are now. */
    synchronized int connections() {
        return connections;
    }
}
