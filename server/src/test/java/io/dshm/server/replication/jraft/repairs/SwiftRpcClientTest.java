package io.dshm.server.replication.jraft.repairs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.alipay.sofa.jraft.error.InvokeTimeoutException;
import com.alipay.sofa.jraft.error.RemotingException;
import com.alipay.sofa.jraft.rpc.InvokeCallback;
import com.alipay.sofa.jraft.rpc.ProtobufMsgFactory;
import com.alipay.sofa.jraft.rpc.RpcRequests.ErrorResponse;
import com.alipay.sofa.jraft.rpc.RpcRequests.PingRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.RequestVoteRequest;
import com.alipay.sofa.jraft.rpc.RpcServer;
import com.alipay.sofa.jraft.rpc.impl.PingRequestProcessor;
import com.alipay.sofa.jraft.util.Endpoint;
import io.dshm.server.network.RefusalLog;
import io.dshm.server.replication.jraft.BoundRpcFactory;
import io.dshm.server.replication.jraft.RaftGroup;
import io.dshm.server.system.Await;
import io.dshm.server.system.Ports;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class SwiftRpcClientTest {

    /** What the library would wait for a silent machine; longer than the test may take. */
    private static final long HOUR_MILLIS = TimeUnit.HOURS.toMillis(1);

    private static final PingRequest PING =
            PingRequest.newBuilder().setSendTimestamp(1).build();

    private final Endpoint endpoint = new Endpoint("127.0.0.1", Ports.free());
    private final ExecutorService requests = Executors.newSingleThreadExecutor();
    private final CountDownLatch answering = new CountDownLatch(1);
    private final AtomicBoolean mayVote = new AtomicBoolean(true);
    private SwiftRpcClient client;

    @BeforeEach
    void create_client() {
        RaftGroup.prepareProcess();
        ProtobufMsgFactory.load();
        client = new SwiftRpcClient(new com.alipay.remoting.rpc.RpcClient());
        MemberGuard guard = new MemberGuard(
                "g", "h1:1", Set.of("h2:1"), leader -> null, () -> 1, new RefusalLog("test", System::nanoTime));
        client.init(new VoteGuard.Options(mayVote::get, guard));
    }

    @AfterEach
    void end() {
        answering.countDown();
        client.shutdown();
        requests.shutdown();
    }

    private RpcServer listen() {
        RpcServer server = new BoundRpcFactory().createRpcServer(endpoint, null);
        server.registerProcessor(new PingRequestProcessor(requests));
        assertTrue(server.init(null));
        return server;
    }

    private int ping() throws InterruptedException, RemotingException {
        return ((ErrorResponse) client.invokeSync(endpoint, PING, null, HOUR_MILLIS)).getErrorCode();
    }

    @Test
    @Timeout(60)
    void when_a_machine_does_not_answer_then_nobody_waits_for_it_and_when_it_does_it_is_connected() throws Exception {
        requests.execute(() -> {
            try {
                answering.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        RpcServer server = listen();
        try {
            assertThrows(InvokeTimeoutException.class, this::ping);
            assertThrows(InvokeTimeoutException.class, this::ping);
            answering.countDown();
            Await.until("an answer", Duration.ofSeconds(30), () -> {
                try {
                    return ping() == 0;
                } catch (RemotingException e) {
                    return false;
                }
            });
            assertEquals(0, ping());
        } finally {
            server.shutdown();
        }
    }

    @Test
    void when_nobody_listens_then_it_fails_and_when_somebody_does_it_is_connected_at_once() throws Exception {
        assertThrows(RemotingException.class, this::ping);
        RpcServer server = listen();
        try {
            assertEquals(0, ping());
        } finally {
            server.shutdown();
        }
    }

    @Test
    void while_a_node_may_not_vote_it_asks_for_no_vote_either() throws Exception {
        mayVote.set(false);
        RpcServer server = listen();
        try {
            Await.until("connected", Duration.ofSeconds(30), () -> client.checkConnection(endpoint, true));
            RequestVoteRequest request = RequestVoteRequest.getDefaultInstance();
            InvokeCallback ignored = (answer, failure) -> {};
            assertThrows(
                    RemotingException.class, () -> client.invokeAsync(endpoint, request, null, ignored, HOUR_MILLIS));
            mayVote.set(true);
            client.invokeAsync(endpoint, request, null, ignored, HOUR_MILLIS);
        } finally {
            server.shutdown();
        }
    }

    @Test
    void when_there_is_no_connection_then_a_request_fails_instead_of_waiting_for_one() {
        assertThrows(
                RemotingException.class,
                () -> client.invokeAsync(endpoint, PING, null, (answer, failure) -> fail("it was sent"), HOUR_MILLIS));
    }
}
