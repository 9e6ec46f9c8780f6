package io.dshm.server.frontend;

import io.dshm.proto.Reply;
import io.dshm.server.guard.Guard;
import io.dshm.server.guard.SeldomLogged;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The connections of one event loop. It closes those that stall, and those that do not read their replies
 * when too many bytes wait. Confined to the loop.
 */
public final class ConnectionSet {

    private static final Logger LOG = LoggerFactory.getLogger(ConnectionSet.class);

    private static final long CHECK_SECONDS_MAX = 5;

    /** Into how many checks the time is divided that a connection may stand still. */
    private static final long CHECKS = 4;

    /** Who has read nothing for so long is disconnected where others would be refused. */
    private static final long STUCK_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final Set<ClientConnection> connections = new HashSet<>();
    private final ScheduledExecutorService loop;
    private final ReplyMemory memory;
    private final LongSupplier nanoTime;
    private final SeldomLogged disconnected;
    private final CommandCounts counts;
    private final Refusals refusals = new Refusals(System::currentTimeMillis);
    private final HotKeys hotKeys;
    private final long checkSeconds;
    private final int checksMax;

    /**
     * No connections yet.
     *
     * @param stallSeconds how long a request that was begun, or a reply that is not read, may stand still; it may be a
     *     quarter more, or a second
     * @param replies what replies may hold that wait for the clients of this node
     * @param nanoTime the monotonic clock, as {@link System#nanoTime()}
     */
    ConnectionSet(ScheduledExecutorService loop, long stallSeconds, MemoryBudget replies, LongSupplier nanoTime) {
        this.loop = loop;
        this.memory = new ReplyMemory(replies);
        this.nanoTime = nanoTime;
        this.disconnected = new SeldomLogged(nanoTime, ClientListener.LOG_INTERVAL);
        this.counts = new CommandCounts(nanoTime);
        this.hotKeys = new HotKeys(nanoTime);
        this.checkSeconds = Math.max(1, Math.min(CHECK_SECONDS_MAX, stallSeconds / CHECKS));
        this.checksMax = Math.toIntExact(Math.max(1, stallSeconds / checkSeconds));
    }

    void start() {
        loop.scheduleWithFixedDelay(
                Guard.of("looking after connections", this::check), checkSeconds, checkSeconds, TimeUnit.SECONDS);
    }

    /** What waits for the client of a new connection: nothing yet. */
    public UnreadReplies newUnreadReplies() {
        return new UnreadReplies(this, memory);
    }

    /** A connection has opened. */
    public void add(ClientConnection connection) {
        connections.add(connection);
    }

    /** A connection has ended. */
    public void remove(ClientConnection connection) {
        connections.remove(connection);
    }

    /** What limits have refused to these connections. */
    public Refusals refusals() {
        return refusals;
    }

    /** Which keys these connections name most. */
    public HotKeys hotKeys() {
        return hotKeys;
    }

    /** What these connections have asked and got. */
    public CommandCounts counts() {
        return counts;
    }

    long nanoTime() {
        return nanoTime.getAsLong();
    }

    private void check() {
        for (ClientConnection connection : List.copyOf(connections)) {
            try {
                connection.checkProgress(checksMax);
            } catch (RuntimeException e) {
                Guard.thrown("looking after a connection", e);
                connection.disconnect();
            }
        }
        if (memory.isNearlyFull()) {
            disconnect(this::isStuck, memory::isNearlyFull);
        }
    }

    private boolean isStuck(ClientConnection connection) {
        return nanoTime() - connection.unread().sinceNanos() >= STUCK_NANOS;
    }

    /** Whether the node may hold this for one more client, perhaps after others of this loop are disconnected. */
    boolean makeRoomFor(Reply read) {
        if (memory.hasRoomFor(read)) {
            return true;
        }
        disconnect(this::isStuck, () -> !memory.hasRoomFor(read));
        return memory.hasRoomFor(read);
    }

    /** Disconnects clients of this loop while the node holds more for clients than it may. */
    void relieve() {
        if (memory.isExceeded()) {
            disconnect(connection -> true, memory::isExceeded);
        }
    }

    /** Those whose replies have waited longest go first. */
    private void disconnect(Predicate<ClientConnection> which, BooleanSupplier goesOn) {
        long now = nanoTime();
        List<ClientConnection> waiting = connections.stream()
                .filter(connection -> connection.unread().bytes() > 0)
                .filter(which)
                .sorted(Comparator.comparingLong(
                        connection -> connection.unread().sinceNanos() - now))
                .toList();
        for (ClientConnection connection : waiting) {
            if (!goesOn.getAsBoolean()) {
                return;
            }
            long count = disconnected.next();
            if (count > 0) {
                LOG.warn(
                        "disconnected {} clients that do not read their replies, the last of them {}: too many bytes wait for clients",
                        count,
                        connection);
            }
            connection.disconnect();
        }
    }

    /** Ends those that have nothing outstanding; whether all have. */
    boolean finish() {
        List.copyOf(connections).forEach(ClientConnection::finish);
        return connections.isEmpty();
    }
}
