package io.dshm.server.transport;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.dshm.proto.Limits;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.Forward;
import io.dshm.proto.wire.Hello;
import io.dshm.proto.wire.PeerMessage;
import io.dshm.proto.wire.SetCommand;
import io.dshm.proto.wire.StatusRequest;
import io.dshm.server.network.FrameGuard;
import io.dshm.server.network.PeerPort;
import io.dshm.server.network.RefusalLog;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GreetingTest {

    private static final PeerMessage QUESTION = PeerMessage.newBuilder()
            .setStatusRequest(StatusRequest.getDefaultInstance())
            .build();

    private final PeerPort port = new PeerPort(
            new PeerPort.Bounds(
                    3,
                    2L * Limits.PEER_FRAME_BYTES_MAX,
                    new FrameGuard.Bounds(
                            Limits.PEER_GREETING_BYTES_MAX, Limits.PEER_FRAME_BYTES_MAX, Limits.PEER_FRAME_MILLIS_MAX)),
            address -> true,
            new RefusalLog("test", System::nanoTime));

    /** The ids of the two nodes' clusters. */
    private long ownId;

    private long helloId;

    private final CallServer calls = new CallServer(new UnansweredCalls.Total(1), System::nanoTime);
    private final EmbeddedChannel channel = new EmbeddedChannel();

    GreetingTest() {
        channel.freezeTime();
        channel.pipeline().addLast(port.guard(PeerCodec.FORMAT));
        PeerCodec.addTo(
                channel.pipeline(),
                new Greeting(new Greeting.Members("shop", "n1", Set.of("n2", "n3"), () -> ownId), port, calls));
    }

    @AfterEach
    void nothing_is_left() {
        channel.finishAndReleaseAll();
    }

    private static PeerMessage greeting(String cluster, String node, String to) {
        return PeerMessage.newBuilder()
                .setHello(Hello.newBuilder().setCluster(cluster).setNode(node).setTo(to))
                .build();
    }

    private PeerMessage greetingOfMember(boolean heartbeats) {
        return Greeting.hello(new Greeting.Members("shop", "n2", Set.of("n1", "n3"), () -> helloId), "n1", heartbeats);
    }

    /** What the member n1 knows. */
    private static Greeting.Members knowing(BooleanSupplier isCertain, Greeting.Incarnations incarnations) {
        return new Greeting.Members(
                "shop", "n1", () -> Greeting.Incarnation.UNKNOWN, Set.of("n2"), () -> 7, isCertain, incarnations);
    }

    /** What the member n2 knows, which says that incarnation of itself. */
    private static Greeting.Members inItsStart(Supplier<Greeting.Incarnation> incarnation) {
        return new Greeting.Members(
                "shop", "n2", incarnation, Set.of("n1"), () -> 7, () -> true, (any, folder, start) -> false);
    }

    /** A connection to a node that knows these. */
    private EmbeddedChannel asked(Greeting.Members members) {
        EmbeddedChannel asked = new EmbeddedChannel();
        PeerCodec.addTo(asked.pipeline(), new Greeting(members, port, calls));
        return asked;
    }

    private static ByteBuf frame(byte[] body) {
        return Unpooled.buffer().writeInt(body.length).writeBytes(body);
    }

    private static ByteBuf frames(PeerMessage... messages) {
        ByteBuf all = Unpooled.buffer();
        for (PeerMessage message : messages) {
            ByteBuf frame = frame(message.toByteArray());
            all.writeBytes(frame);
            frame.release();
        }
        return all;
    }

    private void pass(long millis) {
        channel.advanceTimeBy(millis, TimeUnit.MILLISECONDS);
        channel.runScheduledPendingTasks();
    }

    @Test
    void a_member_is_let_in_wherever_its_frames_are_cut() {
        ByteBuf bytes = frames(greetingOfMember(true), QUESTION, QUESTION);
        while (bytes.isReadable()) {
            channel.writeInbound(bytes.readRetainedSlice(1));
        }
        bytes.release();
        assertEquals(QUESTION, channel.readInbound());
        assertEquals(QUESTION, channel.readInbound());
        assertTrue(channel.isOpen());
    }

    @ParameterizedTest
    @CsvSource({
        "another, n2, n1", // another cluster's
        "shop, n4, n1", // no member
        "shop, n1, n1", // this node itself
        "shop, '', n1",
        "shop, n2, n3" // a connection that went to the wrong node
    })
    void others_are_not_let_in_and_what_they_send_with_it_is_not_read(String cluster, String node, String to) {
        channel.writeInbound(frames(greeting(cluster, node, to), QUESTION));
        assertNull(channel.readInbound());
        assertFalse(channel.isOpen());
    }

    @Test
    void a_member_of_another_cluster_of_the_same_name_may_only_ask_which_one_this_is() {
        ownId = 1;
        helloId = 2;
        channel.writeInbound(frames(greetingOfMember(false), QUESTION));
        assertEquals(QUESTION, channel.readInbound());
        EmbeddedChannel stays = asked(new Greeting.Members("shop", "n1", Set.of("n2"), () -> ownId));
        stays.writeInbound(frames(greetingOfMember(true), QUESTION));
        assertNull(stays.readInbound());
        assertFalse(stays.isOpen());
    }

    @ParameterizedTest
    @CsvSource({"5, 2, false", "5, 3, true", "5, 4, true", "6, 1, true", "0, 0, true"})
    void a_start_that_a_later_one_with_the_same_folder_has_replaced_is_refused(long folder, long start, boolean isIn) {
        EmbeddedChannel asked = asked(knowing(
                () -> true, (node, itsFolder, itsStart) -> node.equals("n2") && itsFolder == 5 && itsStart < 3));
        Greeting.Members sender = inItsStart(() -> new Greeting.Incarnation(folder, start));
        asked.writeInbound(frames(Greeting.hello(sender, "n1", true), QUESTION));
        assertEquals(isIn ? QUESTION : null, asked.readInbound());
        assertEquals(isIn, asked.isOpen());
        asked.finishAndReleaseAll();
    }

    @Test
    void a_node_that_was_added_again_greets_as_the_further_start_that_it_has_become() {
        AtomicLong start = new AtomicLong(2);
        Greeting.Members sender = inItsStart(() -> new Greeting.Incarnation(5, start.get()));
        assertEquals(2, Greeting.hello(sender, "n1", true).getHello().getStart());
        start.set(3);
        assertEquals(3, Greeting.hello(sender, "n1", true).getHello().getStart());
    }

    @ParameterizedTest
    @CsvSource({
        "n4, 7, true, true",
        "n4, 8, true, false", // of another cluster
        "n4, 0, true, false", // has no data
        "n4, 7, false, false", // this node may lag behind
        "n1, 7, true, false" // this node itself
    })
    void who_was_a_member_is_told_that_it_is_none_any_more(
            String node, long memberOf, boolean certain, boolean isTold) {
        EmbeddedChannel asked = asked(knowing(() -> certain, (any, folder, start) -> false));
        Greeting.Members sender = new Greeting.Members("shop", node, Set.of("n1"), () -> memberOf);
        asked.writeInbound(frames(Greeting.hello(sender, "n1", false), QUESTION));
        assertNull(asked.readInbound());
        assertFalse(asked.isOpen());
        ByteBuf answer = asked.readOutbound();
        assertEquals(isTold, answer != null);
        if (answer != null) {
            answer.release();
        }
        asked.finishAndReleaseAll();
    }

    @ParameterizedTest
    @CsvSource({"7, 7", "7, 0", "0, 7"})
    void a_member_of_the_same_cluster_is_let_in_also_if_one_of_the_two_does_not_know_its_id_yet(long own, long sent) {
        ownId = own;
        helloId = sent;
        channel.writeInbound(frames(greetingOfMember(true), QUESTION));
        assertEquals(QUESTION, channel.readInbound());
    }

    @Test
    void nothing_comes_before_the_greeting() {
        channel.writeInbound(frames(QUESTION, greetingOfMember(true), QUESTION));
        assertNull(channel.readInbound());
        assertFalse(channel.isOpen());
    }

    @Test
    void a_greeting_that_is_no_message_ends_the_connection() {
        channel.writeInbound(frame("GET / HTTP/1.1".getBytes(US_ASCII)));
        assertNull(channel.readInbound());
        assertFalse(channel.isOpen());
    }

    @Test
    void a_long_first_frame_ends_the_connection_when_its_length_is_known() {
        channel.writeInbound(Unpooled.buffer().writeInt(Limits.PEER_GREETING_BYTES_MAX));
        assertFalse(channel.isOpen());
    }

    @Test
    void frames_after_the_greeting_may_be_long() {
        PeerMessage message = PeerMessage.newBuilder()
                .setForward(Forward.newBuilder()
                        .setTerm(7)
                        .addRecords(CommandRecord.newBuilder()
                                .setSet(SetCommand.newBuilder()
                                        .setValue(ByteString.copyFrom(new byte[Limits.ENTRY_BYTES_MAX])))))
                .build();
        channel.writeInbound(frames(greetingOfMember(false), message));
        assertEquals(message, channel.readInbound());
    }

    @Test
    void a_node_of_format_1_is_let_in_and_may_be_silent() {
        channel.writeInbound(frames(greeting("shop", "n2", "")));
        for (int i = 0; i < 100; i++) {
            pass(Limits.PEER_HEARTBEAT_MILLIS);
        }
        assertTrue(channel.isOpen());
        assertNull(channel.readOutbound());
    }

    @Test
    void a_node_with_heartbeats_may_not_be_silent() {
        channel.writeInbound(frames(greetingOfMember(true)));
        for (int i = 0; i < Limits.PEER_SILENT_HEARTBEATS_MAX; i++) {
            assertTrue(channel.isOpen());
            pass(Limits.PEER_HEARTBEAT_MILLIS);
        }
        assertFalse(channel.isOpen());
    }
}
