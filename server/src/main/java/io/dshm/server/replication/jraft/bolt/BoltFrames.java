package io.dshm.server.replication.jraft.bolt;

import com.alipay.remoting.ExtendedNettyChannelHandler;
import com.alipay.remoting.rpc.RpcCommandType;
import com.alipay.remoting.rpc.protocol.RpcProtocol;
import com.alipay.remoting.rpc.protocol.RpcProtocolV2;
import io.dshm.proto.Limits;
import io.dshm.server.network.FrameFormat;
import io.dshm.server.network.FrameGuard;
import io.netty.channel.ChannelHandler;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.Supplier;

/**
 * The frames of Bolt's two protocols. Bolt itself checks no length: it adds three of them, and the sum may overflow.
 *
 * <p>A header ends with the lengths of the class name, of the header proper and of the content: 16, 16 and 32 bits,
 * signed.
 */
public final class BoltFrames implements FrameFormat {

    public static final FrameFormat FORMAT = new BoltFrames();

    public static final FrameGuard.Bounds BOUNDS =
            new FrameGuard.Bounds(Limits.RAFT_FRAME_BYTES_MAX, Limits.PEER_FRAME_MILLIS_MAX);

    private static final int LENGTHS_BYTES = Short.BYTES + Short.BYTES + Integer.BYTES;

    private BoltFrames() {}

    /** Bolt's way to add a handler before its own to each connection. */
    public static ExtendedNettyChannelHandler before(Supplier<List<ChannelHandler>> handlers) {
        return new ExtendedNettyChannelHandler() {
            @Override
            public List<ChannelHandler> frontChannelHandlers() {
                return handlers.get();
            }

            @Override
            public List<ChannelHandler> backChannelHandlers() {
                return List.of();
            }
        };
    }

    @Override
    public int headerBytesMax() {
        return RpcProtocolV2.getRequestHeaderLength();
    }

    @Override
    public int headerBytes(byte[] header, int received) {
        boolean second = isSecondVersion(header);
        int typeAt = second ? 2 : 1;
        if (received <= typeAt) {
            return typeAt + 1;
        }
        return switch (header[typeAt]) {
            case RpcCommandType.REQUEST, RpcCommandType.REQUEST_ONEWAY ->
                second ? RpcProtocolV2.getRequestHeaderLength() : RpcProtocol.getRequestHeaderLength();
            case RpcCommandType.RESPONSE ->
                second ? RpcProtocolV2.getResponseHeaderLength() : RpcProtocol.getResponseHeaderLength();
            default -> throw new IllegalArgumentException("neither a request nor an answer: " + header[typeAt]);
        };
    }

    private static boolean isSecondVersion(byte[] header) {
        return switch (header[0]) {
            case RpcProtocol.PROTOCOL_CODE -> false;
            case RpcProtocolV2.PROTOCOL_CODE -> true;
            default -> throw new IllegalArgumentException("no frame begins with " + header[0]);
        };
    }

    @Override
    public long bodyBytes(byte[] header) {
        ByteBuffer lengths = ByteBuffer.wrap(header, headerBytes(header, header.length) - LENGTHS_BYTES, LENGTHS_BYTES);
        short classBytes = lengths.getShort();
        short headerBytes = lengths.getShort();
        int contentBytes = lengths.getInt();
        if (classBytes < 0 || headerBytes < 0 || contentBytes < 0) {
            throw new IllegalArgumentException("a frame with a negative length");
        }
        return (long) classBytes + headerBytes + contentBytes + (hasChecksum(header) ? Integer.BYTES : 0);
    }

    /** Version 2 of protocol 2 may have a checksum after the content; a bit of its switches says so. */
    private static boolean hasChecksum(byte[] header) {
        int switchesAt = 11;
        return isSecondVersion(header)
                && header[1] == RpcProtocolV2.PROTOCOL_VERSION_2
                && (header[switchesAt] & 1) != 0;
    }
}
