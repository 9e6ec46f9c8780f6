package io.dshm.server.frontend;

import io.dshm.proto.text.HeldBytes;
import io.dshm.proto.text.ValueBudget;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.ByteToMessageDecoder;

/**
 * What a client has sent and this node has not decoded: the beginning of a line, or requests that have to wait.
 * Confined to the connection's event loop.
 *
 * <p>Only what is left is kept, in a buffer of about its size, so that a client who waits in the middle of a line costs
 * that line. What is appended is copied at most a few times, however it is cut. From {@link #FREE_BYTES} on the buffer
 * counts against the node's budget: before the end of the client's sending side, Netty reads all that the socket
 * holds, whether the connection is to be read from or not.
 */
final class ReceivedBytes {

    /** Any connection may have a buffer so large. */
    private static final int FREE_BYTES = 4 * 1024;

    /** A buffer is exchanged for a smaller one where less than that part of it is used. */
    private static final int USED_PART_MIN = 4;

    private final HeldBytes held;
    private ByteBuf buffer = Unpooled.EMPTY_BUFFER;

    /** @param budget what large buffers are counted against */
    ReceivedBytes(ValueBudget budget) {
        this.held = new HeldBytes(budget);
    }

    /** What is there to be decoded, at the reader index. */
    ByteBuf buffer() {
        return buffer;
    }

    boolean isEmpty() {
        return !buffer.isReadable();
    }

    /** Adds what has arrived, which is handed over. */
    void append(ByteBufAllocator allocator, ByteBuf arrived) {
        if (isEmpty()) {
            buffer.release();
            buffer = arrived;
        } else {
            buffer.discardReadBytes();
            buffer = ByteToMessageDecoder.MERGE_CUMULATOR.cumulate(allocator, buffer, arrived);
        }
    }

    /**
     * Keeps what was not decoded, and nothing else.
     *
     * @return whether the node's budget allows that; otherwise the connection must be closed
     */
    boolean keepRest(ByteBufAllocator allocator) {
        int rest = buffer.readableBytes();
        if (rest == 0) {
            buffer.release();
            buffer = Unpooled.EMPTY_BUFFER;
        } else if (buffer.capacity() > FREE_BYTES && rest < buffer.capacity() / USED_PART_MIN) {
            ByteBuf smaller = allocator.ioBuffer(rest).writeBytes(buffer);
            buffer.release();
            buffer = smaller;
        }
        return held.become(buffer.capacity() <= FREE_BYTES ? 0 : buffer.capacity());
    }

    /** Lets go of everything. May be called again. */
    void release() {
        buffer.release();
        buffer = Unpooled.EMPTY_BUFFER;
        held.become(0);
    }
}
