package io.dshm.server.frontend;

import io.dshm.proto.Limits;
import io.dshm.server.guard.SeldomLogged;
import io.dshm.server.network.Ports;
import io.dshm.server.network.SocketEnds;
import io.dshm.server.replication.Lane;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.stream.ChunkedWriteHandler;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Accepts the clients of one protocol, counts them, and closes their connections in an orderly way. Thread-safe. */
public final class ClientListener {

    /** Between two lines that clients cause, of one kind. */
    static final Duration LOG_INTERVAL = Duration.ofSeconds(10);

    private static final Logger LOG = LoggerFactory.getLogger(ClientListener.class);

    /** Replies that a client does not read, above which nothing more is read from it. */
    static final WriteBufferWaterMark WRITE_BUFFER = new WriteBufferWaterMark(64 * 1024, 256 * 1024);

    private static final long FINISH_CHECK_MILLIS = 5;

    /** What is spoken on a port. Called on the connection's event loop. */
    public interface Protocol {

        /** Equips a new connection, whose commands go to that lane, and which belongs to that set. */
        void open(Channel accepted, Lane lane, ConnectionSet connections);

        /** Sets up a connection beyond the limit: it is to be closed, with an error if the protocol has one. */
        void refuse(Channel accepted);
    }

    /**
     * What clients may do.
     *
     * @param connectionsMax how many may be connected; further ones are refused
     * @param stallSeconds how long a request that was begun, or a reply that is not read, may stand still
     * @param replies what replies may hold that wait for clients, on all listeners together
     */
    public record ClientLimits(int connectionsMax, int stallSeconds, MemoryBudget replies) {}

    private final ClientLimits limits;
    private final Protocol protocol;
    private final Function<EventLoop, Lane> lanes;
    private final Map<EventLoop, ConnectionSet> connections = new ConcurrentHashMap<>();
    private final AtomicInteger count = new AtomicInteger();
    private final AtomicLong accepted = new AtomicLong();
    private final AtomicLong refusedCount = new AtomicLong();
    private final SeldomLogged refused = new SeldomLogged(System::nanoTime, LOG_INTERVAL);
    private final Channel channel;

    /**
     * Listens.
     *
     * @param settings which settings have the address, for the message
     * @param backlog how many connections may wait to be accepted
     * @param lanes the lane of each event loop
     * @throws IOException if the address cannot be bound
     */
    public ClientListener(
            Ports ports,
            InetSocketAddress address,
            String settings,
            int backlog,
            ClientLimits limits,
            Protocol protocol,
            Function<EventLoop, Lane> lanes)
            throws IOException, InterruptedException {
        this.limits = limits;
        this.protocol = protocol;
        this.lanes = lanes;
        this.channel = ports.listen(address, settings, backlog, this::accept);
    }

    private void accept(Channel accepted) {
        accepted.closeFuture().addListener(closed -> count.decrementAndGet());
        int tooMany = count.incrementAndGet() - limits.connectionsMax();
        if (tooMany > 0) {
            refusedCount.incrementAndGet();
            long times = refused.next();
            if (times > 0) {
                LOG.warn(
                        "refused {} connections, the last of them {}: {} clients are connected",
                        times,
                        accepted.remoteAddress(),
                        limits.connectionsMax());
            }
            if (tooMany > Limits.REFUSED_CONNECTIONS_MAX) {
                SocketEnds.reset((SocketChannel) accepted);
            } else {
                protocol.refuse(accepted);
            }
            return;
        }
        this.accepted.incrementAndGet();
        EventLoop loop = accepted.eventLoop();
        ConnectionSet set = connections.computeIfAbsent(loop, l -> {
            ConnectionSet created = new ConnectionSet(l, limits.stallSeconds(), limits.replies(), System::nanoTime);
            created.start();
            return created;
        });
        accepted.config().setWriteBufferWaterMark(WRITE_BUFFER);
        accepted.pipeline().addLast(new ChunkedWriteHandler());
        protocol.open(accepted, lanes.apply(loop), set);
    }

    /** What clients have asked and got, for each event loop that has had any. */
    public List<CommandCounts> counts() {
        return connections.values().stream().map(ConnectionSet::counts).toList();
    }

    /** What limits have refused, for each event loop that has had clients. */
    public List<Refusals> refusals() {
        return connections.values().stream().map(ConnectionSet::refusals).toList();
    }

    /** Which keys are named most, for each event loop that has had clients. */
    public List<HotKeys> hotKeys() {
        return connections.values().stream().map(ConnectionSet::hotKeys).toList();
    }

    /** How many clients may be connected. */
    public int connectionsMax() {
        return limits.connectionsMax();
    }

    /** How many connections have been accepted since the start, and how many refused because there were too many. */
    public long acceptedCount() {
        return accepted.get();
    }

    public long refusedCount() {
        return refusedCount.get();
    }

    /** How many clients are connected. */
    public int connectionCount() {
        return count.get();
    }

    /** Accepts no more clients. Those that are connected stay. */
    public void stopAccepting() throws InterruptedException {
        channel.close().await();
    }

    /** Ends each connection as soon as all its requests are answered; done when none is left. */
    public CompletableFuture<Void> finishConnections() {
        List<CompletableFuture<Void>> all = new ArrayList<>();
        connections.forEach((loop, set) -> {
            CompletableFuture<Void> done = new CompletableFuture<>();
            all.add(done);
            loop.execute(() -> finish(loop, set, done));
        });
        return CompletableFuture.allOf(all.toArray(new CompletableFuture<?>[0]));
    }

    private static void finish(EventLoop loop, ConnectionSet set, CompletableFuture<Void> done) {
        if (set.finish()) {
            done.complete(null);
        } else {
            loop.schedule(() -> finish(loop, set, done), FINISH_CHECK_MILLIS, TimeUnit.MILLISECONDS);
        }
    }
}
