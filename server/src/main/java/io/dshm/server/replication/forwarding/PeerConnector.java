package io.dshm.server.replication.forwarding;

import io.dshm.proto.wire.Forward;
import io.dshm.proto.wire.Hello;
import io.dshm.proto.wire.PeerMessage;
import io.dshm.proto.wire.StatusReply;
import io.dshm.proto.wire.StatusRequest;
import io.dshm.server.network.FrameGuard;
import io.dshm.server.network.PeerSockets;
import io.dshm.server.replication.PeerLinks;
import io.dshm.server.replication.PeerStatuses;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Opens connections to the other nodes. Thread-safe. */
public final class PeerConnector implements PeerLinks, PeerStatuses {

    private static final Logger LOG = LoggerFactory.getLogger(PeerConnector.class);

    private static final int CONNECT_MILLIS = 1_000;

    private final EventLoopGroup loops;
    private final Class<? extends Channel> channelType;
    private final Map<String, InetSocketAddress> addresses;
    private final PeerMessage hello;

    /**
     * A connector for these nodes.
     *
     * @param addresses the nodes' forwarding addresses by their names, not resolved: they are, with every connection
     */
    public PeerConnector(
            EventLoopGroup loops,
            Class<? extends Channel> channelType,
            String cluster,
            String self,
            Map<String, InetSocketAddress> addresses) {
        this.loops = loops;
        this.channelType = channelType;
        this.addresses = Map.copyOf(addresses);
        this.hello = PeerMessage.newBuilder()
                .setHello(Hello.newBuilder().setCluster(cluster).setNode(self))
                .build();
    }

    /** {@inheritDoc} The lane must be one of the connector's event loops. */
    @Override
    public Link open(String node, ScheduledExecutorService lane, Listener listener) {
        LinkHandler handler = new LinkHandler(listener);
        ChannelFuture connecting = connect((EventLoop) lane, node, handler);
        connecting.addListener(done -> {
            if (!done.isSuccess()) {
                LOG.debug("no link to {}: {}", node, String.valueOf(done.cause()));
                handler.end();
            }
        });
        return new Link() {
            @Override
            public void send(Forward forward) {
                connecting
                        .channel()
                        .write(PeerMessage.newBuilder().setForward(forward).build());
                handler.flushSoon(connecting.channel());
            }

            @Override
            public void close() {
                handler.ended = true;
                connecting.channel().close();
            }
        };
    }

    @Override
    public CompletableFuture<StatusReply> ask(String node, long timeoutMillis) {
        CompletableFuture<StatusReply> answer = new CompletableFuture<>();
        ChannelFuture connecting = connect(loops.next(), node, new SimpleChannelInboundHandler<PeerMessage>() {
            @Override
            public void channelActive(ChannelHandlerContext context) {
                context.write(hello);
                context.writeAndFlush(PeerMessage.newBuilder()
                        .setStatusRequest(StatusRequest.getDefaultInstance())
                        .build());
            }

            @Override
            protected void channelRead0(ChannelHandlerContext context, PeerMessage message) {
                answer.complete(message.getStatusReply());
            }

            @Override
            public void channelInactive(ChannelHandlerContext context) {
                answer.completeExceptionally(new IOException(node + " closed the connection"));
            }

            @Override
            public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
                answer.completeExceptionally(cause);
            }
        });
        connecting.addListener(done -> {
            if (!done.isSuccess()) {
                answer.completeExceptionally(done.cause());
            }
        });
        return answer.orTimeout(timeoutMillis, TimeUnit.MILLISECONDS)
                .whenComplete((reply, failure) -> connecting.channel().close());
    }

    private ChannelFuture connect(EventLoop loop, String node, ChannelHandler handler) {
        InetSocketAddress address = addresses.get(node);
        if (address == null) {
            throw new IllegalArgumentException("no member has the name " + node);
        }
        Bootstrap bootstrap = new Bootstrap()
                .group(loop)
                .channel(channelType)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_MILLIS)
                .handler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        PeerSockets.giveUpOnSilence(channel);
                        channel.pipeline().addLast(FrameGuard.forAnswers(PeerCodec.FORMAT, PeerCodec.BOUNDS));
                        PeerCodec.addTo(channel.pipeline());
                        channel.pipeline().addLast(handler);
                    }
                });
        return bootstrap.connect(address);
    }

    /** A link's handler; everything happens on its lane's thread. */
    private final class LinkHandler extends SimpleChannelInboundHandler<PeerMessage> {

        private final Listener listener;
        private boolean ended;
        private boolean flushScheduled;

        LinkHandler(Listener listener) {
            this.listener = listener;
        }

        @Override
        public void channelActive(ChannelHandlerContext context) {
            context.writeAndFlush(hello);
            listener.onOpen();
        }

        @Override
        protected void channelRead0(ChannelHandlerContext context, PeerMessage message) {
            if (!ended) {
                listener.onReply(message.getForwardReply());
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            end();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            LOG.debug("link to {} broken: {}", context.channel().remoteAddress(), cause.toString());
            context.close();
        }

        void end() {
            if (!ended) {
                ended = true;
                listener.onClosed();
            }
        }

        /** What is sent in one round of the event loop leaves together. */
        void flushSoon(Channel channel) {
            if (!flushScheduled) {
                flushScheduled = true;
                channel.eventLoop().execute(() -> {
                    flushScheduled = false;
                    channel.flush();
                });
            }
        }
    }
}
