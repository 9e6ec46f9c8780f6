package io.dshm.server.replication.jraft.bolt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.alipay.remoting.rpc.RpcCommandType;
import com.alipay.remoting.rpc.protocol.RpcRequestCommand;
import com.alipay.remoting.rpc.protocol.RpcResponseCommand;
import io.dshm.server.transport.UnansweredCalls;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Connections to the Raft port whose requests wait for their responses. */
class UnansweredRequestsTest {

    private static final int REQUEST_BYTES = 10_000;

    private final UnansweredCalls.Total total = new UnansweredCalls.Total(100_000);
    private final EmbeddedChannel channel = connect();
    private final EmbeddedChannel other = connect();
    private long nanos = 1;

    private EmbeddedChannel connect() {
        EmbeddedChannel connected = new EmbeddedChannel();
        connected.pipeline().addLast(UnansweredRequests.installer(total, () -> nanos));
        connected.pipeline().addLast("encoder", new ChannelOutboundHandlerAdapter());
        connected.pipeline().fireChannelActive();
        return connected;
    }

    @AfterEach
    void nothing_is_counted_of_closed_connections() {
        channel.finishAndReleaseAll();
        other.finishAndReleaseAll();
        assertEquals(0, total.bytes());
    }

    private static RpcRequestCommand request(int number) {
        RpcRequestCommand request = new RpcRequestCommand();
        request.setId(number);
        request.setContent(new byte[REQUEST_BYTES]);
        return request;
    }

    private static void send(EmbeddedChannel from, int first, int count) {
        for (int i = 0; i < count; i++) {
            from.writeInbound(request(first + i));
        }
    }

    private static void answer(EmbeddedChannel to, int number) {
        RpcResponseCommand response = new RpcResponseCommand();
        response.setId(number);
        to.writeOutbound(response);
    }

    private static boolean isRead(EmbeddedChannel from) {
        return from.config().isAutoRead();
    }

    @Test
    void a_connection_is_not_read_from_while_too_many_of_its_bytes_are_unanswered() {
        send(channel, 1, 4);
        assertTrue(isRead(channel));
        channel.writeInbound(List.of(request(5), request(6)));
        assertFalse(isRead(channel));
        assertEquals(5, channel.inboundMessages().size(), "all that was read is handled");
        answer(channel, 3);
        answer(channel, 99);
        assertFalse(isRead(channel), "five of 11,024 bytes are more than half of the total");
        answer(channel, 1);
        assertTrue(isRead(channel));
    }

    @Test
    void beyond_the_total_only_connections_without_unanswered_requests_are_read_from() {
        EmbeddedChannel third = connect();
        send(channel, 1, 4);
        send(other, 1, 4);
        send(third, 1, 1);
        assertTrue(isRead(third), "99,216 bytes");
        send(third, 2, 1);
        assertFalse(isRead(third));
        EmbeddedChannel fourth = connect();
        assertTrue(isRead(fourth));
        send(fourth, 1, 1);
        assertFalse(isRead(fourth), "one at a time");
        answer(fourth, 1);
        assertTrue(isRead(fourth));
        channel.close();
        other.close();
        third.advanceTimeBy(1, TimeUnit.SECONDS);
        third.runScheduledPendingTasks();
        assertTrue(isRead(third), "there is room again, though it had no response itself");
        third.finishAndReleaseAll();
        fourth.finishAndReleaseAll();
    }

    @Test
    void a_request_that_is_never_answered_does_not_stop_a_connection_for_good() {
        send(channel, 1, 5);
        assertFalse(isRead(channel));
        nanos += TimeUnit.SECONDS.toNanos(31);
        channel.advanceTimeBy(1, TimeUnit.SECONDS);
        channel.runScheduledPendingTasks();
        assertTrue(isRead(channel));
        assertEquals(0, total.bytes());
    }

    @Test
    void requests_that_no_member_sends_end_the_connection() {
        RpcRequestCommand oneWay = request(1);
        oneWay.setType(RpcCommandType.REQUEST_ONEWAY);
        channel.writeInbound(oneWay);
        assertFalse(channel.isOpen());
        send(other, 1, 1);
        other.writeInbound(request(1));
        assertFalse(other.isOpen(), "a number that is in use");
    }
}
