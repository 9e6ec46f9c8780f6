package io.dshm.server.frontend;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.stream.ChunkedInput;

/** A value's bytes, copied out of the store piece by piece, as fast as the client takes them. */
public final class LargeReply implements ChunkedInput<ByteBuf> {

    private static final int PIECE_BYTES = 64 * 1024;

    private static final byte[] NOTHING = {};

    private byte[] value;
    private final UnreadReplies unread;
    private int offset;

    /**
     * A reply of these bytes, which are neither copied as a whole nor changed.
     *
     * @param unread is told whenever the client has read enough for more to be sent
     */
    public LargeReply(byte[] value, UnreadReplies unread) {
        this.value = value;
        this.unread = unread;
    }

    @Override
    public ByteBuf readChunk(ByteBufAllocator allocator) {
        unread.onProgress();
        int length = Math.min(PIECE_BYTES, value.length - offset);
        ByteBuf piece = allocator.ioBuffer(length).writeBytes(value, offset, length);
        offset += length;
        return piece;
    }

    @Override
    @Deprecated
    @SuppressWarnings("InlineMeSuggester") // Netty's interface still has it
    public ByteBuf readChunk(ChannelHandlerContext context) {
        return readChunk(context.alloc());
    }

    @Override
    public boolean isEndOfInput() {
        return offset >= value.length;
    }

    @Override
    public long length() {
        return value.length;
    }

    @Override
    public long progress() {
        return offset;
    }

    @Override
    public void close() {
        // Netty may keep this object for a while.
        value = NOTHING;
    }
}
