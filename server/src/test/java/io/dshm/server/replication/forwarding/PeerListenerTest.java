package io.dshm.server.replication.forwarding;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.dshm.proto.Limits;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.Forward;
import io.dshm.proto.wire.PeerMessage;
import io.dshm.proto.wire.RegisterNode;
import io.dshm.proto.wire.SetCommand;
import io.dshm.proto.wire.Settled;
import io.dshm.proto.wire.StatusReply;
import io.dshm.server.network.PeerPort;
import io.dshm.server.network.Ports;
import io.dshm.server.network.RefusalLog;
import io.dshm.server.replication.contracts.FakeLog;
import io.dshm.server.replication.writes.ForwardSession;
import io.dshm.server.replication.writes.Proposer;
import io.dshm.server.replication.writes.Proposers;
import io.dshm.server.replication.writes.RegistrationCheck;
import io.dshm.server.transport.CallServer;
import io.dshm.server.transport.Greeting;
import io.dshm.server.transport.PeerCodec;
import io.dshm.server.transport.UnansweredCalls;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The leader's end of another node's connection: when it is read from. */
class PeerListenerTest {

    private static final long ORIGIN = 7;

    private final FakeLog log = new FakeLog();
    private final Proposer proposer = Proposers.waitingForNobody(log, log.stateMachine.memory());
    private final NioEventLoopGroup loops = new NioEventLoopGroup(1);
    private final List<ForwardSession.Peer> peers = new ArrayList<>();
    private PeerListener listener;
    private EmbeddedChannel channel;

    @BeforeEach
    void connect() throws IOException, InterruptedException {
        PeerPort.Bounds bounds = new PeerPort.Bounds(3, Limits.PEER_FRAME_BYTES_MAX, PeerCodec.BOUNDS);
        listener = new PeerListener(
                new Ports(loops, NioServerSocketChannel.class),
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                new PeerPort(bounds, address -> true, new RefusalLog("test", System::nanoTime)),
                new Greeting.Members("c", "n1", Set.of("n2"), () -> 0),
                new CallServer(new UnansweredCalls.Total(1), System::nanoTime),
                StatusReply::getDefaultInstance);
        RegistrationCheck registrations =
                new RegistrationCheck((node, registration) -> CompletableFuture.completedFuture(true), () -> 1);
        listener.open(
                (lane, peer) -> {
                    peers.add(peer);
                    return new ForwardSession(proposer, proposer::flush, peer, Runnable::run, registrations);
                },
                registration -> false);
        proposer.setTerm(1);
        channel = new EmbeddedChannel(listener.new Handler());
        forward(CommandRecord.newBuilder()
                .setRegisterNode(RegisterNode.newBuilder().setNode("n2").addOrigins(ORIGIN)));
    }

    @AfterEach
    void stop() throws InterruptedException {
        channel.finishAndReleaseAll();
        listener.stop();
        loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).await();
    }

    private void receive(PeerMessage.Builder message) {
        channel.writeInbound(message.build());
    }

    private void forward(CommandRecord.Builder record) {
        boolean registers = record.hasRegisterNode();
        long origin = registers ? 0 : ORIGIN;
        if (registers) {
            record.setSequence(1);
        }
        receive(PeerMessage.newBuilder()
                .setForward(Forward.newBuilder()
                        .setTerm(1)
                        .setSettled(Settled.newBuilder().setOrigin(origin).setBelow(1))
                        .addRecords(record.setOrigin(origin))));
    }

    private void set(long sequence, int bytes) {
        forward(CommandRecord.newBuilder()
                .setSequence(sequence)
                .setSet(SetCommand.newBuilder()
                        .setKey(ByteString.copyFromUtf8("k"))
                        .setValue(ByteString.copyFrom(new byte[bytes]))));
    }

    private boolean isRead() {
        return channel.config().isAutoRead();
    }

    @Test
    void a_node_is_not_read_from_while_too_many_bytes_of_it_wait_here() {
        log.applyNext();
        long sequence = 0;
        while (isRead()) {
            set(++sequence, Limits.INLINE_VALUE_BYTES_MAX);
            assertTrue(sequence * Limits.INLINE_VALUE_BYTES_MAX <= Limits.SESSION_BYTES_MAX, "it is read without end");
        }
        assertEquals(Limits.SESSION_BYTES_MAX / Limits.INLINE_VALUE_BYTES_MAX, sequence);
        while (!log.proposed.isEmpty()) {
            log.applyNext();
        }
        assertTrue(isRead());
    }

    @Test
    void a_node_is_read_from_only_if_there_is_room_here_and_it_reads_its_outcomes() {
        ForwardSession.Peer peer = peers.get(0);
        peer.setReading(false);
        assertFalse(isRead());
        setWritable(false);
        setWritable(true);
        assertFalse(isRead(), "there is no room");
        setWritable(false);
        peer.setReading(true);
        assertFalse(isRead(), "it does not read");
        setWritable(true);
        assertTrue(isRead());
    }

    private void setWritable(boolean writable) {
        channel.unsafe().outboundBuffer().setUserDefinedWritability(1, writable);
        channel.runPendingTasks();
        assertEquals(writable, channel.isWritable());
    }
}
