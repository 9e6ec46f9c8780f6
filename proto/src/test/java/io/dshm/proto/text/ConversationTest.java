package io.dshm.proto.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Command;
import io.dshm.proto.Limits;
import io.dshm.proto.Rejection;
import io.dshm.proto.Reply;
import io.dshm.proto.Request;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.IntSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every golden conversation, held against the codec, however its bytes are cut. */
class ConversationTest {

    /** Beyond this a conversation fed byte by byte would only take long. */
    private static final int BYTE_BY_BYTE_MAX = 4 * 1024 * 1024;

    private final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(false, true);
    private final CountingBudget budget = new CountingBudget(Limits.VALUE_BYTES_MAX);

    static List<Conversation> conversations() throws IOException {
        return Conversation.loadAll(Path.of("conversations"));
    }

    @AfterEach
    void buffersBalance() {
        assertEquals(0, allocator.metric().usedHeapMemory() + allocator.metric().usedDirectMemory());
    }

    @ParameterizedTest
    @MethodSource("conversations")
    void decodes_all_at_once(Conversation conversation) {
        byte[] sent = sent(conversation);
        assertEquals(decoded(conversation), renderings(decode(sent, () -> sent.length)));
    }

    @ParameterizedTest
    @MethodSource("conversations")
    void decodes_byte_by_byte(Conversation conversation) {
        byte[] sent = sent(conversation);
        int piece = sent.length <= BYTE_BY_BYTE_MAX ? 1 : 1 + sent.length / BYTE_BY_BYTE_MAX;
        assertEquals(decoded(conversation), renderings(decode(sent, () -> piece)));
    }

    @ParameterizedTest
    @MethodSource("conversations")
    void decodes_in_random_pieces(Conversation conversation) {
        byte[] sent = sent(conversation);
        Random random = TestSeed.random();
        int most = 1 + random.nextInt(sent.length / 8 + 8);
        assertEquals(decoded(conversation), renderings(decode(sent, () -> 1 + random.nextInt(most))));
    }

    @ParameterizedTest
    @MethodSource("conversations")
    void each_command_encodes_to_what_decodes_to_it(Conversation conversation) {
        byte[] sent = sent(conversation);
        for (Request request : decode(sent, () -> sent.length)) {
            if (request instanceof Command command) {
                ByteBuf out = Unpooled.buffer();
                RequestEncoder.encode(command, out);
                byte[] encoded = ByteBufUtil.getBytes(out);
                assertEquals(List.of(Rendering.of(command)), renderings(decode(encoded, () -> encoded.length)));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("conversations")
    void each_request_has_one_reply_and_refusals_have_their_own(Conversation conversation) throws Exception {
        byte[] sent = sent(conversation);
        List<Request> requests = decode(sent, () -> sent.length);
        List<Reply> replies = replies(received(conversation));
        assertEquals(requests.size(), replies.size());
        for (int i = 0; i < requests.size(); i++) {
            if (requests.get(i) instanceof Rejection rejection) {
                assertEquals(rejection.failure(), replies.get(i));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("conversations")
    void each_reply_encodes_to_the_same_bytes(Conversation conversation) throws Exception {
        byte[] received = received(conversation);
        ByteBuf out = Unpooled.buffer();
        for (Reply reply : replies(received)) {
            ReplyEncoder.encode(reply, out);
        }
        assertArrayEquals(received, ByteBufUtil.getBytes(out));
    }

    @ParameterizedTest
    @MethodSource("conversations")
    void only_the_last_request_closes(Conversation conversation) {
        byte[] sent = sent(conversation);
        List<Request> requests = decode(sent, () -> sent.length);
        boolean closes = false;
        for (Request request : requests) {
            assertTrue(!closes, "a request after the one that closes");
            closes = request == Command.Quit.QUIT || (request instanceof Rejection rejection && rejection.closes());
        }
        List<Conversation.Step> steps = conversation.steps();
        assertEquals(steps.get(steps.size() - 1) instanceof Conversation.Closed, closes);
    }

    @Test
    void each_begins_with_a_flush_of_a_region_that_no_other_uses() throws IOException {
        Set<String> flushes = new HashSet<>();
        for (Conversation conversation : conversations()) {
            String first = decoded(conversation).get(0);
            assertTrue(first.startsWith("FLUSHALL ") && flushes.add(first), conversation + ": " + first);
        }
    }

    private List<Request> decode(byte[] bytes, IntSupplier pieceSize) {
        RequestDecoder decoder = new RequestDecoder(Limits.VALUE_BYTES_MAX, budget);
        ByteBuf in = allocator.buffer();
        try {
            List<Request> requests = new Feeding(decoder, budget, in).feed(bytes, pieceSize);
            decoder.close();
            assertEquals(0, budget.reserved());
            assertEquals(1, in.refCnt());
            return requests;
        } finally {
            in.release();
        }
    }

    private static List<Reply> replies(byte[] bytes) throws ProtocolException {
        ReplyDecoder decoder = new ReplyDecoder(Limits.VALUE_BYTES_MAX);
        List<Reply> replies = new ArrayList<>();
        ByteBuf in = Unpooled.buffer();
        for (byte one : bytes) {
            in.discardReadBytes();
            in.writeByte(one);
            Reply reply = decoder.decode(in);
            if (reply != null) {
                replies.add(reply);
                assertNull(decoder.decode(in));
            }
        }
        assertEquals(0, in.readableBytes(), "the beginning of a reply is left");
        return replies;
    }

    private static List<String> renderings(List<Request> requests) {
        return requests.stream().map(Rendering::of).toList();
    }

    private static List<String> decoded(Conversation conversation) {
        return conversation.steps().stream()
                .filter(Conversation.Decoded.class::isInstance)
                .map(step -> ((Conversation.Decoded) step).request())
                .toList();
    }

    private static byte[] sent(Conversation conversation) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (Conversation.Step step : conversation.steps()) {
            if (step instanceof Conversation.Send send) {
                out.writeBytes(send.bytes());
            }
        }
        return out.toByteArray();
    }

    private static byte[] received(Conversation conversation) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (Conversation.Step step : conversation.steps()) {
            if (step instanceof Conversation.Receive receive) {
                out.writeBytes(receive.bytes());
            }
        }
        return out.toByteArray();
    }
}
