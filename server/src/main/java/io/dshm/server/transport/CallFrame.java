package io.dshm.server.transport;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.MessageLite;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.MessageToByteEncoder;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * What is sent on a connection for calls: a request or an answer, or a sign of life. On the wire: a 32-bit big-endian
 * length, the kind (8 bits), the number (32 bits), the message.
 *
 * @param kind of the message; 0 if there is none
 * @param number of the request, which its answer repeats
 */
record CallFrame(int kind, int number, @Nullable MessageLite message) {

    /** Says that this node is there. */
    static final CallFrame BEAT = new CallFrame(0, 0, null);

    private static final int HEADER_BYTES = Byte.BYTES + Integer.BYTES;

    /** What the frame takes on the wire. */
    int bytes() {
        return Integer.BYTES + HEADER_BYTES + (message == null ? 0 : message.getSerializedSize());
    }

    /** The message of a frame whose header has been read; keeps nothing of the bytes. */
    static MessageLite parse(CallMessages messages, int kind, ByteBuf body) throws IOException {
        CodedInputStream stream = CodedInputStream.newInstance(body.nioBuffer());
        MessageLite message = messages.parse(kind, stream);
        stream.checkLastTagWas(0);
        return message;
    }

    /** Writes frames. Stateless. */
    static final class Encoder extends MessageToByteEncoder<CallFrame> {

        @Override
        protected ByteBuf allocateBuffer(ChannelHandlerContext context, CallFrame frame, boolean preferDirect) {
            return context.alloc().ioBuffer(frame.bytes());
        }

        @Override
        protected void encode(ChannelHandlerContext context, CallFrame frame, ByteBuf out) throws IOException {
            int length = frame.bytes() - Integer.BYTES;
            out.writeInt(length).writeByte(frame.kind).writeInt(frame.number);
            if (frame.message != null) {
                int bodyBytes = length - HEADER_BYTES;
                CodedOutputStream stream = CodedOutputStream.newInstance(out.nioBuffer(out.writerIndex(), bodyBytes));
                frame.message.writeTo(stream);
                stream.flush();
                out.writerIndex(out.writerIndex() + bodyBytes);
            }
        }
    }
}
