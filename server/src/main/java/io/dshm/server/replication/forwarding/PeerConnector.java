package io.dshm.server.replication.forwarding;

import io.dshm.proto.Limits;
import io.dshm.proto.wire.Forward;
import io.dshm.proto.wire.PeerMessage;
import io.dshm.proto.wire.RegisterNode;
import io.dshm.proto.wire.StatusReply;
import io.dshm.proto.wire.StatusRequest;
import io.dshm.server.guard.Guard;
import io.dshm.server.replication.contracts.NoMemberException;
import io.dshm.server.replication.contracts.PeerLinks;
import io.dshm.server.replication.contracts.PeerStatuses;
import io.dshm.server.replication.writes.RegistrationCheck;
import io.dshm.server.transport.Dialer;
import io.dshm.server.transport.Heartbeat;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.EventLoop;
import io.netty.channel.SimpleChannelInboundHandler;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Opens connections to the other nodes. Thread-safe. */
public final class PeerConnector implements PeerLinks, PeerStatuses, RegistrationCheck.Members {

    private static final Logger LOG = LoggerFactory.getLogger(PeerConnector.class);

    private static final PeerMessage ARE_YOU_THERE = PeerMessage.newBuilder()
            .setStatusRequest(StatusRequest.getDefaultInstance())
            .build();

    private final Dialer dialer;

    private final LongSupplier nanoTime;

    /** A connector for the nodes that the dialer knows. */
    public PeerConnector(Dialer dialer) {
        this(dialer, System::nanoTime);
    }

    /** The same with another clock. */
    PeerConnector(Dialer dialer, LongSupplier nanoTime) {
        this.dialer = dialer;
        this.nanoTime = nanoTime;
    }

    /** {@inheritDoc} The lane must be one of the dialer's event loops. */
    @Override
    public Link open(String node, ScheduledExecutorService lane, Listener listener) {
        LinkHandler handler = new LinkHandler((EventLoop) lane, node, listener);
        dialer.find(node)
                .whenComplete((address, failure) -> lane.execute(() -> {
                    if (failure == null) {
                        handler.connect(address);
                    } else {
                        handler.end();
                    }
                }));
        return handler;
    }

    @Override
    public CompletableFuture<StatusReply> ask(String node, long timeoutMillis) {
        return ask(node, StatusRequest.getDefaultInstance(), timeoutMillis);
    }

    @Override
    public CompletableFuture<Boolean> isOwn(RegisterNode registration, long timeoutMillis) {
        return dialer.knows(registration.getNode())
                ? ask(
                                registration.getNode(),
                                StatusRequest.newBuilder()
                                        .setRegistration(registration)
                                        .build(),
                                timeoutMillis)
                        .thenApply(StatusReply::getConfirmsRegistration)
                : CompletableFuture.completedFuture(false);
    }

    private CompletableFuture<StatusReply> ask(String node, StatusRequest request, long timeoutMillis) {
        CompletableFuture<StatusReply> answer = new CompletableFuture<>();
        ChannelHandler handler = new SimpleChannelInboundHandler<PeerMessage>() {
            private long askedNanos;

            @Override
            public void channelActive(ChannelHandlerContext context) {
                // The time for the answer begins here. A handshake that a busy machine takes long for is not begun anew
                // again and again.
                answer.orTimeout(timeoutMillis, TimeUnit.MILLISECONDS);
                askedNanos = nanoTime.getAsLong();
                context.write(dialer.hello(node, false));
                context.writeAndFlush(
                        PeerMessage.newBuilder().setStatusRequest(request).build());
            }

            @Override
            protected void channelRead0(ChannelHandlerContext context, PeerMessage message) {
                if (message.hasHelloReply()) {
                    answer.completeExceptionally(new NoMemberException(node));
                } else if (nanoTime.getAsLong() - askedNanos > TimeUnit.MILLISECONDS.toNanos(timeoutMillis)) {
                    // Nobody knows how old it is: no timer ran while this process stood still.
                    answer.completeExceptionally(new TimeoutException("the answer of " + node + " is read too late"));
                } else {
                    answer.complete(message.getStatusReply());
                }
            }

            @Override
            public void channelInactive(ChannelHandlerContext context) {
                answer.completeExceptionally(new IOException(node + " closed the connection"));
            }

            @Override
            public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
                answer.completeExceptionally(cause);
            }
        };
        dialer.find(node).whenComplete((address, failure) -> {
            if (failure != null) {
                answer.completeExceptionally(failure);
                return;
            }
            ChannelFuture connecting = dialer.connect(dialer.nextLoop(), node, address, handler);
            connecting.addListener(done -> {
                if (!done.isSuccess()) {
                    answer.completeExceptionally(done.cause());
                }
            });
            answer.whenComplete((reply, failed) -> connecting.channel().close());
        });
        return answer.orTimeout(timeoutMillis + Limits.PEER_CONNECTION_MILLIS_MAX, TimeUnit.MILLISECONDS);
    }

    /** A link, which is its connection's handler; everything happens on its lane's thread. */
    private final class LinkHandler extends SimpleChannelInboundHandler<PeerMessage> implements Link {

        private final EventLoop lane;
        private final String node;
        private final Listener listener;

        /** Null before the node's address is known. */
        private @Nullable Channel channel;

        private boolean ended;
        private boolean flushScheduled;

        LinkHandler(EventLoop lane, String node, Listener listener) {
            this.lane = lane;
            this.node = node;
            this.listener = listener;
        }

        void connect(InetSocketAddress address) {
            if (ended) {
                return;
            }
            ChannelFuture connecting = dialer.connect(lane, node, address, this);
            channel = connecting.channel();
            connecting.addListener(done -> {
                if (!done.isSuccess()) {
                    LOG.debug("no link to {}: {}", node, String.valueOf(done.cause()));
                    end();
                }
            });
        }

        @Override
        public void send(Forward forward) {
            Channel open = channel;
            if (open != null) {
                open.write(PeerMessage.newBuilder().setForward(forward).build());
                flushSoon(open);
            }
        }

        @Override
        public boolean isWritable() {
            return channel != null && channel.isWritable();
        }

        @Override
        public void close() {
            ended = true;
            if (channel != null) {
                channel.close();
            }
        }

        @Override
        public void channelActive(ChannelHandlerContext context) {
            context.writeAndFlush(dialer.hello(node, true));
            context.pipeline().addFirst(Heartbeat.always(ARE_YOU_THERE));
            listener.onOpen();
        }

        @Override
        protected void channelRead0(ChannelHandlerContext context, PeerMessage message) {
            // Anything else is an answer to a heartbeat.
            if (!ended && message.hasForwardReply()) {
                listener.onReply(message.getForwardReply());
            }
        }

        @Override
        public void channelWritabilityChanged(ChannelHandlerContext context) {
            if (!ended && context.channel().isWritable()) {
                listener.onWritable();
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            end();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            Guard.check("a link to another node", cause);
            LOG.debug("link to {} broken: {}", context.channel().remoteAddress(), cause.toString());
            context.close();
        }

        private void end() {
            if (!ended) {
                ended = true;
                listener.onClosed();
            }
        }

        /** What is sent in one round of the event loop leaves together. */
        private void flushSoon(Channel open) {
            if (!flushScheduled) {
                flushScheduled = true;
                open.eventLoop().execute(() -> {
                    flushScheduled = false;
                    open.flush();
                });
            }
        }
    }
}
