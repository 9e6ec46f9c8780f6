package io.dshm.server.frontend;

import io.dshm.proto.text.RequestDecoder;
import io.dshm.server.replication.Lane;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.handler.stream.ChunkedWriteHandler;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Accepts clients that speak the DSHM text protocol. Thread-safe. */
public final class TextListener {

    private static final Logger LOG = LoggerFactory.getLogger(TextListener.class);

    /** Replies that a client does not read, above which nothing more is read from it. */
    private static final WriteBufferWaterMark WRITE_BUFFER = new WriteBufferWaterMark(64 * 1024, 256 * 1024);

    private static final int BACKLOG = 4096;
    private static final long FINISH_CHECK_MILLIS = 5;

    /**
     * What clients may do.
     *
     * @param valueBytesMax the longest value
     * @param connectionsMax how many may be connected; further ones are told so and closed
     * @param stallSeconds how long a request that was begun may stand still
     */
    public record ClientLimits(int valueBytesMax, int connectionsMax, int stallSeconds) {}

    private final ClientLimits limits;
    private final MemoryBudget budget;
    private final Function<EventLoop, Lane> lanes;
    private final Map<EventLoop, ConnectionSet> connections = new ConcurrentHashMap<>();
    private final AtomicInteger count = new AtomicInteger();
    private final Channel channel;

    /**
     * Listens.
     *
     * @param lanes the lane of each event loop
     * @throws IllegalStateException if the address cannot be bound
     */
    public TextListener(
            EventLoopGroup loops,
            Class<? extends ServerChannel> channelType,
            InetSocketAddress address,
            ClientLimits limits,
            MemoryBudget budget,
            Function<EventLoop, Lane> lanes)
            throws InterruptedException {
        this.limits = limits;
        this.budget = budget;
        this.lanes = lanes;
        var bound = new ServerBootstrap()
                .group(loops)
                .channel(channelType)
                .option(ChannelOption.SO_REUSEADDR, true)
                .option(ChannelOption.SO_BACKLOG, BACKLOG)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.SO_KEEPALIVE, true)
                .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, WRITE_BUFFER)
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel accepted) {
                        accept(accepted);
                    }
                })
                .bind(address)
                .await();
        if (!bound.isSuccess()) {
            throw new IllegalStateException("cannot listen for clients on " + address, bound.cause());
        }
        this.channel = bound.channel();
    }

    private void accept(Channel accepted) {
        accepted.closeFuture().addListener(closed -> count.decrementAndGet());
        if (count.incrementAndGet() > limits.connectionsMax()) {
            LOG.warn("refused {}: {} clients are connected", accepted.remoteAddress(), limits.connectionsMax());
            accepted.pipeline().addLast(new RefusingHandler());
            return;
        }
        EventLoop loop = accepted.eventLoop();
        ConnectionSet set = connections.computeIfAbsent(loop, l -> {
            ConnectionSet created = new ConnectionSet(l, limits.stallSeconds());
            created.start();
            return created;
        });
        accepted.pipeline().addLast(new ChunkedWriteHandler());
        accepted.pipeline()
                .addLast(new TextConnection(
                        lanes.apply(loop), new RequestDecoder(limits.valueBytesMax(), budget), budget, set));
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
