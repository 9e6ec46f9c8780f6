package io.dshm.server.admin;

import io.dshm.proto.Limits;
import io.dshm.server.network.CannotListenException;
import io.dshm.server.network.Encryption;
import io.dshm.server.network.SocketEnds;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.flow.FlowControlHandler;
import io.netty.handler.timeout.IdleStateHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The admin port: HTTP for operators, see {@link AdminHandler}. Who reaches the port, and has the token if there is
 * one, may read everything there, and change the members.
 *
 * <p>It has a thread of its own, so that it answers whatever the clients' and the other nodes' connections do, and
 * another one for what takes long; a third one sends backups. Stalled or too many clients do not block others: a
 * connection ends when it is idle for {@link Limits#ADMIN_IDLE_SECONDS} or takes longer to send a request, and the
 * oldest one ends when there are more than {@link Limits#ADMIN_CONNECTIONS_MAX}, but none that gets a backup.
 */
public final class AdminListener {

    private final NioEventLoopGroup loop = new NioEventLoopGroup(1, new DefaultThreadFactory("admin", true));

    /** For requests that read the whole state: one runs, one waits, further ones are refused. */
    private final ThreadPoolExecutor slowRequests = new ThreadPoolExecutor(
            1, 1, 0, TimeUnit.SECONDS, new LinkedBlockingQueue<>(1), new DefaultThreadFactory("admin-slow", true));

    /** For backups, which last for as long as their client takes: one is sent, further ones are refused. */
    private final ThreadPoolExecutor backups = new ThreadPoolExecutor(
            0, 1, 60, TimeUnit.SECONDS, new SynchronousQueue<>(), new DefaultThreadFactory("admin-backup", true));

    /** Oldest first. Confined to the loop. */
    private final Map<Channel, AdminHandler> connections = new LinkedHashMap<>();

    private final NodeInfo node;
    private final MetricsSource metrics;
    private final @Nullable AdminToken token;
    private final RecentEvents recent = new RecentEvents();
    private final LiveEvents events;

    /**
     * Listens.
     *
     * @param tokenFile has the secret that requests need, but for those about the node's health; null if they need
     *     none, or a user once the cluster requires one
     * @param encryption of the connections
     * @throws IOException if the address cannot be bound, or the token cannot be read
     */
    public AdminListener(
            InetSocketAddress address,
            @Nullable Path tokenFile,
            NodeInfo node,
            MetricsSource metrics,
            Encryption encryption)
            throws IOException, InterruptedException {
        this.node = node;
        this.metrics = metrics;
        this.token = tokenFile == null ? null : AdminToken.read(tokenFile);
        this.events = new LiveEvents(() -> LiveEvents.of(node, metrics, recent), System::nanoTime);
        var bound = new ServerBootstrap()
                .group(loop)
                .channel(NioServerSocketChannel.class)
                .option(ChannelOption.SO_REUSEADDR, true)
                // One request at a time, see FlowControlHandler: answers leave in the order of the requests.
                .childOption(ChannelOption.AUTO_READ, false)
                .childOption(ChannelOption.RCVBUF_ALLOCATOR, new FixedRecvByteBufAllocator(Limits.ADMIN_READ_BYTES))
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel accepted) {
                        encryption.begin(accepted);
                        accept(accepted);
                    }
                })
                .bind(address)
                .await();
        if (!bound.isSuccess()) {
            loop.shutdownGracefully(0, 0, TimeUnit.SECONDS);
            throw new CannotListenException("admin-address, admin-port", address, bound.cause());
        }
        recent.begin();
    }

    private void accept(Channel accepted) {
        AdminHandler handler = new AdminHandler(node, metrics, token, slowRequests, backups, events);
        connections.put(accepted, handler);
        accepted.closeFuture().addListener(closed -> connections.remove(accepted));
        if (connections.size() > Limits.ADMIN_CONNECTIONS_MAX) {
            connections.entrySet().stream()
                    .filter(connection -> !connection.getValue().sendsBackup())
                    .findFirst()
                    .ifPresent(connection -> end(connection.getKey()));
        }
        addTo(accepted.pipeline(), handler);
    }

    /** At once, and without a last word: a client that reads nothing would hold its room meanwhile. */
    private void end(Channel oldest) {
        connections.remove(oldest);
        SocketEnds.drop(oldest);
    }

    /** What a connection's bytes go through on their way to its handler. */
    static void addTo(ChannelPipeline pipeline, AdminHandler handler) {
        pipeline.addLast(new IdleStateHandler(0, 0, Limits.ADMIN_IDLE_SECONDS))
                .addLast(new ReadsOnDemand(handler))
                .addLast(new HttpServerCodec(
                        Limits.ADMIN_REQUEST_BYTES_MAX, Limits.ADMIN_REQUEST_BYTES_MAX, Limits.ADMIN_REQUEST_BYTES_MAX))
                .addLast(new HttpObjectAggregator(Limits.ADMIN_REQUEST_BYTES_MAX, true))
                .addLast(new FlowControlHandler())
                .addLast(handler);
    }

    /** Listens no more. Blocks until its connections are closed. */
    public void stop() throws InterruptedException {
        recent.end();
        slowRequests.shutdownNow();
        backups.shutdownNow();
        loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).await();
    }
}
