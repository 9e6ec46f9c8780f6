package io.dshm.server.replication.jraft.rpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.alipay.sofa.jraft.entity.EnumOutter.EntryType;
import com.alipay.sofa.jraft.entity.RaftOutter.EntryMeta;
import com.alipay.sofa.jraft.error.InvokeTimeoutException;
import com.alipay.sofa.jraft.error.RemotingException;
import com.alipay.sofa.jraft.rpc.InvokeCallback;
import com.alipay.sofa.jraft.rpc.ProtobufMsgFactory;
import com.alipay.sofa.jraft.rpc.RpcContext;
import com.alipay.sofa.jraft.rpc.RpcProcessor;
import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesResponse;
import com.alipay.sofa.jraft.rpc.RpcRequests.ErrorResponse;
import com.alipay.sofa.jraft.rpc.RpcRequests.GetFileRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.PingRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.RequestVoteRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.RequestVoteResponse;
import com.alipay.sofa.jraft.util.Endpoint;
import com.google.protobuf.ByteString;
import io.dshm.proto.Limits;
import io.dshm.server.network.FrameGuard;
import io.dshm.server.network.PeerPort;
import io.dshm.server.network.RefusalLog;
import io.dshm.server.replication.jraft.RaftGroup;
import io.dshm.server.replication.jraft.bolt.BoltPort;
import io.dshm.server.replication.jraft.repairs.MemberGuard;
import io.dshm.server.system.Await;
import io.dshm.server.system.Ports;
import io.dshm.server.transport.CallServer;
import io.dshm.server.transport.LoopbackMembers;
import io.dshm.server.transport.UnansweredCalls;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Raft's requests between two members, over real connections. */
@Timeout(120)
class MemberRpcClientTest {

    /** The follower's. */
    private static final long TERM = 1;

    /** Longer than a test may take. */
    private static final long HOUR_MILLIS = TimeUnit.HOURS.toMillis(1);

    private static final PingRequest PING =
            PingRequest.newBuilder().setSendTimestamp(1).build();

    private final LoopbackMembers members = new LoopbackMembers("n1", "n2");
    private final CallServer calls = new CallServer(new UnansweredCalls.Total(100_000), System::nanoTime);
    private final Endpoint endpoint = new Endpoint("127.0.0.1", Ports.free());
    private volatile @Nullable Thread requestThread;
    private final BlockingQueue<Runnable> waiting = new LinkedBlockingQueue<>();
    private final ExecutorService requests = new ThreadPoolExecutor(1, 1, 0, TimeUnit.SECONDS, waiting, task -> {
        Thread thread = new Thread(task, "requests");
        requestThread = thread;
        return thread;
    });
    private final AtomicBoolean mayVote = new AtomicBoolean(true);
    private final AtomicBoolean mayMeetFormat1 = new AtomicBoolean();
    private final MemberRpcClient client = new MemberRpcClient();

    /** For other members' snapshots. */
    private volatile long roomBytes = Long.MAX_VALUE;

    private final RequestVoteRequest request = RequestVoteRequest.newBuilder()
            .setGroupId("g")
            .setServerId("n1")
            .setPeerId(endpoint.toString())
            .setTerm(3)
            .setLastLogTerm(0)
            .setLastLogIndex(0)
            .setPreVote(false)
            .build();
    private MemberRpcServer server;

    /** The leader's last index. */
    private volatile long lastAppended;

    /** Where the follower has handled each request with entries: by its first index, the name of the thread. */
    private final BlockingQueue<String> handled = new LinkedBlockingQueue<>();

    @BeforeEach
    void create() {
        RaftGroup.prepareProcess();
        ProtobufMsgFactory.load();
        MemberGuard guard = new MemberGuard(
                "g",
                "n1",
                Set.of(endpoint.toString()),
                leader -> null,
                () -> 1,
                new RefusalLog("test", System::nanoTime));
        client.init(new MemberOptions(
                members.dialer("n1"),
                address -> address.equals(endpoint.toString()) ? "n2" : null,
                mayVote::get,
                bytes -> bytes <= roomBytes,
                guard,
                () -> lastAppended));
        PeerPort admission = new PeerPort(
                new PeerPort.Bounds(8, 1, new FrameGuard.Bounds(100_000, 10_000)),
                address -> true,
                new RefusalLog("test", System::nanoTime));
        server = new MemberRpcServer(
                calls,
                new BoltPort(
                        new InetSocketAddress(endpoint.getIp(), endpoint.getPort()),
                        "test",
                        admission,
                        new UnansweredCalls.Total(100_000),
                        requests),
                mayMeetFormat1::get,
                () -> TERM);
        server.registerProcessor(new Voter());
        server.registerProcessor(new Follower());
    }

    /** Answers with the term of the request. */
    private final class Voter implements RpcProcessor<RequestVoteRequest> {

        @Override
        public void handleRequest(RpcContext context, RequestVoteRequest asked) {
            context.sendResponse(RequestVoteResponse.newBuilder()
                    .setTerm(asked.getTerm())
                    .setGranted(true)
                    .build());
        }

        @Override
        public String interest() {
            return RequestVoteRequest.class.getName();
        }

        @Override
        public Executor executor() {
            return requests;
        }
    }

    /** Takes all entries. */
    private final class Follower implements RpcProcessor<AppendEntriesRequest> {

        @Override
        public void handleRequest(RpcContext context, AppendEntriesRequest asked) {
            handled.add(asked.getPrevLogIndex() + 1 + (isRequestThread() ? " handed over" : " at once"));
            context.sendResponse(AppendEntriesResponse.newBuilder()
                    .setTerm(asked.getTerm())
                    .setSuccess(asked.getPrevLogIndex() >= 0)
                    .build());
        }

        @Override
        public String interest() {
            return AppendEntriesRequest.class.getName();
        }

        @Override
        public Executor executor() {
            return requests;
        }
    }

    private boolean isRequestThread() {
        return Thread.currentThread() == requestThread;
    }

    /** Sends one entry; done with whether the answer came on the executor that was asked for. */
    private CompletableFuture<Boolean> append(long term, long index) throws InterruptedException, RemotingException {
        AppendEntriesRequest.Builder append = AppendEntriesRequest.newBuilder()
                .setGroupId("g")
                .setServerId("n1")
                .setPeerId(endpoint.toString())
                .setTerm(term)
                .setPrevLogTerm(0)
                .setPrevLogIndex(index - 1)
                .setCommittedIndex(0);
        if (index > 0) {
            append.addEntries(EntryMeta.newBuilder()
                    .setTerm(term)
                    .setType(EntryType.ENTRY_TYPE_DATA)
                    .setDataLen(0));
        }
        CompletableFuture<Boolean> answered = new CompletableFuture<>();
        client.invokeAsync(
                endpoint,
                append.build(),
                null,
                new InvokeCallback() {
                    @Override
                    public void complete(@Nullable Object answer, @Nullable Throwable failure) {
                        answered.complete(isRequestThread());
                    }

                    @Override
                    public Executor executor() {
                        return requests;
                    }
                },
                HOUR_MILLIS);
        return answered;
    }

    @AfterEach
    void end() throws InterruptedException {
        client.shutdown();
        server.shutdown();
        members.close();
        requests.shutdown();
    }

    private void connect() throws IOException, InterruptedException {
        members.listen("n2", calls);
        server.init(null);
        Await.until("connected", () -> client.checkConnection(endpoint, true));
    }

    private CompletableFuture<Object> ask(RequestVoteRequest asked) throws InterruptedException, RemotingException {
        CompletableFuture<Object> done = new CompletableFuture<>();
        client.invokeAsync(
                endpoint,
                asked,
                null,
                (answer, failure) -> {
                    if (failure == null) {
                        done.complete(answer);
                    } else {
                        done.completeExceptionally(failure);
                    }
                },
                HOUR_MILLIS);
        return done;
    }

    private static long termOf(CompletableFuture<Object> answer) throws InterruptedException, ExecutionException {
        return ((RequestVoteResponse) answer.get()).getTerm();
    }

    @Test
    void a_request_is_answered_over_the_own_transport_and_the_raft_port_stays_closed() throws Exception {
        connect();
        assertEquals(3, termOf(ask(request)));
        Object pong = client.invokeSync(endpoint, PING, null, HOUR_MILLIS);
        assertEquals(0, ((ErrorResponse) pong).getErrorCode());
        assertTrue(Ports.isFree(endpoint.getPort()));
    }

    @Test
    void entries_of_a_known_term_are_handled_on_the_event_loop_and_those_of_a_new_one_are_not() throws Exception {
        connect();
        append(TERM, 1).get();
        append(TERM + 1, 2).get();
        // It is answered a moment before its task is over, and until then the next one would be handed over, too.
        requests.submit(() -> {}).get();
        append(TERM, 3).get();
        assertEquals(List.of("1 at once", "2 handed over", "3 at once"), List.copyOf(handled));
    }

    @Test
    void entries_do_not_overtake_those_that_were_handed_over() throws Exception {
        connect();
        CompletableFuture<Void> idle = new CompletableFuture<>();
        requests.execute(idle::join);
        append(TERM + 1, 1);
        CompletableFuture<Boolean> second = append(TERM, 2);
        Await.until("both wait", () -> waiting.size() == 2);
        idle.complete(null);
        second.get();
        assertEquals(List.of("1 handed over", "2 handed over"), List.copyOf(handled));
    }

    @Test
    void a_leader_hears_on_the_event_loop_of_entries_that_a_follower_has_unless_it_is_far_behind() throws Exception {
        connect();
        lastAppended = 100;
        assertFalse(append(TERM, 100).get());
        assertFalse(append(TERM, 84).get());
        assertTrue(append(TERM, 83).get());
        // Without entries: what the follower says then may have the leader look for where they differ.
        assertTrue(append(TERM, 0).get());
    }

    @Test
    void an_absurd_answer_is_refused() throws Exception {
        connect();
        CompletableFuture<Object> answer =
                ask(request.toBuilder().setTerm(Long.MAX_VALUE).build());
        assertInstanceOf(
                RemotingException.class,
                assertThrows(ExecutionException.class, answer::get).getCause());
    }

    @Test
    void while_a_node_may_not_vote_it_asks_for_no_vote_either() throws Exception {
        connect();
        mayVote.set(false);
        assertThrows(RemotingException.class, () -> ask(request));
        mayVote.set(true);
        assertEquals(3, termOf(ask(request)));
    }

    @Test
    void a_piece_of_a_snapshot_for_which_there_is_no_room_is_not_asked_for() throws Exception {
        connect();
        roomBytes = 99;
        GetFileRequest file = GetFileRequest.newBuilder()
                .setReaderId(1)
                .setFilename("part")
                .setOffset(0)
                .setCount(100)
                .build();
        Exception why = assertThrows(
                RemotingException.class,
                () -> client.invokeAsync(endpoint, file, null, (answer, failure) -> fail("sent"), HOUR_MILLIS));
        assertTrue(String.valueOf(why.getMessage()).contains("the disk is full"), why::toString);
    }

    @Test
    void the_list_of_a_snapshots_files_needs_the_room_of_one_piece_whatever_the_library_asks_for() throws Exception {
        connect();
        roomBytes = Limits.RAFT_CHUNK_BYTES;
        GetFileRequest list = GetFileRequest.newBuilder()
                .setReaderId(1)
                .setFilename("__raft_snapshot_meta")
                .setOffset(0)
                .setCount(Integer.MAX_VALUE)
                .build();
        client.invokeAsync(endpoint, list, null, (answer, failure) -> {}, HOUR_MILLIS);
        roomBytes = Limits.RAFT_CHUNK_BYTES - 1;
        assertThrows(
                RemotingException.class,
                () -> client.invokeAsync(endpoint, list, null, (answer, failure) -> fail("sent"), HOUR_MILLIS));
    }

    @Test
    void when_a_machine_does_not_answer_then_nobody_waits_for_it_and_when_it_does_it_is_connected() throws Exception {
        // It accepts, and says nothing.
        members.listenSilently("n2");
        assertThrows(InvokeTimeoutException.class, () -> client.invokeSync(endpoint, PING, null, HOUR_MILLIS));
        assertFalse(client.checkConnection(endpoint, true));
        assertThrows(RemotingException.class, () -> ask(request));
        connect();
        assertEquals(3, termOf(ask(request)));
    }

    @Test
    void nobody_but_members_is_called() {
        Endpoint stranger = new Endpoint("127.0.0.1", 1);
        assertFalse(client.checkConnection(stranger, true));
        assertThrows(RemotingException.class, () -> client.invokeSync(stranger, PING, null, HOUR_MILLIS));
        assertThrows(
                RemotingException.class,
                () -> client.invokeAsync(stranger, request, null, (answer, failure) -> fail("sent"), HOUR_MILLIS));
    }

    @Test
    void a_node_of_format_1_is_reached_over_bolt_until_it_has_started_anew() throws Exception {
        CompletableFuture<Void> startsAnew = new CompletableFuture<>();
        members.listenAsFormat1("n2", new ChannelInboundHandlerAdapter() {
            @Override
            public void handlerAdded(ChannelHandlerContext context) {
                startsAnew.thenRun(context::close);
            }
        });
        mayMeetFormat1.set(true);
        server.init(null);
        Await.until("connected", () -> client.checkConnection(endpoint, true));
        assertEquals(3, termOf(ask(request)));
        // The cluster switches.
        mayMeetFormat1.set(false);
        server.closeBoltIfUnneeded();
        Await.until("the Raft port is closed", () -> Ports.isFree(endpoint.getPort()));
        members.listen("n2", calls);
        startsAnew.complete(null);
        Await.until("answered over the own transport", () -> {
            try {
                return termOf(ask(request)) == 3;
            } catch (RemotingException | ExecutionException notYet) {
                return false;
            }
        });
    }

    @Test
    void heartbeats_and_votes_do_not_wait_behind_entries_and_files() {
        AppendEntriesRequest heartbeat = AppendEntriesRequest.getDefaultInstance();
        assertFalse(RaftMessages.isLarge(heartbeat));
        assertFalse(RaftMessages.isLarge(request));
        assertTrue(RaftMessages.isLarge(
                heartbeat.toBuilder().setData(ByteString.EMPTY).buildPartial()));
        assertTrue(RaftMessages.isLarge(GetFileRequest.getDefaultInstance()));
    }
}
