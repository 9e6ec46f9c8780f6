package io.dshm.server.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.alipay.sofa.jraft.entity.RaftOutter.SnapshotMeta;
import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.InstallSnapshotRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.RequestVoteRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.TimeoutNowRequest;
import com.google.protobuf.ByteString;
import io.dshm.proto.Limits;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.Forward;
import io.dshm.proto.wire.Hello;
import io.dshm.proto.wire.PeerMessage;
import io.dshm.proto.wire.StatusRequest;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * A stranger on the same machine sends to the ports between nodes what no node would: the nodes, with small heaps, go on, and
 * so does who is served by them.
 */
class HostilePeersIT {

    private static final int UNFINISHED_FRAMES = 271;

    /** The numbers of requests among the calls. */
    private static final byte REQUEST_VOTE = 2;

    private static final byte APPEND_ENTRIES = 4;
    private static final byte INSTALL_SNAPSHOT = 6;
    private static final byte TIMEOUT_NOW = 12;

    private static final String GROUP = "dshm_dshm";

    private static final byte[] QUESTION = frame(PeerMessage.newBuilder()
            .setStatusRequest(StatusRequest.getDefaultInstance())
            .build());

    @RegisterExtension
    static final Processes PROCESSES = Processes.perClass();

    private static ClusterProcess cluster;

    @BeforeAll
    static void start() throws IOException, InterruptedException {
        cluster = PROCESSES.newCluster().start();
    }

    @Test
    void a_frame_that_announces_two_gigabytes_costs_nothing() throws IOException, InterruptedException {
        Bystander bystander = new Bystander("giant::n");
        for (NodeProcess node : cluster.nodes()) {
            for (byte[] greeting :
                    List.of(new byte[0], greetingForCalls(cluster.others(node).get(0), node))) {
                try (Socket socket = connect(node)) {
                    socket.getOutputStream()
                            .write(ByteBuffer.allocate(greeting.length + 1000)
                                    .put(greeting)
                                    .putInt(Integer.MAX_VALUE)
                                    .array());
                    socket.getInputStream().readAllBytes();
                } catch (IOException reset) {
                    // Closed with bytes unread: what was to be shown.
                }
            }
        }
        bystander.end();
    }

    @Test
    void unfinished_frames_do_not_take_the_memory() throws IOException, InterruptedException {
        List<Socket> sockets = new ArrayList<>();
        Bystander bystander = new Bystander("unfinished::n");
        try {
            NodeProcess node = cluster.awaitLeader();
            NodeProcess other = cluster.others(node).get(0);
            byte[] forward = unfinished(greeting("dshm", other, node));
            byte[] call = unfinished(greetingForCalls(other, node));
            for (int i = 0; i < UNFINISHED_FRAMES; i++) {
                sockets.add(send(node, call));
                sockets.add(send(node, forward));
            }
            bystander.end();
        } finally {
            for (Socket socket : sockets) {
                socket.close();
            }
        }
    }

    @Test
    void an_absurd_term_is_refused_whoever_sends_it_and_not_kept() throws IOException, InterruptedException {
        long term = cluster.term();
        for (NodeProcess node : cluster.nodes()) {
            for (String from :
                    List.of("127.0.0.1:1", raftAddress(cluster.others(node).get(0)))) {
                RequestVoteRequest vote = RequestVoteRequest.newBuilder()
                        .setGroupId(GROUP)
                        .setServerId(from)
                        .setPeerId(raftAddress(node))
                        .setTerm(Long.MAX_VALUE)
                        .setLastLogIndex(Long.MAX_VALUE)
                        .setLastLogTerm(Long.MAX_VALUE)
                        .setPreVote(false)
                        .build();
                try (Socket socket = connect(node)) {
                    socket.getOutputStream()
                            .write(greetingForCalls(cluster.others(node).get(0), node));
                    DataInputStream in = new DataInputStream(socket.getInputStream());
                    byte[] reply = in.readNBytes(in.readInt());
                    assertEquals(1, PeerMessage.parseFrom(reply).getHelloReply().getCalls());
                    socket.getOutputStream().write(call(REQUEST_VOTE, vote.toByteArray()));
                    assertTrue(in.readInt() > 0, "it is answered");
                }
            }
        }
        assertEquals(term, cluster.term());
        for (NodeProcess node : cluster.nodes()) {
            node.kill();
        }
        cluster.start();
        assertTrue(cluster.term() < term + 100);
        new Bystander("term::n").end();
    }

    /** With TLS it has a certificate of the same authority, for the same name. */
    @Test
    void what_a_member_of_another_cluster_sends_is_not_read_and_seldom_logged()
            throws IOException, InterruptedException {
        Bystander bystander = new Bystander("forged::n");
        long term = cluster.term();
        for (NodeProcess node : cluster.nodes()) {
            NodeProcess other = cluster.others(node).get(0);
            long foreignId = 1 + Long.parseUnsignedLong(node.status().get("clusterId"), 16);
            for (byte[] forged : forged(other, node, term + 1)) {
                for (Hello.Builder hello : List.of(
                        hello("shop", other, node), hello("dshm", other, node).setClusterId(foreignId))) {
                    assertFalse(answers(node, frame(hello), forged));
                    assertFalse(answers(node, frame(hello.setCalls(1)), QUESTION, forged));
                }
            }
        }
        assertEquals(term, cluster.term());
        bystander.end();
        cluster.assertEqualDigests();
        for (NodeProcess node : cluster.nodes()) {
            // All tests of this class send a lot that is refused.
            assertSeldomLogged(node, "forwarding port: refused");
        }
    }

    /** What changes a node if it is believed. */
    private static List<byte[]> forged(NodeProcess from, NodeProcess to, long term) {
        RequestVoteRequest vote = RequestVoteRequest.newBuilder()
                .setGroupId(GROUP)
                .setServerId(raftAddress(from))
                .setPeerId(raftAddress(to))
                .setTerm(term)
                .setLastLogIndex(Long.MAX_VALUE)
                .setLastLogTerm(term)
                .setPreVote(false)
                .build();
        AppendEntriesRequest append = AppendEntriesRequest.newBuilder()
                .setGroupId(GROUP)
                .setServerId(raftAddress(from))
                .setPeerId(raftAddress(to))
                .setTerm(term)
                .setPrevLogTerm(0)
                .setPrevLogIndex(0)
                .setCommittedIndex(Long.MAX_VALUE)
                .setData(ByteString.EMPTY)
                .build();
        InstallSnapshotRequest install = InstallSnapshotRequest.newBuilder()
                .setGroupId(GROUP)
                .setServerId(raftAddress(from))
                .setPeerId(raftAddress(to))
                .setTerm(term)
                .setMeta(SnapshotMeta.newBuilder()
                        .setLastIncludedIndex(Long.MAX_VALUE)
                        .setLastIncludedTerm(term))
                .setUri("remote://" + raftAddress(from) + "/1")
                .build();
        TimeoutNowRequest takeOver = TimeoutNowRequest.newBuilder()
                .setGroupId(GROUP)
                .setServerId(raftAddress(from))
                .setPeerId(raftAddress(to))
                .setTerm(term)
                .build();
        byte[] forward = frame(PeerMessage.newBuilder()
                .setForward(Forward.newBuilder()
                        .setTerm(term)
                        .addRecords(CommandRecord.newBuilder().setOrigin(1).setSequence(1)))
                .build());
        return List.of(
                forward,
                call(REQUEST_VOTE, vote.toByteArray()),
                call(APPEND_ENTRIES, append.toByteArray()),
                call(INSTALL_SNAPSHOT, install.toByteArray()),
                call(TIMEOUT_NOW, takeOver.toByteArray()));
    }

    private static byte[] call(byte kind, byte[] content) {
        return ByteBuffer.allocate(9 + content.length)
                .putInt(5 + content.length)
                .put(kind)
                .putInt(7)
                .put(content)
                .array();
    }

    /** There are lines with these words, and no two of them of the same half second. */
    static void assertSeldomLogged(NodeProcess node, String words) throws IOException {
        List<LocalDateTime> times = node.log()
                .lines()
                .filter(line -> line.contains(words))
                .map(line -> LocalDateTime.parse(line.substring(0, 23).replace(' ', 'T')))
                .toList();
        assertFalse(times.isEmpty());
        for (int i = 1; i < times.size(); i++) {
            assertTrue(Duration.between(times.get(i - 1), times.get(i)).toMillis() > 500, times::toString);
        }
    }

    @Test
    void only_another_member_is_answered_on_the_forwarding_port() throws IOException {
        for (NodeProcess node : cluster.nodes()) {
            NodeProcess other = cluster.others(node).get(0);
            assertTrue(answers(node, greeting("dshm", other, node), QUESTION));
            assertFalse(answers(node, greeting("shop", other, node), QUESTION), "another cluster's");
            assertFalse(answers(node, greeting("dshm", node, node), QUESTION), "itself");
            assertFalse(answers(node, greeting("dshm", other, other), QUESTION), "not meant");
            assertFalse(answers(node, QUESTION), "no greeting");
        }
    }

    @Test
    void the_raft_port_is_closed_when_all_members_read_format_2() throws IOException, InterruptedException {
        for (NodeProcess node : cluster.nodes()) {
            Await.until(node + " has closed its Raft port", () -> {
                try {
                    new Socket(InetAddress.getLoopbackAddress(), node.raftPort()).close();
                    return false;
                } catch (ConnectException refused) {
                    return true;
                }
            });
        }
    }

    private static boolean answers(NodeProcess node, byte[]... frames) throws IOException {
        try (Socket socket = connect(node)) {
            for (byte[] frame : frames) {
                socket.getOutputStream().write(frame);
            }
            return socket.getInputStream().read() >= 0;
        } catch (IOException reset) {
            return false;
        }
    }

    private static byte[] greeting(String cluster, NodeProcess from, NodeProcess to) {
        return frame(hello(cluster, from, to));
    }

    private static Hello.Builder hello(String cluster, NodeProcess from, NodeProcess to) {
        return Hello.newBuilder().setCluster(cluster).setNode(from.name()).setTo(to.name());
    }

    private static byte[] frame(Hello.Builder hello) {
        return frame(PeerMessage.newBuilder().setHello(hello).build());
    }

    /** The greeting of a connection for calls. */
    private static byte[] greetingForCalls(NodeProcess from, NodeProcess to) {
        byte[] hello = frame(hello("dshm", from, to).setCalls(1));
        return ByteBuffer.allocate(hello.length + QUESTION.length)
                .put(hello)
                .put(QUESTION)
                .array();
    }

    /** The greeting, and a frame that lacks a byte. */
    private static byte[] unfinished(byte[] greeting) {
        int bytes = Limits.PEER_FRAME_BYTES_MAX - 1024;
        return ByteBuffer.allocate(greeting.length + Integer.BYTES + bytes)
                .put(greeting)
                .putInt(bytes + 1)
                .array();
    }

    private static byte[] frame(PeerMessage message) {
        byte[] body = message.toByteArray();
        return ByteBuffer.allocate(Integer.BYTES + body.length)
                .putInt(body.length)
                .put(body)
                .array();
    }

    private static String raftAddress(NodeProcess node) {
        return "127.0.0.1:" + node.raftPort();
    }

    /** To the port between nodes, as another node. */
    private static Socket connect(NodeProcess node) throws IOException {
        return node.connectBareToPeers(cluster.others(node).get(0)).socket();
    }

    private static Socket send(NodeProcess node, byte[] bytes) throws IOException {
        Socket socket = connect(node);
        try {
            socket.getOutputStream().write(bytes);
        } catch (IOException closed) {
            socket.close();
        }
        return socket;
    }

    /** Counts through one node, and must notice nothing; all nodes must live in the end. */
    private static final class Bystander {

        private final Increments increments;

        Bystander(String key) throws IOException, InterruptedException {
            increments = Increments.start(cluster.follower(), key, 2);
            increments.awaitMore(20);
        }

        void end() throws IOException, InterruptedException {
            increments.awaitMore(20);
            assertEquals(List.of(), increments.stop().failures());
            for (NodeProcess node : cluster.nodes()) {
                assertTrue(node.isAlive(), node + " lives");
            }
        }
    }
}
