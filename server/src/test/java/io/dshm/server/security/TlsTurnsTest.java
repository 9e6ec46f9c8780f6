package io.dshm.server.security;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Limits;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.MaxMessagesRecvByteBufAllocator;
import io.netty.channel.embedded.EmbeddedChannel;
import java.nio.channels.ClosedChannelException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class TlsTurnsTest {

    private static final int TURN = Limits.TLS_TURN_BYTES_MAX;

    /** Of each turn in which bytes were handed on, how many. */
    private final List<Integer> turns = new ArrayList<>();

    private final ByteBuf sent = Unpooled.buffer();
    private int inThisTurn;
    private int flushed;
    private int readsAskedFor;

    /**
     * In the place of encryption. Hands nothing on, and is written to by its pipeline only: an embedded channel runs all
     * tasks that wait whenever it is used itself.
     */
    private final EmbeddedChannel channel = new EmbeddedChannel(
            new ChannelOutboundHandlerAdapter() {
                @Override
                public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
                    ByteBuf bytes = (ByteBuf) message;
                    inThisTurn += bytes.readableBytes();
                    sent.writeBytes(bytes);
                    bytes.release();
                    promise.setSuccess();
                }

                @Override
                public void read(ChannelHandlerContext context) {
                    readsAskedFor++;
                }

                @Override
                public void flush(ChannelHandlerContext context) {
                    flushed = sent.readableBytes();
                }
            },
            new TlsTurns());

    @AfterEach
    void finish() {
        channel.finishAndReleaseAll();
        sent.release();
    }

    /** Runs so many turns of the loop, in each of which another task has its turn as well. */
    private void turns(int count) {
        turnEnded();
        if (count > 0) {
            channel.eventLoop().schedule(() -> turns(count - 1), 0, TimeUnit.NANOSECONDS);
        }
    }

    private void turnEnded() {
        if (inThisTurn > 0) {
            turns.add(inThisTurn);
            inThisTurn = 0;
        }
    }

    private void runTurns() {
        channel.freezeTime();
        turns(20);
        channel.runScheduledPendingTasks();
        turnEnded();
    }

    /** Bytes that tell where they belong. */
    private static ByteBuf message(int length) {
        ByteBuf message = Unpooled.buffer(length);
        for (int i = 0; i < length; i++) {
            message.writeByte((i * 31) >>> 3);
        }
        return message;
    }

    @Test
    void a_small_message_is_handed_on_at_once() {
        ByteBuf message = message(100);
        ChannelFuture written = channel.pipeline().writeAndFlush(message.retainedDuplicate());
        assertEquals(message, sent);
        assertEquals(100, flushed);
        assertTrue(written.isSuccess());
        message.release();
    }

    @Test
    void what_is_too_long_for_a_turn_is_divided_and_nothing_overtakes_it() {
        int large = 10 * TURN + 1;
        ByteBuf all = message(100 + large + 200);
        channel.pipeline().write(all.retainedSlice(0, 100));
        ChannelFuture divided = channel.pipeline().write(all.retainedSlice(100, large));
        ChannelFuture behind = channel.pipeline().writeAndFlush(all.retainedSlice(100 + large, 200));
        assertFalse(channel.isWritable(), "what waits counts as unsent");
        assertFalse(divided.isDone());
        assertFalse(behind.isDone());
        runTurns();
        assertEquals(all, sent);
        assertEquals(all.readableBytes(), flushed);
        assertTrue(divided.isSuccess());
        assertTrue(behind.isSuccess());
        assertTrue(channel.isWritable());
        assertEquals(100, turns.get(0));
        assertEquals(12, turns.size());
        assertTrue(turns.stream().allMatch(bytes -> bytes <= TURN), turns::toString);
        all.release();
    }

    @Test
    void many_messages_in_one_turn_are_divided_too() {
        ByteBuf all = message(4 * TURN);
        List<ChannelFuture> written = new ArrayList<>();
        for (int at = 0; at < 4 * TURN; at += TURN / 8) {
            written.add(channel.pipeline().write(all.retainedSlice(at, TURN / 8)));
        }
        // A mark of nothing is written behind all that was.
        written.add(channel.pipeline().writeAndFlush(Unpooled.EMPTY_BUFFER));
        runTurns();
        assertEquals(all, sent);
        assertEquals(all.readableBytes(), flushed);
        assertTrue(written.stream().allMatch(ChannelFuture::isSuccess));
        assertEquals(List.of(TURN, TURN, TURN, TURN), turns);
        all.release();
    }

    @Test
    void what_waits_when_the_handler_is_removed_fails_and_is_released() {
        ByteBuf message = message(3 * TURN);
        ChannelFuture written = channel.pipeline().writeAndFlush(message);
        channel.pipeline().removeLast();
        assertInstanceOf(ClosedChannelException.class, written.cause());
        assertEquals(0, message.refCnt());
    }

    @Test
    void a_turn_has_few_reads_and_after_much_was_read_the_next_ones_wait_for_the_next_turn() {
        MaxMessagesRecvByteBufAllocator reads = channel.config().getRecvByteBufAllocator();
        assertEquals(TURN / (64 * 1024), reads.maxMessagesPerRead());
        // One is asked for when a channel begins.
        readsAskedFor = 0;
        channel.pipeline().fireChannelRead(message(100));
        channel.pipeline().read();
        assertEquals(1, readsAskedFor);
        channel.pipeline().fireChannelRead(message(TURN / 2 + 1));
        channel.pipeline().read();
        assertEquals(1, readsAskedFor);
        runTurns();
        assertEquals(2, readsAskedFor);
    }

    @Test
    void a_read_that_waits_is_dropped_when_nothing_is_to_be_read_any_more() {
        readsAskedFor = 0;
        channel.pipeline().fireChannelRead(message(TURN));
        channel.pipeline().read();
        channel.config().setAutoRead(false);
        runTurns();
        assertEquals(0, readsAskedFor);
        channel.config().setAutoRead(true);
        assertEquals(1, readsAskedFor);
    }
}
