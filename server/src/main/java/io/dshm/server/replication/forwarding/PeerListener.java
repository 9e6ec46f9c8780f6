package io.dshm.server.replication.forwarding;

import io.dshm.proto.Limits;
import io.dshm.proto.wire.Forward;
import io.dshm.proto.wire.ForwardReply;
import io.dshm.proto.wire.PeerMessage;
import io.dshm.proto.wire.RegisterNode;
import io.dshm.proto.wire.StatusReply;
import io.dshm.server.guard.Guard;
import io.dshm.server.network.MemberAddresses;
import io.dshm.server.network.PeerPort;
import io.dshm.server.network.Ports;
import io.dshm.server.replication.writes.ForwardSession;
import io.dshm.server.transport.CallServer;
import io.dshm.server.transport.Greeting;
import io.dshm.server.transport.PeerCodec;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.EventLoop;
import io.netty.channel.SimpleChannelInboundHandler;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Accepts the connections of the other nodes, whose commands go to the proposer of the lane they land on. */
public final class PeerListener {

    private static final Logger LOG = LoggerFactory.getLogger(PeerListener.class);

    /** Opens the leader's end of a connection that lives on that event loop. */
    public interface Sessions {
        ForwardSession open(EventLoop lane, ForwardSession.Peer peer);
    }

    private final PeerPort admission;
    private final Supplier<@Nullable StatusReply> status;
    private volatile @Nullable Sessions sessions;
    private volatile Predicate<RegisterNode> registrations = registration -> false;
    private final Channel channel;

    /**
     * Listens.
     *
     * @param admission who may connect
     * @param members nodes that say that they are somebody else are refused
     * @param calls takes the connections whose greeting asks for that
     * @param status what this node says of itself, or null as long as it does not know
     * @throws IOException if the address cannot be bound
     */
    public PeerListener(
            Ports ports,
            InetSocketAddress address,
            PeerPort admission,
            Greeting.Members members,
            CallServer calls,
            Supplier<@Nullable StatusReply> status)
            throws IOException, InterruptedException {
        this.admission = admission;
        this.status = status;
        this.channel = ports.listen(address, MemberAddresses.LISTEN_SETTINGS, Ports.BACKLOG, accepted -> {
            accepted.pipeline().addLast(admission.guard(PeerCodec.FORMAT));
            PeerCodec.addTo(accepted.pipeline(), new Greeting(members, admission, calls));
            accepted.pipeline().addLast(new Handler());
        });
    }

    /**
     * Takes commands from now on; until then, other nodes can only ask for the status.
     *
     * @param own whether a registration is this node's
     */
    public void open(Sessions opened, Predicate<RegisterNode> own) {
        registrations = own;
        sessions = opened;
    }

    /** Accepts no more connections. Those that are open stay. */
    public void stop() throws InterruptedException {
        channel.close().await();
    }

    /** One connection. Package-private for its test. */
    final class Handler extends SimpleChannelInboundHandler<PeerMessage> {

        private @Nullable ForwardSession session;
        private boolean flushNeeded;
        private boolean sessionReads = true;

        @Override
        protected void channelRead0(ChannelHandlerContext context, PeerMessage message) {
            switch (message.getMessageCase()) {
                case STATUS_REQUEST -> {
                    StatusReply answer = status.get();
                    if (answer == null) {
                        context.close();
                    } else {
                        boolean own =
                                registrations.test(message.getStatusRequest().getRegistration());
                        context.writeAndFlush(PeerMessage.newBuilder()
                                .setStatusReply(answer.toBuilder().setConfirmsRegistration(own))
                                .build());
                    }
                }
                case FORWARD -> onForward(context, message.getForward());
                case HELLO, HELLO_REPLY, FORWARD_REPLY, STATUS_REPLY, MESSAGE_NOT_SET ->
                    throw new IllegalArgumentException("not a request: " + message.getMessageCase());
            }
        }

        private void onForward(ChannelHandlerContext context, Forward forward) {
            ForwardSession open = session;
            if (open == null) {
                Sessions opener = sessions;
                if (opener == null) {
                    context.close();
                    return;
                }
                open = opener.open(context.channel().eventLoop(), new Peer(context));
                session = open;
            }
            open.onForward(forward);
        }

        @Override
        public void channelWritabilityChanged(ChannelHandlerContext context) {
            setAutoRead(context);
        }

        /** A node that does not read its outcomes is not read from either. */
        private void setAutoRead(ChannelHandlerContext context) {
            context.channel()
                    .config()
                    .setAutoRead(sessionReads && context.channel().isWritable());
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            Guard.check("a connection of another node", cause);
            PeerCodec.failed(admission, context.channel().remoteAddress(), cause);
            context.close();
        }

        /** The way back to the node on this connection. */
        private final class Peer implements ForwardSession.Peer {

            private final ChannelHandlerContext context;

            Peer(ChannelHandlerContext context) {
                this.context = context;
            }

            /** Replies of one round of the event loop leave together. */
            @Override
            public void send(ForwardReply reply) {
                context.write(PeerMessage.newBuilder().setForwardReply(reply).build());
                ChannelOutboundBuffer unsent = context.channel().unsafe().outboundBuffer();
                if (unsent != null && unsent.totalPendingWriteBytes() > Limits.PEER_UNSENT_BYTES_MAX) {
                    LOG.warn(
                            "connection of {} closed: it reads no outcomes",
                            context.channel().remoteAddress());
                    close();
                } else if (!flushNeeded) {
                    flushNeeded = true;
                    context.executor().execute(() -> {
                        flushNeeded = false;
                        context.flush();
                    });
                }
            }

            @Override
            public void setReading(boolean reading) {
                sessionReads = reading;
                setAutoRead(context);
            }

            @Override
            public void close() {
                context.close();
            }
        }
    }
}
