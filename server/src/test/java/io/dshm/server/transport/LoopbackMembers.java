package io.dshm.server.transport;

import io.dshm.proto.Limits;
import io.dshm.proto.wire.PeerMessage;
import io.dshm.proto.wire.StatusReply;
import io.dshm.server.network.DialedEncryption;
import io.dshm.server.network.Encryption;
import io.dshm.server.network.FrameGuard;
import io.dshm.server.network.MemberAddresses;
import io.dshm.server.network.PeerPort;
import io.dshm.server.network.Ports;
import io.dshm.server.network.RefusalLog;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/** Members of a cluster whose ports between nodes are real ones, on this machine's loopback address. */
public final class LoopbackMembers {

    private final NioEventLoopGroup loops = new NioEventLoopGroup(2, new DefaultThreadFactory("loopback", true));
    private final Map<String, InetSocketAddress> hosts = new HashMap<>();
    private final Map<String, Consumer<Channel>> acceptors = new ConcurrentHashMap<>();
    private final List<MemberAddresses> addresses = new ArrayList<>();
    private final Map<String, Encryption> accepting = new ConcurrentHashMap<>();
    private final Map<String, DialedEncryption> dialing = new ConcurrentHashMap<>();

    /** Members of these names, of which none listens yet. */
    public LoopbackMembers(String... names) {
        for (String name : names) {
            hosts.put(
                    name, new InetSocketAddress(InetAddress.getLoopbackAddress(), io.dshm.server.system.Ports.free()));
        }
    }

    private Greeting.Members members(String self) {
        Set<String> others =
                hosts.keySet().stream().filter(name -> !name.equals(self)).collect(Collectors.toSet());
        return new Greeting.Members("loopback", self, others, () -> 0);
    }

    /** Has that member encrypt its connections in these ways from now on. */
    public void encrypt(String name, Encryption accepted, DialedEncryption dialed) {
        accepting.put(name, accepted);
        dialing.put(name, dialed);
    }

    /** The members' hosts by their names. */
    Map<String, String> hosts() {
        return hosts.entrySet().stream()
                .collect(Collectors.toMap(
                        Map.Entry::getKey, host -> host.getValue().getAddress().getHostAddress()));
    }

    /** What that member connects with. */
    public Dialer dialer(String self) {
        MemberAddresses found = new MemberAddresses(hosts);
        addresses.add(found);
        return new Dialer(
                loops,
                NioSocketChannel.class,
                members(self),
                found,
                (channel, node) ->
                        dialing.getOrDefault(self, DialedEncryption.NONE).begin(channel, node));
    }

    /** Has that member listen, and those calls taken. */
    public void listen(String name, CallServer calls) throws IOException, InterruptedException {
        PeerPort port = port();
        listen(name, accepted -> {
            accepting.getOrDefault(name, Encryption.NONE).begin(accepted);
            accepted.pipeline().addLast(port.guard(PeerCodec.FORMAT));
            PeerCodec.addTo(accepted.pipeline(), new Greeting(members(name), port, calls));
        });
    }

    /** Has that member listen as one of format 1: it reads no calls, and answers the question for the status. */
    public void listenAsFormat1(String name, ChannelHandler before) throws IOException, InterruptedException {
        listen(name, accepted -> {
            accepted.pipeline().addLast(before);
            PeerCodec.addTo(accepted.pipeline());
            accepted.pipeline().addLast(new SimpleChannelInboundHandler<PeerMessage>() {
                @Override
                protected void channelRead0(ChannelHandlerContext context, PeerMessage message) {
                    if (message.hasStatusRequest()) {
                        context.writeAndFlush(PeerMessage.newBuilder()
                                .setStatusReply(StatusReply.getDefaultInstance())
                                .build());
                    }
                }
            });
        });
    }

    /** Has that member accept connections, and answer nothing. */
    public void listenSilently(String name) throws IOException, InterruptedException {
        listen(name, accepted -> {});
    }

    /** Has that member listen, with that done to what it accepts from now on. */
    void listen(String name, Consumer<Channel> accept) throws IOException, InterruptedException {
        if (acceptors.put(name, accept) == null) {
            InetSocketAddress address = Objects.requireNonNull(hosts.get(name), name);
            new Ports(loops, NioServerSocketChannel.class)
                    .listen(
                            address,
                            "test",
                            16,
                            accepted -> Objects.requireNonNull(acceptors.get(name), name)
                                    .accept(accepted));
        }
    }

    public static PeerPort port() {
        return new PeerPort(
                new PeerPort.Bounds(
                        16,
                        2L * Limits.PEER_FRAME_BYTES_MAX,
                        new FrameGuard.Bounds(
                                Limits.PEER_GREETING_BYTES_MAX,
                                Limits.PEER_FRAME_BYTES_MAX,
                                Limits.PEER_FRAME_MILLIS_MAX)),
                address -> true,
                new RefusalLog("test", System::nanoTime));
    }

    /** Ends all connections. */
    public void close() throws InterruptedException {
        addresses.forEach(MemberAddresses::close);
        loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).await();
    }
}
