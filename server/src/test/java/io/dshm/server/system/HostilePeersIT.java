package io.dshm.server.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.alipay.sofa.jraft.rpc.RpcRequests.RequestVoteRequest;
import io.dshm.proto.Limits;
import io.dshm.proto.wire.Hello;
import io.dshm.proto.wire.PeerMessage;
import io.dshm.proto.wire.StatusRequest;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.ConnectException;
import java.net.Socket;
import java.nio.ByteBuffer;
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

    /** The number of a request for a vote among the calls. */
    private static final byte REQUEST_VOTE = 2;

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
                        .setGroupId("dshm_dshm")
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
                    byte[] content = vote.toByteArray();
                    socket.getOutputStream()
                            .write(ByteBuffer.allocate(9 + content.length)
                                    .putInt(5 + content.length)
                                    .put(REQUEST_VOTE)
                                    .putInt(7)
                                    .put(content)
                                    .array());
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

    @Test
    void only_another_member_is_answered_on_the_forwarding_port() throws IOException {
        byte[] question = frame(PeerMessage.newBuilder()
                .setStatusRequest(StatusRequest.getDefaultInstance())
                .build());
        for (NodeProcess node : cluster.nodes()) {
            NodeProcess other = cluster.others(node).get(0);
            assertTrue(answers(node, greeting("dshm", other, node), question));
            assertFalse(answers(node, greeting("shop", other, node), question), "another cluster's");
            assertFalse(answers(node, greeting("dshm", node, node), question), "itself");
            assertFalse(answers(node, greeting("dshm", other, other), question), "not meant");
            assertFalse(answers(node, question), "no greeting");
        }
    }

    @Test
    void the_raft_port_is_closed_when_all_members_read_format_2() throws IOException, InterruptedException {
        for (NodeProcess node : cluster.nodes()) {
            Await.until(node + " has closed its Raft port", () -> {
                try {
                    new Socket("127.0.0.1", node.raftPort()).close();
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
        return frame(PeerMessage.newBuilder()
                .setHello(Hello.newBuilder()
                        .setCluster(cluster)
                        .setNode(from.name())
                        .setTo(to.name()))
                .build());
    }

    /** The greeting of a connection for calls. */
    private static byte[] greetingForCalls(NodeProcess from, NodeProcess to) {
        byte[] hello = frame(PeerMessage.newBuilder()
                .setHello(Hello.newBuilder()
                        .setCluster("dshm")
                        .setNode(from.name())
                        .setTo(to.name())
                        .setCalls(1))
                .build());
        byte[] question = frame(PeerMessage.newBuilder()
                .setStatusRequest(StatusRequest.getDefaultInstance())
                .build());
        return ByteBuffer.allocate(hello.length + question.length)
                .put(hello)
                .put(question)
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
