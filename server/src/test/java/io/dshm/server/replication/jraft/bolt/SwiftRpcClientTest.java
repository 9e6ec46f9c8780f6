package io.dshm.server.replication.jraft.bolt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.fail;

import com.alipay.sofa.jraft.error.InvokeTimeoutException;
import com.alipay.sofa.jraft.error.RemotingException;
import com.alipay.sofa.jraft.option.RpcOptions;
import com.alipay.sofa.jraft.rpc.ProtobufMsgFactory;
import com.alipay.sofa.jraft.rpc.RpcRequests.ErrorResponse;
import com.alipay.sofa.jraft.rpc.RpcRequests.PingRequest;
import com.alipay.sofa.jraft.util.Endpoint;
import io.dshm.server.network.PeerPort;
import io.dshm.server.network.RefusalLog;
import io.dshm.server.replication.jraft.RaftGroup;
import io.dshm.server.system.Await;
import io.dshm.server.system.Ports;
import io.dshm.server.transport.UnansweredCalls;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
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
    private SwiftRpcClient client;

    @BeforeEach
    void create_client() {
        RaftGroup.prepareProcess();
        ProtobufMsgFactory.load();
        client = new SwiftRpcClient(new com.alipay.remoting.rpc.RpcClient());
        client.init(new RpcOptions());
    }

    @AfterEach
    void end() {
        answering.countDown();
        client.shutdown();
        requests.shutdown();
    }

    private BoltPort listen() {
        BoltPort port = new BoltPort(
                new InetSocketAddress(endpoint.getIp(), endpoint.getPort()),
                "test",
                new PeerPort(
                        new PeerPort.Bounds(2, 1, BoltFrames.BOUNDS),
                        address -> true,
                        new RefusalLog("test", System::nanoTime)),
                new UnansweredCalls.Total(100_000),
                requests);
        port.open();
        return port;
    }

    private int ping() throws InterruptedException, RemotingException {
        return ((ErrorResponse) client.invokeSync(endpoint, PING, null, HOUR_MILLIS)).getErrorCode();
    }

    /** A single question may end before the connection stands, on a busy machine. */
    private void awaitAnswer() throws Exception {
        Await.until("an answer", Duration.ofSeconds(30), () -> {
            try {
                return ping() == 0;
            } catch (RemotingException e) {
                return false;
            }
        });
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
        BoltPort server = listen();
        try {
            assertThrows(InvokeTimeoutException.class, this::ping);
            assertThrows(InvokeTimeoutException.class, this::ping);
            answering.countDown();
            awaitAnswer();
            assertEquals(0, ping());
        } finally {
            server.close();
        }
    }

    @Test
    void when_nobody_listens_then_it_fails_and_when_somebody_does_it_is_connected() throws Exception {
        assertThrows(RemotingException.class, this::ping);
        BoltPort server = listen();
        try {
            awaitAnswer();
        } finally {
            server.close();
        }
    }

    @Test
    void when_there_is_no_connection_then_a_request_fails_instead_of_waiting_for_one() {
        assertThrows(
                RemotingException.class,
                () -> client.invokeAsync(endpoint, PING, null, (answer, failure) -> fail("it was sent"), HOUR_MILLIS));
    }
}
