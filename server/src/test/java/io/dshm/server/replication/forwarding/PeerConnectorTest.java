package io.dshm.server.replication.forwarding;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.dshm.proto.wire.StatusReply;
import io.dshm.server.network.Encryption;
import io.dshm.server.transport.LoopbackMembers;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Questions to other nodes over real connections. */
@Timeout(60)
class PeerConnectorTest {

    private static final long ANSWER_MILLIS = 1;

    private final LoopbackMembers members = new LoopbackMembers("n1", "n2");
    private final CompletableFuture<Void> asked = new CompletableFuture<>();

    /** A handshake that takes until {@link #endHandshake}. */
    private final CompletableFuture<ChannelHandlerContext> handshake = new CompletableFuture<>();

    @AfterEach
    void close() throws InterruptedException {
        members.close();
    }

    private CompletableFuture<StatusReply> ask() throws Exception {
        members.listenAsFormat1("n2", new ChannelInboundHandlerAdapter() {
            @Override
            public void channelRead(ChannelHandlerContext context, Object message) {
                // Nothing answers.
                asked.complete(null);
            }
        });
        members.encrypt(
                "n1",
                Encryption.NONE,
                (dialed, node) -> dialed.pipeline().addLast(new ChannelDuplexHandler() {
                    @Override
                    public void channelActive(ChannelHandlerContext context) {
                        handshake.complete(context);
                    }
                }));
        return new PeerConnector(members.dialer("n1")).ask("n2", ANSWER_MILLIS);
    }

    private void endHandshake() {
        handshake.thenAccept(context -> context.executor().execute(context::fireChannelActive));
    }

    @Test
    void a_handshake_may_take_longer_than_the_answer() throws Exception {
        CompletableFuture<StatusReply> answer = ask();
        // On the thread of all time-outs, so that one of a millisecond would have been over before this.
        CompletableFuture.delayedExecutor(50 * ANSWER_MILLIS, TimeUnit.MILLISECONDS)
                .execute(this::endHandshake);
        asked.get();
        assertTimedOut(answer);
    }

    @Test
    void an_answer_that_lay_in_the_socket_while_this_process_stood_still_does_not_count() throws Exception {
        long minute = TimeUnit.MINUTES.toNanos(1);
        AtomicLong nanos = new AtomicLong();
        members.listenAsFormat1("n2", new ChannelInboundHandlerAdapter() {
            @Override
            public boolean isSharable() {
                return true;
            }
        });
        PeerConnector connector = new PeerConnector(members.dialer("n1"), () -> nanos.getAndAdd(minute));
        assertTimedOut(connector.ask("n2", 59_999));
        assertEquals(
                StatusReply.getDefaultInstance(), connector.ask("n2", 60_000).join());
    }

    @Test
    void a_handshake_without_an_end_is_given_up() throws Exception {
        assertTimedOut(ask());
    }

    private static void assertTimedOut(CompletableFuture<StatusReply> answer) {
        assertInstanceOf(
                TimeoutException.class,
                assertThrows(CompletionException.class, answer::join).getCause());
    }
}
