package io.dshm.server.security;

import io.dshm.proto.Limits;
import io.netty.buffer.ByteBuf;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.CoalescingBufferQueue;
import java.nio.channels.ClosedChannelException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Divides what one connection has to encrypt among turns of its event loop, {@link Limits#TLS_TURN_BYTES_MAX} bytes
 * each: Netty's handler encrypts all that it is given at once, however long that takes, and nothing else happens on the
 * loop meanwhile. What waits here counts as unsent, and is sent in the order in which it was written, without another
 * flush. As much is read, and so decrypted, in a turn.
 *
 * <p>Comes right behind {@code SslHandler}. One for each connection, confined to its event loop.
 */
final class TlsTurns extends ChannelOutboundHandlerAdapter {

    /** Of what is read at a time, Netty's usual size at most. */
    private static final int READS_MAX = Limits.TLS_TURN_BYTES_MAX / (64 * 1024);

    private @Nullable CoalescingBufferQueue waiting;

    /** Bytes handed on to be encrypted since the last turn that this object asked for. */
    private int given;

    private boolean nextScheduled;

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
        waiting = new CoalescingBufferQueue(context.channel(), 4, true);
        context.channel()
                .config()
                .setRecvByteBufAllocator(new AdaptiveRecvByteBufAllocator().maxMessagesPerRead(READS_MAX));
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext context) {
        queue().releaseAndFailAll(context, new ClosedChannelException());
    }

    private CoalescingBufferQueue queue() {
        if (waiting == null) {
            throw new IllegalStateException("not in a pipeline yet");
        }
        return waiting;
    }

    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
        ByteBuf bytes = (ByteBuf) message;
        int length = bytes.readableBytes();
        if (queue().isEmpty() && length <= Limits.TLS_TURN_BYTES_MAX - given) {
            given += length;
            context.write(bytes, promise);
        } else {
            queue().add(bytes, promise);
            goOnInNextTurn(context);
        }
    }

    private void goOnInNextTurn(ChannelHandlerContext context) {
        if (!nextScheduled) {
            nextScheduled = true;
            // Not execute(): the loop may run such a task in this turn, again and again.
            context.executor().schedule(() -> goOn(context), 0, TimeUnit.NANOSECONDS);
        }
    }

    private void goOn(ChannelHandlerContext context) {
        nextScheduled = false;
        CoalescingBufferQueue queue = queue();
        if (queue.isEmpty()) {
            return;
        }
        ChannelPromise promise = context.newPromise();
        ByteBuf part = queue.remove(Limits.TLS_TURN_BYTES_MAX, promise);
        given = part.readableBytes();
        context.write(part, promise);
        if (!queue.isEmpty()) {
            goOnInNextTurn(context);
        }
        context.flush();
    }
}
