package io.dshm.server.frontend;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.dshm.proto.Formats;
import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.proto.ReadMode;
import io.dshm.proto.Reply;
import io.dshm.proto.Secrets;
import io.dshm.proto.wire.ChangeUsersCommand;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.GrantedRight;
import io.dshm.proto.wire.HashedSecret;
import io.dshm.proto.wire.SwitchFormat;
import io.dshm.server.replication.Lane;
import io.dshm.server.replication.Replicator;
import io.dshm.server.replication.TestReplicators;
import io.dshm.server.replication.contracts.FakeLog;
import io.dshm.server.replication.contracts.Leadership;
import io.dshm.server.replication.reads.LocalReads;
import io.dshm.server.statemachine.ClusterClock;
import io.dshm.server.store.Entry;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.handler.stream.ChunkedWriteHandler;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** One connection after the other, on a real lane whose log is played by the test. No byte is held at the end of any test. */
class TextConnectionTest {

    private static final int MIB = 1024 * 1024;
    private static final int REPLIES_MAX = 8 * MIB;
    private static final int CHECKS_MAX = 3;
    private static final String SECRET = "5ec2e7".repeat(10);

    private final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(true, true);
    private final MemoryBudget values = new MemoryBudget(2 * MIB);
    private final MemoryBudget replies = new MemoryBudget(REPLIES_MAX);
    private final FakeLog log = new FakeLog();
    private final ClusterClock clock = new ClusterClock(System::nanoTime);
    private final LocalReads reads = new LocalReads(log.stateMachine, clock, System::nanoTime, 0);
    private final List<ClientChannel> channels = new ArrayList<>();
    private final List<TextConnection> connections = new ArrayList<>();

    private long nanos = 1;
    private long index;
    private ConnectionSet set;
    private Lane lane;
    private Replicator replicator;
    private ClientChannel client;

    @BeforeEach
    void connect() {
        client = new ClientChannel(allocator);
        channels.add(client);
        set = new ConnectionSet(client.eventLoop(), 60, replies, () -> nanos);
        replicator = TestReplicators.of(List.of(client.eventLoop()), log, reads, clock);
        replicator.start(clock, () -> false, () -> 0);
        reads.onCaughtUp();
        clock.hear(10_000, 1, true);
        replicator.onLeadership(new Leadership(1, "n1", true));
        lane = replicator.lane(client.eventLoop());
        applyAll();
        open(client);
    }

    private TextConnection open(ClientChannel channel) {
        TextConnection connection = new TextConnection(
                channel,
                lane,
                new LaneShares().of(lane),
                4 * MIB,
                values,
                ReadMode.LOCAL,
                new ClientIdentities(() -> nanos),
                new AccessLog(() -> nanos),
                set);
        channel.pipeline().addLast(new ChunkedWriteHandler(), connection);
        channel.pipeline().fireChannelActive();
        connections.add(connection);
        return connection;
    }

    private ClientChannel another() {
        ClientChannel channel = new ClientChannel(allocator);
        channels.add(channel);
        open(channel);
        return channel;
    }

    @AfterEach
    void nothing_is_held() {
        applyAll();
        for (ClientChannel channel : channels) {
            channel.close();
            channel.finishAndReleaseAll();
        }
        replicator.close();
        assertEquals(
                0, allocator.metric().usedDirectMemory() + allocator.metric().usedHeapMemory(), "bytes in buffers");
        assertEquals(0, values.bytesReserved(), "bytes of values");
        assertEquals(0, replies.bytesReserved(), "bytes of replies");
    }

    /** Commits and applies all that was proposed, and what follows from it. */
    private void applyAll() {
        do {
            client.runPendingTasks();
            while (!log.proposed.isEmpty()) {
                reads.onApplied(++index);
                log.applyNext();
            }
            client.runPendingTasks();
        } while (!log.proposed.isEmpty());
    }

    /** Confirms that this node leads, as often as it is asked. */
    private void confirmAll() {
        do {
            client.runPendingTasks();
            while (!log.questions.isEmpty()) {
                log.questions.remove().confirmed();
            }
            client.runPendingTasks();
        } while (!log.questions.isEmpty());
    }

    private void store(String key, byte[] value) {
        Key stored = Key.of(key);
        log.stateMachine.store().put(stored.bytes(), stored.hash(), Entry.of(value, Entry.NEVER, 1));
    }

    private long bufferBytes() {
        return allocator.metric().usedDirectMemory() + allocator.metric().usedHeapMemory();
    }

    @Test
    void requests_in_any_pieces_are_answered_in_their_order() {
        client.send("PING\r\nINCR a 1 0\r\nGE");
        client.send("T a\r\nSET b 0 3\r\nx");
        assertEquals("DONE\r\n", client.received());
        applyAll();
        client.send("yzGET b\r\nPING\r\n");
        applyAll();
        assertEquals(
                "LEN 1\r\n1\r\nDONE\r\nLEN 1\r\n1\r\nDONE\r\nLEN 3\r\nxyz\r\nDONE\r\nLEN 3\r\nxyz\r\nDONE\r\nDONE\r\n",
                client.received());
    }

    @Test
    void a_reply_that_fails_closes_its_own_connection_only() {
        boolean[] fails = {false};
        ClientChannel broken = new ClientChannel(allocator) {
            @Override
            public ByteBufAllocator alloc() {
                if (fails[0]) {
                    throw new IllegalStateException("the reply of one client fails");
                }
                return super.alloc();
            }
        };
        channels.add(broken);
        open(broken);
        ClientChannel other = another();
        client.arrive("INCR a 1 0\r\n");
        broken.arrive("INCR a 1 0\r\n");
        other.arrive("INCR a 1 0\r\n");
        fails[0] = true;
        applyAll();
        assertFalse(broken.isOpen());
        assertEquals("LEN 1\r\n1\r\nDONE\r\n", client.received());
        assertEquals("LEN 1\r\n3\r\nDONE\r\n", other.received());
        client.send("GET a\r\n");
        assertEquals("LEN 1\r\n3\r\nDONE\r\n", client.received());
    }

    @Test
    void keys_are_counted_once_each_also_of_what_has_to_wait_and_not_of_what_is_refused() {
        for (int i = 0; i < 1_000; i++) {
            client.send("INCR a 1 0\r\nGET b\r\nINCR\r\n");
            applyAll();
        }
        client.received();
        nanos += TimeUnit.SECONDS.toNanos(Limits.HOT_KEYS_SECONDS);
        client.send("GET b\r\n".repeat(2 * Limits.HOT_KEY_SAMPLE));
        client.received();
        List<HotKeys.HotKey> most = HotKeys.most(List.of(set.hotKeys()), nanos);
        assertEquals(2, most.size(), most::toString);
        for (HotKeys.HotKey hot : most) {
            assertTrue(Math.abs(hot.share() - 0.5) < 0.2, most::toString);
            assertTrue(hot.perSecond() < 150, most::toString);
        }
    }

    @Test
    void what_was_decoded_is_not_kept_however_the_bytes_are_cut() {
        String piece = "ING\r\n" + "PING\r\n".repeat(10_000) + "P";
        client.send("P");
        for (int i = 0; i < 100; i++) {
            client.send(piece);
            assertEquals("DONE\r\n".repeat(10_001), client.received());
            assertTrue(bufferBytes() <= 4 * 1024, "held: " + bufferBytes());
        }
        for (int i = 0; i < 100_000; i++) {
            client.send(i % 2 == 0 ? "ING\r\nP" : "ING\r\nPING\r\nP");
        }
        client.received();
        assertTrue(bufferBytes() <= 4 * 1024, "held: " + bufferBytes());
    }

    @Test
    void a_long_line_that_comes_byte_by_byte_is_held_once_and_counted() {
        int length = 60_000;
        client.send("GET ");
        for (int i = 0; i < length; i++) {
            client.send("k");
        }
        assertTrue(bufferBytes() < 4L * length, "held: " + bufferBytes());
        assertTrue(values.bytesReserved() >= length, "counted: " + values.bytesReserved());
        client.send("\r\n");
        assertEquals("ERROR not_found\r\n", client.received());
    }

    @Test
    void a_client_whose_requests_would_not_fit_into_the_budget_is_disconnected() {
        client.stopReading();
        for (int i = 0; i < 1_000 && client.isOpen(); i++) {
            client.send("PING\r\n".repeat(10_000));
        }
        assertFalse(client.isOpen());
    }

    @Test
    void a_client_that_does_not_read_is_not_read_from_and_loses_nothing() {
        client.stopReading();
        int sent = 0;
        while (client.config().isAutoRead()) {
            client.send("PING\r\n".repeat(1_000));
            sent += 1_000;
        }
        assertTrue(replies.bytesReserved() > 0, "what it does not read is counted");
        assertEquals("", client.received());
        client.goOnReading();
        assertEquals("DONE\r\n".repeat(sent), client.received());
        assertTrue(client.config().isAutoRead());
        assertEquals(0, replies.bytesReserved());
    }

    @Test
    void a_client_that_reads_nothing_is_disconnected_after_some_checks_and_one_that_reads_a_little_is_not() {
        store("large", new byte[MIB]);
        ClientChannel slow = another();
        for (ClientChannel channel : List.of(client, slow)) {
            channel.stopReading();
            channel.send("GET large\r\n");
        }
        for (int check = 0; check <= CHECKS_MAX; check++) {
            assertTrue(client.isOpen(), "still at check " + check);
            connections.forEach(connection -> connection.checkProgress(CHECKS_MAX));
            readABit(slow);
        }
        assertFalse(client.isOpen());
        assertTrue(slow.isOpen());
        slow.goOnReading();
        assertTrue(slow.received().endsWith("\r\nDONE\r\n"));
    }

    private static void readABit(ClientChannel channel) {
        channel.unsafe().outboundBuffer().removeBytes(1_000);
    }

    @Test
    void old_values_that_nobody_reads_are_bounded_and_those_who_wait_longest_go() {
        List<ClientChannel> silent = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            store("k", new byte[MIB]);
            ClientChannel channel = another();
            channel.stopReading();
            channel.send("GET k\r\n");
            silent.add(channel);
            nanos += TimeUnit.SECONDS.toNanos(1);
            assertTrue(replies.bytesReserved() <= REPLIES_MAX, "held: " + replies.bytesReserved());
        }
        assertFalse(silent.get(0).isOpen());
        assertTrue(silent.get(39).isOpen());
        client.send("GET k\r\n");
        assertEquals(
                MIB + "LEN 1048576\r\n\r\nDONE\r\n".length(), client.received().length());
    }

    @Test
    void where_all_who_wait_do_so_for_a_moment_only_one_more_large_value_is_refused() {
        for (int i = 0; i < 7; i++) {
            store("k", new byte[MIB]);
            ClientChannel channel = another();
            channel.stopReading();
            channel.send("GET k\r\n");
        }
        store("k", new byte[2 * MIB]);
        client.send("GET k\r\nPING\r\n");
        assertEquals(
                "ERROR busy too many bytes of replies wait for clients of this node\r\nDONE\r\n", client.received());
        assertTrue(channels.stream().allMatch(ClientChannel::isOpen));
    }

    @Test
    void the_reply_to_a_multi_is_refused_if_there_is_no_room_for_all_its_values() {
        for (int i = 0; i < 4; i++) {
            store("large" + i, new byte[3 * MIB / 2]);
            ClientChannel channel = another();
            channel.stopReading();
            channel.send("GET large" + i + "\r\n");
        }
        assertTrue(replies.bytesReserved() >= 6 * MIB, "held: " + replies.bytesReserved());
        store("k", new byte[60_000]);
        client.send(multiGet(50));
        assertTrue(client.received().startsWith("ERROR busy"));
        client.send(multiGet(1));
        assertTrue(client.received().startsWith("LEN 6"));
        assertTrue(channels.stream().allMatch(ClientChannel::isOpen));
    }

    private void switchFormat() {
        replicator.propose(CommandRecord.newBuilder()
                .setSwitchFormat(SwitchFormat.newBuilder().setFormat(Formats.BOUNDS))
                .build());
        applyAll();
    }

    private void changeUser(ChangeUsersCommand.Builder change) {
        CompletableFuture<Reply> reply =
                replicator.submitForOperator(CommandRecord.newBuilder().setChangeUsers(change));
        applyAll();
        assertEquals(Reply.Done.DONE, reply.join());
    }

    private void pass(int millis) {
        client.advanceTimeBy(millis, TimeUnit.MILLISECONDS);
        client.runScheduledPendingTasks();
        applyAll();
    }

    private void addUser() {
        addUser("app", GrantedRight.newBuilder().setKind(GrantedRight.Kind.READ));
    }

    private void addUser(String name, GrantedRight.Builder right) {
        switchFormat();
        byte[] secret = SECRET.getBytes(ISO_8859_1);
        byte[] salt = Secrets.saltOf(name, secret);
        changeUser(ChangeUsersCommand.newBuilder()
                .setAction(ChangeUsersCommand.Action.ADD)
                .setName(name)
                .addRights(right)
                .setSecret(HashedSecret.newBuilder()
                        .setSalt(ByteString.copyFrom(salt))
                        .setHash(ByteString.copyFrom(Secrets.hash(salt, secret)))));
    }

    @Test
    void a_connection_whose_user_was_removed_ends_with_its_next_request_or_when_it_is_looked_at() {
        addUser();
        ClientChannel idle = another();
        for (ClientChannel channel : channels) {
            channel.send("AUTH app " + SECRET + "\r\n");
            applyAll();
            assertEquals("DONE\r\n", channel.received());
        }
        changeUser(ChangeUsersCommand.newBuilder()
                .setAction(ChangeUsersCommand.Action.REMOVE)
                .setName("app"));
        client.send("GET a\r\nPING\r\n");
        assertEquals("ERROR denied the user or its secret was removed\r\n", client.received());
        assertTrue(client.isEnded());
        assertFalse(idle.isEnded());
        connections.forEach(connection -> connection.checkProgress(CHECKS_MAX));
        assertTrue(idle.isEnded());
    }

    @Test
    void who_does_not_say_who_it_is_where_it_has_to_does_not_stay() {
        addUser(
                "root",
                GrantedRight.newBuilder().setKind(GrantedRight.Kind.ADMIN).setPattern(ByteString.copyFromUtf8("*")));
        ClientChannel known = another();
        known.send("AUTH root " + SECRET + "\r\n");
        applyAll();
        assertEquals("DONE\r\n", known.received());
        for (int check = 0; check <= CHECKS_MAX; check++) {
            connections.forEach(connection -> connection.checkProgress(CHECKS_MAX));
        }
        assertTrue(client.isOpen(), "nobody has to say who it is");
        changeUser(ChangeUsersCommand.newBuilder().setAction(ChangeUsersCommand.Action.REQUIRE));
        for (int check = 0; check <= CHECKS_MAX; check++) {
            client.send("PING\r\n");
            assertEquals("DONE\r\n", client.received());
            connections.forEach(connection -> connection.checkProgress(CHECKS_MAX));
        }
        assertFalse(client.isOpen());
        assertTrue(known.isOpen());
    }

    @Test
    void a_wrong_secret_is_answered_late_and_its_connection_does_nothing_else_meanwhile() {
        addUser();
        client.freezeTime();
        client.send("AUTH app wrong\r\nPING\r\n");
        applyAll();
        pass(Limits.WRONG_SECRET_DELAY_MILLIS - 1);
        assertEquals("", client.received());
        pass(1);
        assertEquals("ERROR denied wrong user or secret\r\nDONE\r\n", client.received());
    }

    @Test
    void a_take_from_a_share_is_answered_at_once_and_in_its_turn() {
        switchFormat();
        String take = "TAKE k log 100000 60 share=yes\r\n";
        client.send(take.repeat(10));
        applyAll();
        assertEquals(10, client.received().split("DONE allowed=1", -1).length - 1);
        client.send(take);
        assertTrue(client.received().startsWith("DONE allowed=1 limit=100000 remaining="));
        assertTrue(log.proposed.isEmpty(), "the log has nothing to decide");

        client.send("SET k2 0 1\r\nx\r\n" + take);
        assertEquals("", client.received());
        applyAll();
        String replies = client.received();
        assertTrue(replies.startsWith("LEN 1\r\nx\r\nDONE\r\nDONE allowed=1"), replies);

        client.send("TAKE k log 100000 60 share=yes id=5 seq=1 done=1 retry=yes\r\n");
        assertEquals("", client.received(), "the log decides a repeat");
    }

    @Test
    void a_connection_may_allow_shares_for_all_its_takes() {
        replicator.propose(CommandRecord.newBuilder()
                .setSwitchFormat(SwitchFormat.newBuilder().setFormat(Formats.BOUNDS))
                .build());
        applyAll();
        String take = "TAKE k log 100000 60\r\n";
        client.send("SHARES yes\r\n");
        assertEquals("DONE\r\n", client.received());
        client.send(take.repeat(10));
        applyAll();
        assertEquals(10, client.received().split("DONE allowed=1", -1).length - 1);
        client.send(take);
        assertTrue(client.received().startsWith("DONE allowed=1"), "this node's share decides");

        client.send("SHARES no\r\n" + take);
        assertEquals("DONE\r\n", client.received(), "the log decides");
        applyAll();
        assertTrue(client.received().startsWith("DONE allowed=1"));
    }

    @Test
    void a_value_that_many_ask_for_is_counted_once() {
        store("k", new byte[2 * MIB]);
        for (int i = 0; i < 12; i++) {
            ClientChannel channel = another();
            channel.stopReading();
            channel.send("GET k\r\n");
        }
        assertTrue(channels.stream().allMatch(ClientChannel::isOpen));
        assertTrue(replies.bytesReserved() < 6 * MIB, "held: " + replies.bytesReserved());
    }

    @Test
    void replies_that_wait_for_an_earlier_one_are_counted_and_no_more_than_that() {
        store("k", new byte[MIB]);
        client.send("READ_MODE linearizable\r\n" + "GET k\r\n".repeat(3));
        assertEquals("DONE\r\n", client.received());
        client.stopReading();
        confirmAll();
        assertTrue(replies.bytesReserved() >= MIB, "held: " + replies.bytesReserved());
        assertTrue(replies.bytesReserved() < 2 * MIB, "held: " + replies.bytesReserved());
        client.goOnReading();
        assertEquals(
                3L * (MIB + "LEN 1048576\r\n\r\nDONE\r\n".length()),
                client.received().length());
    }

    @Test
    void the_replies_to_a_multi_that_are_large_are_sent_in_pieces() {
        store("k", new byte[100_000]);
        String reads = "GET k\r\n".repeat(20);
        client.stopReading();
        client.send("MULTI " + reads.length() + "\r\n" + reads);
        assertTrue(bufferBytes() < MIB, "in buffers: " + bufferBytes());
        assertTrue(replies.bytesReserved() >= 2_000_000, "held: " + replies.bytesReserved());
        client.goOnReading();
        assertTrue(client.received().length() > 2_000_000);
    }

    @Test
    void a_client_that_has_closed_its_sending_side_gets_all_replies_and_then_the_end() {
        store("large", new byte[MIB]);
        client.send("INCR a 1 0\r\nINCR a 1 0\r\nGET large\r\nGET a read=linearizable\r\nSET b 0 2\r\nokPI");
        client.sendEnd();
        assertFalse(client.isEnded());
        applyAll();
        confirmAll();
        applyAll();
        String received = client.received();
        assertTrue(received.startsWith("LEN 1\r\n1\r\nDONE\r\nLEN 1\r\n2\r\nDONE\r\nLEN 1048576\r\n"));
        assertTrue(received.endsWith("LEN 1\r\n2\r\nDONE\r\nLEN 2\r\nok\r\nDONE\r\n"));
        assertFalse(client.isOpen());
    }

    @Test
    void a_client_that_has_closed_its_sending_side_with_nothing_outstanding_gets_the_end() {
        client.send("PING\r\nSET a 0 5\r\nabc");
        client.sendEnd();
        assertEquals("DONE\r\n", client.received());
        assertFalse(client.isOpen());
    }

    @Test
    void a_client_that_has_closed_its_sending_side_and_does_not_read_is_disconnected() {
        client.stopReading();
        client.send("PING\r\n");
        client.sendEnd();
        assertTrue(client.isOpen());
        for (int check = 0; check <= CHECKS_MAX; check++) {
            connections.forEach(connection -> connection.checkProgress(CHECKS_MAX));
        }
        assertFalse(client.isOpen());
    }

    @Test
    void after_quit_the_client_gets_all_replies_however_slowly_it_reads() {
        store("large", new byte[MIB]);
        client.stopReading();
        client.send("GET large\r\nQUIT\r\nPING\r\n");
        client.advanceTimeBy(5, TimeUnit.SECONDS);
        client.runPendingTasks();
        client.goOnReading();
        assertTrue(client.received().endsWith("\r\nDONE\r\nDONE\r\n"));
        assertTrue(client.isEnded());
    }

    @Test
    void after_quit_what_the_client_still_sends_is_thrown_away_for_a_moment() {
        client.send("QUIT\r\n");
        assertTrue(client.isOpen() && client.isEnded());
        client.send("PING\r\n");
        assertEquals("DONE\r\n", client.received());
        client.advanceTimeBy(2, TimeUnit.SECONDS);
        client.runScheduledPendingTasks();
        assertFalse(client.isOpen());
    }

    /** With TLS there may be answers that no request has asked for. */
    @Test
    void after_quit_a_client_that_does_not_read_is_not_read() {
        client.send("QUIT\r\n");
        assertTrue(client.config().isAutoRead());
        client.unsafe().outboundBuffer().setUserDefinedWritability(1, false);
        client.runPendingTasks();
        assertFalse(client.config().isAutoRead());
        client.unsafe().outboundBuffer().setUserDefinedWritability(1, true);
        client.runPendingTasks();
        assertTrue(client.config().isAutoRead());
    }

    @Test
    void a_request_that_stands_still_ends_the_connection_and_an_idle_client_stays() {
        ClientChannel idle = another();
        client.send("SET a 0 10\r\nx");
        for (int check = 0; check <= CHECKS_MAX; check++) {
            connections.forEach(connection -> connection.checkProgress(CHECKS_MAX));
        }
        assertFalse(client.isOpen());
        assertTrue(idle.isOpen());
    }

    @Test
    void a_client_that_leaves_while_much_is_outstanding_leaves_nothing_behind() {
        store("large", new byte[MIB]);
        client.send("SET a 0 10000\r\n" + "v".repeat(10_000) + "SET b 0 10000\r\n" + "v".repeat(10_000));
        client.send("GET a\r\nGET large\r\nSET c 0 100000\r\n" + "v".repeat(10_000));
        ClientChannel other = another();
        other.stopReading();
        other.send("GET large\r\nGET large\r\nPI");
        other.close();
        client.close();
    }

    @Test
    void a_client_that_pipelines_handles_a_bounded_number_of_requests_a_turn_and_others_have_theirs() {
        int many = 10 * Limits.TURN_STEPS_MAX;
        client.arrive("PING\r\n".repeat(many) + "INCR a 1 0\r\nGET a\r\n");
        assertEquals("DONE\r\n".repeat(Limits.TURN_STEPS_MAX), client.receivedSoFar());
        assertFalse(client.config().isAutoRead(), "the rest comes first");
        ClientChannel other = another();
        other.arrive("PING\r\n");
        assertEquals("DONE\r\n", other.receivedSoFar());
        applyAll();
        String rest = client.received();
        applyAll();
        rest += client.received();
        assertEquals(
                "DONE\r\n".repeat(many - Limits.TURN_STEPS_MAX) + "LEN 1\r\n1\r\nDONE\r\nLEN 1\r\n1\r\nDONE\r\n", rest);
        assertTrue(client.config().isAutoRead());
    }

    @Test
    void each_request_in_a_multi_is_a_step_of_the_turn() {
        int inOne = Limits.TURN_STEPS_MAX / 2;
        client.arrive(multiGet(inOne).repeat(7));
        String reply = "LEN " + inOne * "ERROR not_found\r\n".length() + "\r\n" + "ERROR not_found\r\n".repeat(inOne)
                + "\r\nDONE\r\n";
        assertEquals(reply.repeat(2), client.receivedSoFar());
        ClientChannel other = another();
        other.arrive("PING\r\n");
        assertEquals("DONE\r\n", other.receivedSoFar());
        assertEquals(reply.repeat(5), client.received());
    }

    private static String multiGet(int reads) {
        String data = "GET k\r\n".repeat(reads);
        return "MULTI " + data.length() + "\r\n" + data;
    }

    @Test
    void reads_that_wait_are_bounded_by_what_they_hold_here_and_counted_until_they_are_answered() {
        String longKey = "GET " + "k".repeat(60_000) + "\r\n";
        for (String request : List.of(multiGet(1024), longKey)) {
            ClientChannel waiting = another();
            waiting.send("READ_MODE linearizable\r\n" + request.repeat(5));
            assertEquals("DONE\r\n", waiting.received());
            assertTrue(values.bytesReserved() >= 5 * 60_000, "counted: " + values.bytesReserved());
            waiting.send(request.repeat(20));
            assertTrue(values.bytesReserved() < 2 * MIB, "counted: " + values.bytesReserved());
            assertFalse(waiting.config().isAutoRead());
            waiting.close();
            assertTrue(values.bytesReserved() >= 5 * 60_000, "they still wait: " + values.bytesReserved());
            confirmAll();
            assertEquals(0, values.bytesReserved());
        }
    }

    @Test
    void a_read_for_which_there_is_no_room_to_wait_is_refused() {
        String ask = "READ_MODE linearizable\r\n" + multiGet(1024);
        for (int i = 0; i < 7; i++) {
            ClientChannel next = another();
            next.send(ask);
            assertEquals("DONE\r\n", next.received());
        }
        ClientChannel last = another();
        last.send(ask);
        assertEquals(
                "DONE\r\nERROR busy too many bytes of large requests are on their way to this node\r\n",
                last.received());
        confirmAll();
        last.send(ask);
        confirmAll();
        assertTrue(last.received().contains("ERROR not_found"));
    }

    @Test
    void no_more_reads_wait_on_a_lane_than_it_takes_commands() {
        int clients = Limits.COMMANDS_OUTSTANDING_MAX / Limits.CONNECTION_WRITES_OUTSTANDING_MAX;
        String reads = "READ_MODE linearizable\r\n" + "GET a\r\n".repeat(Limits.CONNECTION_WRITES_OUTSTANDING_MAX);
        for (int i = 0; i < clients; i++) {
            ClientChannel next = another();
            next.send(reads);
            assertEquals("DONE\r\n", next.received());
        }
        client.send("GET a read=linearizable\r\n");
        assertEquals("ERROR busy too many commands are outstanding\r\n", client.received());
        confirmAll();
        client.send("GET a read=linearizable\r\n");
        confirmAll();
        assertEquals("ERROR not_found\r\n", client.received());
    }

    @Test
    void the_bytes_of_replies_in_a_turn_are_bounded() {
        store("k", new byte[100_000]);
        client.arrive("GET k\r\n".repeat(20));
        int first = client.receivedSoFar().length();
        assertTrue(first > 200_000 && first < Limits.TURN_BYTES_MAX + 150_000, "sent: " + first);
        assertEquals(
                20 * (100_000 + "LEN 100000\r\n\r\nDONE\r\n".length()),
                first + client.received().length());
    }

    @Test
    void the_bytes_received_in_a_turn_are_bounded() {
        String set = "SET a 0 50000\r\n" + "v".repeat(50_000);
        int sent = 0;
        while (client.config().isAutoRead() && sent < 100) {
            client.pipeline().fireChannelRead(client.alloc().buffer().writeBytes(set.getBytes(ISO_8859_1)));
            sent++;
        }
        assertEquals(6, sent);
        client.pipeline().fireChannelReadComplete();
        applyAll();
        assertEquals(("LEN 50000\r\n" + "v".repeat(50_000) + "\r\nDONE\r\n").repeat(sent), client.received());
        assertTrue(client.config().isAutoRead());
    }

    @Test
    void who_closes_its_sending_side_in_the_middle_of_a_turn_has_all_requests_answered() {
        int many = 5 * Limits.TURN_STEPS_MAX;
        client.arrive("PING\r\n".repeat(many));
        client.sendEnd();
        assertEquals("DONE\r\n".repeat(many), client.received());
        assertFalse(client.isOpen());
    }
}
