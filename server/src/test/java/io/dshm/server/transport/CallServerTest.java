package io.dshm.server.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.BytesValue;
import io.dshm.proto.Limits;
import io.dshm.proto.wire.PeerMessage;
import io.dshm.server.network.PeerPort;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The end of a connection for calls that takes them, whatever comes there. */
class CallServerTest {

    private static final Greeting.Members OTHER = new Greeting.Members("shop", "n2", Set.of("n1"), () -> 0);
    private static final int UNANSWERED_BYTES = 100_000;

    private final PeerPort port = LoopbackMembers.port();
    private final UnansweredCalls.Total total = new UnansweredCalls.Total(UNANSWERED_BYTES);
    private final CallServer server = new CallServer(total, () -> 1);
    private final List<CallServer.Call> calls = new ArrayList<>();
    private final EmbeddedChannel channel = new EmbeddedChannel();

    CallServerTest() {
        channel.freezeTime();
        channel.pipeline().addLast(port.guard(PeerCodec.FORMAT));
        PeerCodec.addTo(
                channel.pipeline(),
                new Greeting(new Greeting.Members("shop", "n1", Set.of("n2"), () -> 0), port, server));
    }

    @AfterEach
    void nothing_is_left() {
        channel.finishAndReleaseAll();
        assertEquals(0, total.bytes());
    }

    private static ByteBuf greeting() {
        ByteBuf frames = Unpooled.buffer();
        for (PeerMessage message : List.of(Greeting.helloForCalls(OTHER, "n1"), CallConnection.QUESTION)) {
            byte[] body = message.toByteArray();
            frames.writeInt(body.length).writeBytes(body);
        }
        return frames;
    }

    private static ByteBuf frame(int kind, int number, byte[] body) {
        return Unpooled.buffer()
                .writeInt(Byte.BYTES + Integer.BYTES + body.length)
                .writeByte(kind)
                .writeInt(number)
                .writeBytes(body);
    }

    private static ByteBuf request(int number, int bytes) {
        return frame(TestMessages.KIND, number, TestMessages.of(bytes).toByteArray());
    }

    private void greet() throws IOException {
        server.open(new TestMessages(), calls::add);
        channel.writeInbound(greeting());
        ByteBuf reply = channel.readOutbound();
        PeerMessage message = PeerMessage.parseFrom(ByteBufUtil.getBytes(reply.skipBytes(Integer.BYTES)));
        reply.release();
        assertEquals(CallServer.VERSION, message.getHelloReply().getCalls());
        assertNull(channel.readOutbound(), "the question of format 1 is not answered");
    }

    private void pass(long millis) {
        channel.advanceTimeBy(millis, TimeUnit.MILLISECONDS);
        channel.runScheduledPendingTasks();
    }

    @Test
    void before_this_node_takes_part_the_connection_is_closed() {
        channel.writeInbound(greeting());
        assertFalse(channel.isOpen());
        assertNull(channel.readOutbound());
    }

    @Test
    void a_request_is_answered_under_its_number_wherever_frames_are_cut() throws IOException {
        greet();
        ByteBuf bytes = Unpooled.wrappedBuffer(request(5, 10), request(6, 0));
        while (bytes.isReadable()) {
            channel.writeInbound(bytes.readRetainedSlice(1));
        }
        bytes.release();
        assertEquals(2, calls.size());
        assertEquals(TestMessages.of(10), calls.get(0).request());
        calls.get(1).answer(TestMessages.of(0));
        channel.runPendingTasks();
        ByteBuf answer = channel.readOutbound();
        ByteBuf expected = request(6, 0);
        assertEquals(expected, answer);
        answer.release();
        expected.release();
    }

    @Test
    void a_giant_frame_ends_the_connection_when_its_length_is_known() throws IOException {
        greet();
        channel.writeInbound(Unpooled.buffer().writeInt(Limits.PEER_FRAME_BYTES_MAX));
        assertFalse(channel.isOpen());
    }

    @Test
    void a_frame_that_is_never_complete_ends_the_connection() throws IOException {
        greet();
        channel.writeInbound(request(1, 100).readSlice(50).retain());
        for (int i = 0; i < Limits.PEER_FRAME_MILLIS_MAX / Limits.PEER_HEARTBEAT_MILLIS; i++) {
            pass(Limits.PEER_HEARTBEAT_MILLIS);
        }
        assertFalse(channel.isOpen());
        assertEquals(List.of(), calls);
    }

    @Test
    void what_is_no_request_ends_the_connection() throws IOException {
        List<ByteBuf> wrong = List.of(
                Unpooled.buffer().writeInt(3).writeBytes(new byte[3]),
                frame(TestMessages.KIND + 1, 1, new byte[0]),
                frame(TestMessages.KIND, 1, new byte[] {-1, -1, -1, -1}),
                // An end of a group that has not begun.
                frame(TestMessages.KIND, 1, new byte[] {0x0c}));
        for (ByteBuf bytes : wrong) {
            CallServerTest each = new CallServerTest();
            each.greet();
            each.channel.writeInbound(bytes);
            assertFalse(each.channel.isOpen(), bytes::toString);
            assertEquals(List.of(), each.calls);
            each.nothing_is_left();
        }
    }

    @Test
    void a_number_that_waits_already_ends_the_connection() throws IOException {
        greet();
        channel.writeInbound(request(1, 1), request(1, 1));
        assertFalse(channel.isOpen());
    }

    @Test
    void silence_ends_the_connection_and_signs_of_life_keep_it() throws IOException {
        greet();
        for (int i = 0; i < 3 * Limits.PEER_SILENT_HEARTBEATS_MAX; i++) {
            channel.writeInbound(frame(0, 0, new byte[0]));
            pass(Limits.PEER_HEARTBEAT_MILLIS);
            ByteBuf beat = channel.readOutbound();
            ByteBuf expected = frame(0, 0, new byte[0]);
            assertEquals(expected, beat, "this side sends them, too");
            beat.release();
            expected.release();
        }
        assertTrue(channel.isOpen());
        assertEquals(List.of(), calls);
        for (int i = 0; i <= Limits.PEER_SILENT_HEARTBEATS_MAX; i++) {
            pass(Limits.PEER_HEARTBEAT_MILLIS);
        }
        assertFalse(channel.isOpen());
    }

    @Test
    void when_too_many_bytes_wait_then_the_connection_is_not_read_until_they_are_answered() throws IOException {
        greet();
        channel.writeInbound(request(1, UNANSWERED_BYTES / 4));
        assertTrue(channel.config().isAutoRead());
        channel.writeInbound(request(2, UNANSWERED_BYTES / 4));
        assertFalse(channel.config().isAutoRead());
        calls.get(0).answer(TestMessages.of(1));
        channel.runPendingTasks();
        assertTrue(channel.config().isAutoRead());
    }

    @Test
    void an_answer_to_a_closed_connection_is_dropped() throws IOException {
        greet();
        channel.writeInbound(request(1, 1));
        channel.close();
        calls.get(0).answer(BytesValue.getDefaultInstance());
        channel.runPendingTasks();
        assertNull(channel.readOutbound());
    }
}
