package io.dshm.server.transport;

import io.dshm.proto.wire.PeerMessage;
import io.dshm.server.network.DialedEncryption;
import io.dshm.server.network.FrameGuard;
import io.dshm.server.network.MemberAddresses;
import io.dshm.server.network.PeerSockets;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.resolver.NoopAddressResolverGroup;
import java.net.InetSocketAddress;
import java.util.concurrent.CompletableFuture;

/** Connects to other nodes. Thread-safe. */
public final class Dialer {

    /** After which a connect begins anew: what is sent behind a cut is lost, and TCP itself waits longer each time. */
    private static final int CONNECT_MILLIS = 500;

    private final EventLoopGroup loops;
    private final Class<? extends Channel> channelType;
    private final Greeting.Members members;
    private final MemberAddresses addresses;
    private final DialedEncryption encryption;

    /**
     * For these members.
     *
     * @param channelType the kind of channel that belongs to the loops
     * @param addresses the nodes' forwarding addresses, by their names
     * @param encryption of the connections
     */
    public Dialer(
            EventLoopGroup loops,
            Class<? extends Channel> channelType,
            Greeting.Members members,
            MemberAddresses addresses,
            DialedEncryption encryption) {
        this.loops = loops;
        this.channelType = channelType;
        this.members = members;
        this.addresses = addresses;
        this.encryption = encryption;
    }

    /** Whether a member has that name. */
    public boolean knows(String node) {
        return addresses.knows(node);
    }

    /** The last good address of a member; not done before there is one. */
    public CompletableFuture<InetSocketAddress> find(String node) {
        return addresses.find(node);
    }

    /** One of the event loops, for a connection for which it does not matter which. */
    public EventLoop nextLoop() {
        return loops.next();
    }

    /** What this node says first to that one; see {@link Greeting#hello}. */
    public PeerMessage hello(String to, boolean heartbeats) {
        return Greeting.hello(members, to, heartbeats);
    }

    PeerMessage helloForCalls(String to) {
        return Greeting.helloForCalls(members, to);
    }

    /**
     * Connects, with frames and messages in the pipeline as {@link PeerCodec} has them, and then that handler, which
     * greets when the channel is active.
     */
    public ChannelFuture connect(EventLoop loop, String node, InetSocketAddress address, ChannelHandler handler) {
        return dial(loop, node, address, channel -> {
            PeerCodec.addTo(channel.pipeline());
            channel.pipeline().addLast(handler);
        });
    }

    /** Connects, with frames only before that handler: it reads messages and calls itself. */
    ChannelFuture connectForCalls(EventLoop loop, String node, InetSocketAddress address, ChannelHandler handler) {
        return dial(loop, node, address, channel -> {
            PeerCodec.addForCalls(channel.pipeline());
            channel.pipeline().addLast(handler);
        });
    }

    private ChannelFuture dial(EventLoop loop, String node, InetSocketAddress address, Initializer initializer) {
        Bootstrap bootstrap = new Bootstrap()
                .group(loop)
                .channel(channelType)
                .resolver(NoopAddressResolverGroup.INSTANCE)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_MILLIS)
                .handler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        PeerSockets.giveUpOnSilence(channel);
                        encryption.begin(channel, node);
                        channel.pipeline().addLast(FrameGuard.forAnswers(PeerCodec.FORMAT, PeerCodec.BOUNDS));
                        initializer.add(channel);
                    }
                });
        return bootstrap.connect(address).addListener(done -> {
            if (!done.isSuccess()) {
                addresses.onFailed(node);
            }
        });
    }

    @FunctionalInterface
    private interface Initializer {
        void add(Channel channel);
    }
}
