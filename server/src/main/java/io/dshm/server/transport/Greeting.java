package io.dshm.server.transport;

import com.google.protobuf.InvalidProtocolBufferException;
import io.dshm.proto.Limits;
import io.dshm.proto.wire.Hello;
import io.dshm.proto.wire.HelloReply;
import io.dshm.proto.wire.PeerMessage;
import io.dshm.proto.wire.StatusReply;
import io.dshm.server.network.CertifiedNode;
import io.dshm.server.network.PeerPort;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.util.ReferenceCountUtil;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The handler of an accepted connection that lets nothing through before a member has said who it is. The first frame
 * is its greeting, of {@link Limits#PEER_GREETING_BYTES_MAX} at most; any other, or that of somebody else, ends the
 * connection. Nothing is read from a connection that is closed. If the greeting asks for calls, {@link CallServer} has
 * the connection from then on; otherwise the handlers behind this one.
 *
 * <p>One for each connection, confined to its event loop.
 */
public final class Greeting extends ChannelInboundHandlerAdapter {

    /**
     * Which life of a node greets.
     *
     * @param folder the number of its data folder
     * @param start how often it has started with that
     */
    public record Incarnation(long folder, long start) {

        /** Of who does not say it. */
        public static final Incarnation UNKNOWN = new Incarnation(0, 0);
    }

    /** What is known of other nodes' lives. Any thread. */
    public interface Incarnations {

        /** Whether a later start with the same folder has replaced that one of that node. */
        boolean isReplaced(String node, long folder, long start);
    }

    /**
     * Who takes part.
     *
     * @param cluster its id
     * @param self this node's name
     * @param incarnation of this node; its start may change while it runs
     * @param others those of the other members; may change
     * @param id what tells this cluster from another one with the same name; 0 while it is not known
     * @param isCertain whether {@code others} are the present members for certain, so that somebody else may be told
     *     that he is none
     * @param incarnations of the others
     */
    public record Members(
            String cluster,
            String self,
            Supplier<Incarnation> incarnation,
            Set<String> others,
            LongSupplier id,
            BooleanSupplier isCertain,
            Incarnations incarnations) {

        /** The same for a node that is never certain of anything, and does not say its incarnation. */
        public Members(String cluster, String self, Set<String> others, LongSupplier id) {
            this(cluster, self, () -> Incarnation.UNKNOWN, others, id, () -> false, (node, folder, start) -> false);
        }
    }

    /** What tells a node that this one is there while it reads nothing from it. */
    private static final PeerMessage SIGN_OF_LIFE = PeerMessage.newBuilder()
            .setStatusReply(StatusReply.getDefaultInstance())
            .build();

    private static final PeerMessage NO_MEMBER = PeerMessage.newBuilder()
            .setHelloReply(HelloReply.newBuilder().setNoMember(true))
            .build();

    private final Members members;
    private final PeerPort port;
    private final CallServer calls;
    private boolean greeted;
    private boolean callsFollow;

    /**
     * For one connection.
     *
     * @param port is told of those that are refused
     * @param calls takes the connections for calls
     */
    public Greeting(Members members, PeerPort port, CallServer calls) {
        this.members = members;
        this.port = port;
        this.calls = calls;
    }

    /**
     * What that node says first when it connects to the other one.
     *
     * @param stays whether it means to send commands, and {@linkplain Heartbeat goes on} to say that it is there;
     *     otherwise it only asks for the status, which also a node of another cluster tells it, so that it learns of
     *     that
     */
    public static PeerMessage hello(Members members, String to, boolean stays) {
        Incarnation incarnation = members.incarnation().get();
        Hello.Builder hello = Hello.newBuilder()
                .setCluster(members.cluster())
                .setNode(members.self())
                .setFolder(incarnation.folder())
                .setStart(incarnation.start())
                .setTo(to);
        if (stays) {
            hello.setHeartbeatMillis(Limits.PEER_HEARTBEAT_MILLIS)
                    .setClusterId(members.id().getAsLong());
        } else {
            hello.setMemberOf(members.id().getAsLong());
        }
        return PeerMessage.newBuilder().setHello(hello).build();
    }

    /** The same for a connection on which it sends calls, if the other node takes them. */
    static PeerMessage helloForCalls(Members members, String to) {
        PeerMessage.Builder message = hello(members, to, true).toBuilder();
        message.getHelloBuilder().setCalls(CallServer.VERSION);
        return message.build();
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        if (!context.channel().isActive()) {
            ReferenceCountUtil.release(message);
        } else if (callsFollow) {
            // The frame for nodes of format 1.
            ReferenceCountUtil.release(message);
            callsFollow = false;
            beginCalls(context);
        } else if (greeted) {
            context.fireChannelRead(message);
        } else {
            ByteBuf frame = (ByteBuf) message;
            try {
                greet(context, frame);
            } finally {
                frame.release();
            }
        }
    }

    private void greet(ChannelHandlerContext context, ByteBuf frame) {
        Hello hello = parse(frame);
        String refusal = hello == null ? "no greeting" : refusal(context.channel(), hello);
        if (hello == null || refusal != null) {
            port.refused(context.channel().remoteAddress(), String.valueOf(refusal));
            if (hello != null && wasRemoved(hello)) {
                context.channel().writeAndFlush(NO_MEMBER).addListener(ChannelFutureListener.CLOSE);
            } else {
                context.close();
            }
            return;
        }
        greeted = true;
        if (hello.getCalls() != 0) {
            answerForCalls(context, hello.getCalls());
        } else if (hello.getHeartbeatMillis() != 0) {
            int millis = Math.max(Limits.PEER_HEARTBEAT_MILLIS, hello.getHeartbeatMillis());
            context.pipeline().addFirst(Heartbeat.whileNotReading(millis, SIGN_OF_LIFE));
        }
    }

    /** Whether that is a node which has been a member of this very cluster, and is none any more. */
    private boolean wasRemoved(Hello hello) {
        return hello.getCluster().equals(members.cluster())
                && hello.getMemberOf() != 0
                && hello.getMemberOf() == members.id().getAsLong()
                && !hello.getNode().equals(members.self())
                && !members.others().contains(hello.getNode())
                && members.isCertain().getAsBoolean();
    }

    private void answerForCalls(ChannelHandlerContext context, int version) {
        if (!calls.isOpen()) {
            // This node does not take part yet, and the other one comes again.
            context.close();
            return;
        }
        callsFollow = true;
        context.channel()
                .writeAndFlush(PeerMessage.newBuilder()
                        .setHelloReply(HelloReply.newBuilder().setCalls(Math.min(CallServer.VERSION, version)))
                        .build());
    }

    private void beginCalls(ChannelHandlerContext context) {
        ChannelPipeline pipeline = context.pipeline();
        while (pipeline.last() != this) {
            pipeline.removeLast();
        }
        PeerCodec.addCallFrames(pipeline);
        pipeline.addLast(calls.connection(context.channel(), port));
        pipeline.addFirst(Heartbeat.always(CallFrame.BEAT));
    }

    private static @Nullable Hello parse(ByteBuf frame) {
        try {
            PeerMessage first = PeerMessage.parseFrom(ByteBufUtil.getBytes(frame));
            return first.hasHello() ? first.getHello() : null;
        } catch (InvalidProtocolBufferException e) {
            return null;
        }
    }

    private @Nullable String refusal(Channel channel, Hello hello) {
        if (!hello.getCluster().equals(members.cluster())) {
            return "it belongs to cluster " + hello.getCluster() + ", this one is " + members.cluster();
        }
        if (!members.others().contains(hello.getNode())) {
            return "it says that it is " + hello.getNode() + ", which is no other member";
        }
        if (!CertifiedNode.mayBe(channel, hello.getNode())) {
            return "it says that it is " + hello.getNode() + ", and its certificate is for another node";
        }
        long id = members.id().getAsLong();
        if (hello.getClusterId() != 0 && id != 0 && hello.getClusterId() != id) {
            return String.format(
                    "it belongs to another cluster of the same name: its id is %016x, this one's %016x",
                    hello.getClusterId(), id);
        }
        if (members.incarnations().isReplaced(hello.getNode(), hello.getFolder(), hello.getStart())) {
            return "it says that it is " + hello.getNode() + " in its start " + hello.getStart()
                    + ", and a later start with the same data folder is known: it has a copy, or an older state of it";
        }
        // Nodes of format 1 do not say to whom they talk.
        return hello.getTo().isEmpty() || hello.getTo().equals(members.self())
                ? null
                : "it looks for " + hello.getTo() + ", this is " + members.self();
    }
}
