package io.dshm.server.admin;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Limits;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.util.ReferenceCountUtil;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Who listens to what the operators' page shows, in virtual time. */
class LiveEventsTest {

    /** Holds back everything, as a socket does whose client does not read. */
    private static final class Stalled extends ChannelOutboundHandlerAdapter {

        private int writes;

        @Override
        public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
            writes++;
            ReferenceCountUtil.release(message);
        }
    }

    private long nanos;
    private int made;
    private final LiveEvents events = new LiveEvents(() -> "{\"n\": " + made++ + "}", () -> nanos);
    private final List<EmbeddedChannel> channels = new ArrayList<>();

    @AfterEach
    void nothing_is_left() {
        channels.forEach(EmbeddedChannel::finishAndReleaseAll);
    }

    private EmbeddedChannel connect() {
        EmbeddedChannel channel = new EmbeddedChannel();
        channel.freezeTime();
        channels.add(channel);
        return channel;
    }

    private boolean listen(EmbeddedChannel channel) {
        ChannelInboundHandlerAdapter last = new ChannelInboundHandlerAdapter();
        channel.pipeline().addLast(last);
        return events.add(channel.pipeline().context(last), true);
    }

    /** Goes on to the next event: the first listener's event loop has the timer. */
    private void tick() {
        nanos += TimeUnit.SECONDS.toNanos(Limits.PAGE_INTERVAL_SECONDS);
        channels.get(0).advanceTimeBy(Limits.PAGE_INTERVAL_SECONDS, TimeUnit.SECONDS);
        channels.get(0).runScheduledPendingTasks();
    }

    private static String next(EmbeddedChannel channel) {
        HttpContent content = channel.readOutbound();
        try {
            return content.content().toString(UTF_8);
        } finally {
            content.release();
        }
    }

    @Test
    void a_listener_gets_an_event_at_once_and_then_in_intervals() {
        EmbeddedChannel channel = connect();
        assertTrue(listen(channel));
        HttpResponse head = channel.readOutbound();
        assertEquals("text/event-stream; charset=utf-8", head.headers().get("Content-Type"));
        assertEquals("no-store", head.headers().get("Cache-Control"));
        assertEquals("data: {\"n\": 0}\n\n", next(channel));
        tick();
        assertEquals("data: {\"n\": 1}\n\n", next(channel));
    }

    @Test
    void one_event_serves_all_and_none_is_made_for_nobody() {
        EmbeddedChannel one = connect();
        EmbeddedChannel two = connect();
        listen(one);
        listen(two);
        int before = made;
        tick();
        assertEquals(before + 1, made);
        two.close();
        one.close();
        tick();
        assertEquals(before + 1, made);
    }

    @Test
    void there_are_so_many_listeners_and_one_that_goes_makes_room() {
        for (int i = 0; i < Limits.PAGE_LISTENERS_MAX; i++) {
            assertTrue(listen(connect()));
        }
        EmbeddedChannel late = connect();
        assertFalse(listen(late));
        assertTrue(late.outboundMessages().isEmpty());
        channels.get(1).close();
        assertTrue(listen(late));
    }

    @Test
    void who_does_not_read_gets_no_second_event_and_is_disconnected() {
        EmbeddedChannel reads = connect();
        listen(reads);
        EmbeddedChannel stalls = connect();
        Stalled stalled = new Stalled();
        stalls.pipeline().addLast(stalled);
        listen(stalls);
        int before = stalled.writes;
        for (int seconds = Limits.PAGE_INTERVAL_SECONDS;
                seconds < Limits.PAGE_STALL_SECONDS;
                seconds += Limits.PAGE_INTERVAL_SECONDS) {
            tick();
            assertTrue(stalls.isOpen(), () -> "closed after " + nanos + " ns");
        }
        assertEquals(before, stalled.writes);
        tick();
        assertFalse(stalls.isOpen());
        assertTrue(reads.isOpen());
    }
}
