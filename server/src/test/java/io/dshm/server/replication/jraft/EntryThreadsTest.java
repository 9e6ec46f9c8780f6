package io.dshm.server.replication.jraft;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.alipay.sofa.jraft.Iterator;
import com.alipay.sofa.jraft.Node;
import com.alipay.sofa.jraft.RaftGroupService;
import com.alipay.sofa.jraft.Status;
import com.alipay.sofa.jraft.conf.Configuration;
import com.alipay.sofa.jraft.core.StateMachineAdapter;
import com.alipay.sofa.jraft.entity.PeerId;
import com.alipay.sofa.jraft.entity.Task;
import com.alipay.sofa.jraft.option.NodeOptions;
import com.alipay.sofa.jraft.rpc.ProtobufMsgFactory;
import com.alipay.sofa.jraft.rpc.RpcContext;
import com.alipay.sofa.jraft.rpc.RpcProcessor;
import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesRequest;
import com.alipay.sofa.jraft.util.ThreadPoolsFactory;
import io.dshm.server.network.ClusterMembers;
import io.dshm.server.network.RefusalLog;
import io.dshm.server.replication.jraft.bolt.BoltPort;
import io.dshm.server.replication.jraft.repairs.AppendRequests;
import io.dshm.server.replication.jraft.repairs.AppliedTerms;
import io.dshm.server.replication.jraft.repairs.ClosurePool;
import io.dshm.server.replication.jraft.repairs.Difference;
import io.dshm.server.replication.jraft.repairs.LeaderReminder;
import io.dshm.server.replication.jraft.repairs.MemberGuard;
import io.dshm.server.replication.jraft.repairs.VoteGuard;
import io.dshm.server.replication.jraft.rpc.MemberNetwork;
import io.dshm.server.replication.jraft.rpc.MemberOptions;
import io.dshm.server.replication.jraft.rpc.MemberRpcServer;
import io.dshm.server.system.Await;
import io.dshm.server.system.Ports;
import io.dshm.server.transport.CallServer;
import io.dshm.server.transport.LoopbackMembers;
import io.dshm.server.transport.UnansweredCalls;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Three real members of the library's: which threads an entry passes. It relies on names that the library gives its threads. */
class EntryThreadsTest {

    private static final String GROUP = "threads";
    private static final int ELECTION_MILLIS = 1_000;
    private static final long SNAPSHOT_LOG_BYTES = 1 << 20;
    private static final long LOG_BYTES_MAX = 1 << 30;
    private static final int ENTRIES = 50;

    @TempDir
    Path folder;

    private final ClosurePool closures = new ClosurePool("closures", 2, new LinkedBlockingQueue<>(), Thread::new);
    private final ExecutorService requests = Executors.newCachedThreadPool();

    /** The names of the threads on which entries were taken. */
    private final Queue<String> taking = new ConcurrentLinkedQueue<>();

    private final LoopbackMembers network = new LoopbackMembers("n1", "n2", "n3");
    private final Map<String, PeerId> peers = new TreeMap<>(Map.of(
            "n1", new PeerId("127.0.0.1", Ports.free()),
            "n2", new PeerId("127.0.0.1", Ports.free()),
            "n3", new PeerId("127.0.0.1", Ports.free())));
    private final List<RaftGroupService> services = new ArrayList<>();
    private final List<Node> nodes = new ArrayList<>();

    private void start(String name) throws IOException, InterruptedException {
        PeerId self = Objects.requireNonNull(peers.get(name));
        Set<String> others = peers.values().stream()
                .filter(peer -> !peer.equals(self))
                .map(PeerId::toString)
                .collect(Collectors.toSet());
        CallServer calls = new CallServer(new UnansweredCalls.Total(1 << 20), System::nanoTime);
        RaftGroup.Settings settings = new RaftGroup.Settings(
                "c",
                name,
                Map.of(),
                new ClusterMembers(name, Map.of()),
                true,
                new MemberNetwork(network.dialer(name), calls),
                "127.0.0.1",
                LoopbackMembers.port(),
                true,
                Files.createDirectories(folder.resolve(name)),
                ELECTION_MILLIS,
                0,
                SNAPSHOT_LOG_BYTES,
                LOG_BYTES_MAX,
                0);
        Progress progress = Progress.create(settings.folder(), 1);
        DataParts.mark(settings.folder(), 1);
        TermStorage.Terms terms = new TermStorage.Terms();
        MemberGuard guard = new MemberGuard(
                GROUP,
                self.toString(),
                others,
                leader -> null,
                terms::durable,
                new RefusalLog("test", System::nanoTime));
        int place = nodes.size();
        NodeOptions options = RaftTuning.nodeOptions(
                settings,
                new Configuration(peers.values()),
                new Nothing(),
                new MemberOptions(
                        network.dialer(name),
                        this::nameAt,
                        () -> true,
                        bytes -> true,
                        guard,
                        () -> nodes.get(place).getLastLogIndex()),
                (path, raft) -> new TermStorage(path, raft, self, 0, terms, progress, Assertions::fail),
                raft -> new SegmentLogStorage(
                        settings.folder().resolve(DataParts.LOG),
                        SegmentLogStorage.settings(
                                SNAPSHOT_LOG_BYTES,
                                LOG_BYTES_MAX,
                                new DiskSpace(settings.folder(), 0, 1, () -> Long.MAX_VALUE))));
        MemberRpcServer server = new MemberRpcServer(
                calls,
                new BoltPort(
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), self.getPort()),
                        "test",
                        LoopbackMembers.port(),
                        new UnansweredCalls.Total(1 << 20),
                        requests),
                () -> false,
                terms::durable);
        AppliedTerms applied = new AppliedTerms();
        server.registerProcessor(watched(new AppendRequests(
                requests,
                applied,
                new Difference(applied, terms::durable, Assertions::fail),
                new LeaderReminder(System::nanoTime),
                () -> false)));
        server.registerProcessor(guard.before(VoteGuard.votes(requests, () -> true)));
        network.listen(name, calls);
        RaftGroupService member = new RaftGroupService(GROUP, self, options, server);
        nodes.add(member.start());
        services.add(member);
    }

    private String nameAt(String address) {
        return peers.entrySet().stream()
                .filter(peer -> peer.getValue().toString().equals(address))
                .map(Map.Entry::getKey)
                .findFirst()
                .orElseThrow();
    }

    @AfterEach
    void end() throws InterruptedException {
        for (RaftGroupService member : services) {
            member.shutdown();
            member.join();
        }
        network.close();
        closures.shutdown();
        requests.shutdown();
    }

    private static final class Nothing extends StateMachineAdapter {
        @Override
        public void onApply(Iterator entries) {
            while (entries.hasNext()) {
                if (entries.done() != null) {
                    entries.done().run(Status.OK());
                }
                entries.next();
            }
        }
    }

    /** Proposes one entry after the other until so many are applied. A leader may change on a busy machine. */
    private void propose(int entries) throws InterruptedException {
        int applied = 0;
        while (applied < entries) {
            Await.until("a leader", () -> nodes.stream().anyMatch(Node::isLeader));
            Optional<Node> leader = nodes.stream().filter(Node::isLeader).findFirst();
            if (leader.isPresent()) {
                CompletableFuture<Status> ended = new CompletableFuture<>();
                leader.get().apply(new Task(ByteBuffer.wrap(new byte[100]), ended::complete));
                applied += ended.join().isOk() ? 1 : 0;
            }
        }
    }

    private RpcProcessor<AppendEntriesRequest> watched(RpcProcessor<AppendEntriesRequest> processor) {
        return new RpcProcessor<>() {
            @Override
            public void handleRequest(RpcContext context, AppendEntriesRequest request) {
                if (request.getEntriesCount() > 0) {
                    taking.add(Thread.currentThread().getName());
                }
                processor.handleRequest(context, request);
            }

            @Override
            public String interest() {
                return processor.interest();
            }

            @Override
            public Executor executor() {
                return processor.executor();
            }

            @Override
            public @Nullable ExecutorSelector executorSelector() {
                return processor.executorSelector();
            }
        };
    }

    @Test
    @Timeout(60)
    void an_entry_wakes_no_thread_for_sending_it_and_none_for_taking_it() throws Exception {
        RaftTuning.setProperties();
        ProtobufMsgFactory.load();
        ThreadPoolsFactory.registerThreadPool(GROUP, closures);
        for (String name : peers.keySet()) {
            start(name);
        }
        // The first ones of a term are handed over.
        propose(5);
        long closuresBefore = closures.getTaskCount();
        taking.clear();
        propose(ENTRIES);
        long submitted = closures.getTaskCount() - closuresBefore;
        assertTrue(submitted < ENTRIES / 2, submitted + " tasks for " + ENTRIES + " entries");
        long elsewhere =
                taking.stream().filter(thread -> !thread.startsWith("loopback")).count();
        assertTrue(taking.size() >= ENTRIES, taking::toString);
        assertTrue(elsewhere < ENTRIES / 2, taking::toString);
    }
}
