package io.dshm.server.transport;

import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import io.dshm.proto.Limits;
import io.dshm.proto.StrictParser;
import io.dshm.proto.wire.PeerMessage;
import io.dshm.server.network.FrameFormat;
import io.dshm.server.network.FrameGuard;
import io.dshm.server.network.PeerPort;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.LengthFieldBasedFrameDecoder;
import io.netty.handler.codec.MessageToByteEncoder;
import io.netty.handler.codec.MessageToMessageDecoder;
import java.io.IOException;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Peer messages to frames and back: a 32-bit big-endian length, then the message. Stateless. */
public final class PeerCodec {

    private static final Logger LOG = LoggerFactory.getLogger(PeerCodec.class);

    private static final StrictParser<PeerMessage> PARSER = new StrictParser<>(PeerMessage.parser());

    /** What an answer from another node may be. */
    public static final FrameGuard.Bounds BOUNDS =
            new FrameGuard.Bounds(Limits.PEER_FRAME_BYTES_MAX, Limits.PEER_FRAME_MILLIS_MAX);

    /** How long a frame is, for {@link FrameGuard}. */
    public static final FrameFormat FORMAT = new FrameFormat() {
        @Override
        public int headerBytesMax() {
            return Integer.BYTES;
        }

        @Override
        public int headerBytes(byte[] header, int received) {
            return Integer.BYTES;
        }

        @Override
        public long bodyBytes(byte[] header) {
            return Integer.toUnsignedLong(ByteBuffer.wrap(header).getInt());
        }
    };

    private PeerCodec() {}

    /** For a connection that this node makes: frames and messages, in both directions. */
    public static void addTo(ChannelPipeline pipeline) {
        addFrames(pipeline);
        addMessages(pipeline);
    }

    /**
     * For a connection that this node makes for calls: frames; the handler behind them reads messages and calls itself.
     */
    static void addForCalls(ChannelPipeline pipeline) {
        addFrames(pipeline);
        pipeline.addLast(new Encoder());
        addCallFrames(pipeline);
    }

    /** The frames of calls, behind {@link #addFrames}. */
    static void addCallFrames(ChannelPipeline pipeline) {
        pipeline.addLast(new CallFrame.Encoder());
    }

    /**
     * For a connection that this node accepts: the same, and before any message a greeting that has to be a member's.
     */
    public static void addTo(ChannelPipeline pipeline, Greeting greeting) {
        addFrames(pipeline);
        pipeline.addLast(greeting);
        addMessages(pipeline);
    }

    /** A connection ends with that exception: it has broken, which is no news, or what it sent cannot be read. */
    public static void failed(PeerPort port, @Nullable SocketAddress who, Throwable cause) {
        if (cause instanceof IOException && !(cause instanceof InvalidProtocolBufferException)) {
            LOG.debug("connection of {} broken: {}", who, cause.toString());
        } else {
            port.refused(who, cause.toString());
        }
    }

    private static void addFrames(ChannelPipeline pipeline) {
        pipeline.addLast(
                new LengthFieldBasedFrameDecoder(Limits.PEER_FRAME_BYTES_MAX, 0, Integer.BYTES, 0, Integer.BYTES));
    }

    private static void addMessages(ChannelPipeline pipeline) {
        pipeline.addLast(new Decoder());
        pipeline.addLast(new Encoder());
    }

    private static final class Decoder extends MessageToMessageDecoder<ByteBuf> {
        @Override
        protected void decode(ChannelHandlerContext context, ByteBuf frame, List<Object> out)
                throws InvalidProtocolBufferException {
            // A copy: what is proposed from a message outlives the frame.
            ByteBuffer bytes = ByteBuffer.wrap(ByteBufUtil.getBytes(frame));
            PeerMessage message = PARSER.parseLeniently(bytes);
            if (message.hasForward()) {
                PARSER.requireKnown(message, bytes);
            }
            out.add(message);
        }
    }

    private static final class Encoder extends MessageToByteEncoder<PeerMessage> {
        @Override
        protected ByteBuf allocateBuffer(ChannelHandlerContext context, PeerMessage message, boolean preferDirect) {
            return context.alloc().ioBuffer(Integer.BYTES + message.getSerializedSize());
        }

        @Override
        protected void encode(ChannelHandlerContext context, PeerMessage message, ByteBuf out) throws IOException {
            int length = message.getSerializedSize();
            out.writeInt(length);
            CodedOutputStream stream = CodedOutputStream.newInstance(out.nioBuffer(out.writerIndex(), length));
            message.writeTo(stream);
            stream.flush();
            out.writerIndex(out.writerIndex() + length);
        }
    }
}
