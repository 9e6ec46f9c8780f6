package io.dshm.server.security;

import io.dshm.proto.Limits;
import io.dshm.server.guard.Guard;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelConfig;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.channel.CoalescingBufferQueue;
import io.netty.channel.MaxMessagesRecvByteBufAllocator;
import java.nio.channels.ClosedChannelException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Divides what one connection has to encrypt and to decrypt among turns of its event loop, {@link
 * Limits#TLS_TURN_BYTES_MAX} bytes each: Netty's handler encrypts all that it is given at once, however long that
 * takes, and nothing else happens on the loop meanwhile.
 *
 * <p>What waits here to be encrypted counts as unsent, and is sent in the order in which it was written, without
 * another flush. Who closes the connection after a last message waits until that is written: what waits here then is
 * lost.
 *
 * <p>Comes right behind {@code SslHandler}. One for each connection, confined to its event loop.
 */
final class TlsTurns extends ChannelDuplexHandler {

    /** Reads in a turn, of 64 KiB each at most: Netty's usual size. */
    private static final int READS_MAX = Limits.TLS_TURN_BYTES_MAX / (64 * 1024);

    private @Nullable CoalescingBufferQueue waiting;

    /** Bytes handed on to be encrypted since the last turn that this object asked for. */
    private int given;

    /** Bytes decrypted since the last time that more was to be read. */
    private int taken;

    private boolean nextScheduled;

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
        waiting = new CoalescingBufferQueue(context.channel(), 4, true);
        // Netty removes handlers in a later task, when the count of what is kept for clients is down already.
        context.channel().closeFuture().addListener(closed -> releaseAll(context));
        // Changed, not replaced: the channel may have begun to read, and asks this one from then on.
        MaxMessagesRecvByteBufAllocator reads = config(context).getRecvByteBufAllocator();
        reads.maxMessagesPerRead(READS_MAX);
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext context) {
        releaseAll(context);
    }

    private void releaseAll(ChannelHandlerContext context) {
        queue().releaseAndFailAll(context, new ClosedChannelException());
    }

    private CoalescingBufferQueue queue() {
        if (waiting == null) {
            throw new IllegalStateException("not in a pipeline yet");
        }
        return waiting;
    }

    private static ChannelConfig config(ChannelHandlerContext context) {
        return context.channel().config();
    }

    /** Not {@code execute()}: the loop may run such a task in this turn, again and again. */
    private static void inNextTurn(ChannelHandlerContext context, Runnable task) {
        context.executor().schedule(Guard.of("TLS", task), 0, TimeUnit.NANOSECONDS);
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        taken += ((ByteBuf) message).readableBytes();
        context.fireChannelRead(message);
    }

    /** With epoll, the loop would go on to read in this turn for as long as there is something. */
    @Override
    public void read(ChannelHandlerContext context) {
        boolean hasMuch = taken > Limits.TLS_TURN_BYTES_MAX / 2;
        taken = 0;
        if (hasMuch && config(context).isAutoRead()) {
            inNextTurn(context, () -> readOn(context));
        } else {
            context.read();
        }
    }

    private static void readOn(ChannelHandlerContext context) {
        // Else somebody wants to read no more meanwhile, and asks for it later.
        if (config(context).isAutoRead()) {
            context.read();
        }
    }

    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
        if (!(message instanceof ByteBuf bytes)) {
            context.write(message, promise);
            return;
        }
        int length = bytes.readableBytes();
        if (queue().isEmpty() && length <= Limits.TLS_TURN_BYTES_MAX - given) {
            given += length;
            context.write(bytes, promise);
        } else {
            queue().add(bytes, promise);
            writeOnInNextTurn(context);
        }
    }

    private void writeOnInNextTurn(ChannelHandlerContext context) {
        if (!nextScheduled) {
            nextScheduled = true;
            inNextTurn(context, () -> writeOn(context));
        }
    }

    private void writeOn(ChannelHandlerContext context) {
        nextScheduled = false;
        CoalescingBufferQueue queue = queue();
        if (queue.isEmpty()) {
            return;
        }
        ChannelPromise promise = context.newPromise();
        ByteBuf part;
        try {
            part = queue.remove(Limits.TLS_TURN_BYTES_MAX, promise);
        } catch (RuntimeException e) {
            // Nothing may follow where a part is missing.
            context.close();
            throw e;
        }
        given = part.readableBytes();
        context.write(part, promise);
        if (!queue.isEmpty()) {
            writeOnInNextTurn(context);
        }
        context.flush();
    }
}
