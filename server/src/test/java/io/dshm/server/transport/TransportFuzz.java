package io.dshm.server.transport;

import io.dshm.proto.Limits;
import io.dshm.proto.wire.PeerMessage;
import io.dshm.proto.wire.StatusRequest;
import io.dshm.server.network.FrameGuard;
import io.dshm.server.network.PeerPort;
import io.dshm.server.network.RefusalLog;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.DecoderException;
import io.netty.util.ReferenceCountUtil;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Set;

/** The port between nodes for a fuzzer: what any bytes do before the greeting, and after it. */
public final class TransportFuzz {

    private static final Greeting.Members OTHER = new Greeting.Members("shop", "n2", Set.of("n1"), () -> 7);

    private TransportFuzz() {}

    private static byte[] frame(PeerMessage message) {
        byte[] body = message.toByteArray();
        return ByteBuffer.allocate(Integer.BYTES + body.length)
                .putInt(body.length)
                .put(body)
                .array();
    }

    private static byte[] join(byte[]... parts) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            all.writeBytes(part);
        }
        return all.toByteArray();
    }

    /** What nodes send. */
    public static List<byte[]> seeds() {
        byte[] question = frame(PeerMessage.newBuilder()
                .setStatusRequest(StatusRequest.getDefaultInstance())
                .build());
        byte[] call = ByteBuffer.allocate(9 + 3)
                .putInt(8)
                .put((byte) TestMessages.KIND)
                .putInt(1)
                .put(new byte[] {8, 1, 0})
                .array();
        return List.of(
                join(frame(Greeting.hello(OTHER, "n1", true)), question),
                join(frame(Greeting.hello(OTHER, "n1", false)), question),
                join(frame(Greeting.helloForCalls(OTHER, "n1")), question, call),
                join(question, call));
    }

    /** Any bytes from the beginning of a connection on. */
    public static void stranger(byte[] data) {
        receive(new byte[0], data);
    }

    /** Any bytes after the greeting of a member that sends commands. */
    public static void member(byte[] data) {
        receive(frame(Greeting.hello(OTHER, "n1", true)), data);
    }

    /** Any bytes after the greeting of a member that sends calls. */
    public static void caller(byte[] data) {
        receive(join(frame(Greeting.helloForCalls(OTHER, "n1")), frame(CallConnection.QUESTION)), data);
    }

    private static void receive(byte[] before, byte[] data) {
        UnansweredCalls.Total total = new UnansweredCalls.Total(Long.MAX_VALUE);
        CallServer calls = new CallServer(total, System::nanoTime);
        calls.open(new TestMessages(), call -> call.answer(TestMessages.of(0)));
        PeerPort port = new PeerPort(
                new PeerPort.Bounds(
                        3,
                        2L * Limits.PEER_FRAME_BYTES_MAX,
                        new FrameGuard.Bounds(
                                Limits.PEER_GREETING_BYTES_MAX,
                                Limits.PEER_FRAME_BYTES_MAX,
                                Limits.PEER_FRAME_MILLIS_MAX)),
                address -> true,
                new RefusalLog("fuzz", System::nanoTime));
        EmbeddedChannel channel = new EmbeddedChannel();
        channel.freezeTime();
        channel.pipeline().addLast(port.guard(PeerCodec.FORMAT));
        PeerCodec.addTo(
                channel.pipeline(),
                new Greeting(new Greeting.Members("shop", "n1", Set.of("n2"), () -> 7), port, calls));
        // As at the end of each connection's pipeline.
        channel.pipeline().addLast(new ChannelInboundHandlerAdapter() {
            @Override
            public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
                if (cause instanceof DecoderException) {
                    context.close();
                } else {
                    context.fireExceptionCaught(cause);
                }
            }
        });
        try {
            channel.writeInbound(Unpooled.wrappedBuffer(before));
            for (int at = 0; at < data.length && channel.isOpen(); ) {
                int piece = Math.min(1 + (data[at] & 63), data.length - at);
                ByteBuf bytes = Unpooled.copiedBuffer(data, at, piece);
                channel.writeInbound(bytes);
                channel.runPendingTasks();
                at += piece;
                for (Object out = channel.readOutbound(); out != null; out = channel.readOutbound()) {
                    ReferenceCountUtil.release(out);
                }
            }
        } finally {
            channel.finishAndReleaseAll();
        }
        if (total.bytes() != 0) {
            throw new IllegalStateException("calls keep memory: " + total.bytes());
        }
    }
}
