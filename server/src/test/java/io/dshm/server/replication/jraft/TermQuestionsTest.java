package io.dshm.server.replication.jraft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.alipay.sofa.jraft.Node;
import com.alipay.sofa.jraft.RaftGroupService;
import com.alipay.sofa.jraft.conf.Configuration;
import com.alipay.sofa.jraft.core.StateMachineAdapter;
import com.alipay.sofa.jraft.entity.PeerId;
import com.alipay.sofa.jraft.option.NodeOptions;
import com.alipay.sofa.jraft.rpc.ProtobufMsgFactory;
import com.alipay.sofa.jraft.rpc.RpcClient;
import com.alipay.sofa.jraft.rpc.RpcServer;
import com.alipay.sofa.jraft.util.Endpoint;
import io.dshm.server.network.ClusterMembers;
import io.dshm.server.network.PeerPort;
import io.dshm.server.network.RefusalLog;
import io.dshm.server.replication.jraft.bolt.BoltPort;
import io.dshm.server.replication.jraft.repairs.VoteGuard;
import io.dshm.server.replication.jraft.rpc.MemberNetwork;
import io.dshm.server.replication.jraft.rpc.MemberOptions;
import io.dshm.server.replication.jraft.rpc.MemberRpcClient;
import io.dshm.server.replication.jraft.rpc.MemberRpcServer;
import io.dshm.server.system.Ports;
import io.dshm.server.transport.CallServer;
import io.dshm.server.transport.LoopbackMembers;
import io.dshm.server.transport.PeerCodec;
import io.dshm.server.transport.UnansweredCalls;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Real members of the library's, that lead and follow nobody, with terms on their disks. */
class TermQuestionsTest {

    private static final String GROUP = "terms";
    private static final int NEVER_MILLIS = (int) TimeUnit.HOURS.toMillis(1);

    @TempDir
    Path folder;

    private final ExecutorService requests = Executors.newCachedThreadPool();
    private final PeerId self = new PeerId("127.0.0.1", Ports.free());
    private final Endpoint one = new Endpoint("127.0.0.1", Ports.free());
    private final Endpoint other = new Endpoint("127.0.0.1", Ports.free());
    private final LoopbackMembers members = new LoopbackMembers("self", "one", "other");
    private final List<RaftGroupService> services = new ArrayList<>();

    @BeforeEach
    void prepare() {
        RaftTuning.setProperties();
        ProtobufMsgFactory.load();
    }

    @AfterEach
    void end() throws InterruptedException {
        for (RaftGroupService member : services) {
            member.shutdown();
            member.join();
        }
        members.close();
        requests.shutdown();
    }

    /** A member whose disk holds that term. */
    private TermStorage.Terms start(Endpoint endpoint, long term, boolean mayVote)
            throws IOException, InterruptedException {
        String name = endpoint.equals(one) ? "one" : "other";
        CallServer calls = new CallServer(new UnansweredCalls.Total(100_000), System::nanoTime);
        PeerPort admission = new PeerPort(
                new PeerPort.Bounds(1, 1, PeerCodec.BOUNDS), address -> true, new RefusalLog("test", System::nanoTime));
        TermStorage.Terms terms = new TermStorage.Terms();
        PeerId peer = new PeerId(endpoint, 0);
        Configuration configuration = new Configuration(List.of(self, new PeerId(one, 0), new PeerId(other, 0)));
        RaftGroup.Settings settings = new RaftGroup.Settings(
                "c",
                "n",
                Map.of(),
                new ClusterMembers("n", Map.of()),
                true,
                new MemberNetwork(members.dialer(name), calls),
                "127.0.0.1",
                admission,
                true,
                Files.createDirectories(folder.resolve("" + endpoint.getPort())),
                NEVER_MILLIS,
                0,
                1,
                Long.MAX_VALUE,
                1 << 20);
        Progress progress = Progress.create(settings.folder(), 1);
        DataParts.mark(settings.folder(), 1);
        NodeOptions options = RaftTuning.nodeOptions(
                settings,
                configuration,
                new Nothing(),
                new MemberOptions(members.dialer(name), address -> null, () -> mayVote, bytes -> true, null, () -> 0),
                (path, raft) -> new TermStorage(path, raft, peer, term, terms, progress, Assertions::fail),
                raft -> new SegmentLogStorage(
                        settings.folder().resolve(DataParts.LOG),
                        SegmentLogStorage.settings(
                                1 << 20, 1 << 30, new DiskSpace(folder, 0, 1, () -> Long.MAX_VALUE))));
        BoltPort bolt = new BoltPort(
                new InetSocketAddress(endpoint.getIp(), endpoint.getPort()),
                "test",
                admission,
                new UnansweredCalls.Total(100_000),
                requests);
        RpcServer server = new MemberRpcServer(calls, bolt, () -> false, terms::durable);
        server.registerProcessor(VoteGuard.votes(requests, () -> mayVote));
        RaftGroupService member = new RaftGroupService(GROUP, peer, options, server);
        Node node = member.start();
        assertFalse(node.isLeader());
        services.add(member);
        members.listen(name, calls);
        return terms;
    }

    private static final class Nothing extends StateMachineAdapter {
        @Override
        public void onApply(com.alipay.sofa.jraft.Iterator entries) {
            throw new IllegalStateException("nothing is ever committed");
        }
    }

    private CompletableFuture<Long> ask(BlockingQueue<List<String>> waiting) {
        RpcClient client = new MemberRpcClient();
        client.init(new MemberOptions(
                members.dialer("self"),
                address -> address.equals(one.toString()) ? "one" : "other",
                () -> true,
                bytes -> true,
                null,
                () -> 0));
        TermQuestions questions = new TermQuestions(
                GROUP,
                self.toString(),
                Map.of("one", one, "other", other),
                List.of(new Electorate(Set.of("one", "other"), true)),
                client);
        return CompletableFuture.supplyAsync(
                () -> {
                    try {
                        return questions.ask(TimeUnit.HOURS.toNanos(1), waiting::add);
                    } catch (InterruptedException e) {
                        throw new IllegalStateException(e);
                    }
                },
                requests);
    }

    @Test
    @Timeout(120)
    void it_waits_for_both_others_and_takes_the_highest_term() throws Exception {
        start(one, 7, true);
        BlockingQueue<List<String>> waiting = new LinkedBlockingQueue<>();
        CompletableFuture<Long> term = ask(waiting);
        awaitMissing(waiting, List.of("other"));
        assertFalse(term.isDone());
        TermStorage.Terms terms = start(other, 5, true);
        assertEquals(7, term.get());
        assertEquals(5, terms.durable(), "the question changes nothing");
    }

    @Test
    @Timeout(120)
    void it_does_not_count_a_member_that_has_lost_its_data_itself() throws Exception {
        start(one, 7, true);
        start(other, 9, false);
        BlockingQueue<List<String>> waiting = new LinkedBlockingQueue<>();
        CompletableFuture<Long> term = ask(waiting);
        awaitMissing(waiting, List.of("other"));
        awaitMissing(waiting, List.of("other"));
        assertFalse(term.isDone());
        RaftGroupService restored = services.remove(1);
        restored.shutdown();
        restored.join();
        start(other, 0, true);
        assertEquals(9, term.get());
        assertTrue(term.isDone());
    }

    private static void awaitMissing(BlockingQueue<List<String>> waiting, List<String> expected)
            throws InterruptedException {
        List<String> missing;
        do {
            missing = waiting.take();
        } while (!missing.equals(expected));
    }
}
