package io.dshm.server.replication.jraft.bolt;

import com.alipay.remoting.Url;
import com.alipay.remoting.config.BoltClientOption;
import com.alipay.remoting.rpc.RpcAddressParser;
import com.alipay.remoting.rpc.RpcClient;
import com.alipay.sofa.jraft.error.InvokeTimeoutException;
import com.alipay.sofa.jraft.error.RemotingException;
import com.alipay.sofa.jraft.rpc.InvokeCallback;
import com.alipay.sofa.jraft.rpc.InvokeContext;
import com.alipay.sofa.jraft.rpc.RpcRequests.PingRequest;
import com.alipay.sofa.jraft.rpc.impl.BoltRpcClient;
import com.alipay.sofa.jraft.util.Endpoint;
import com.alipay.sofa.jraft.util.NamedThreadFactory;
import com.alipay.sofa.jraft.util.internal.ThrowUtil;
import io.dshm.server.network.FrameGuard;
import io.dshm.server.network.PeerSockets;
import io.netty.channel.ChannelHandlerAdapter;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ConnectTimeoutException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Bolt's client, but its callers do not wait for a machine that does not answer.
 *
 * <p>SOFAJRaft connects to all members before it asks for their votes, before it counts them, and again as a leader,
 * and holds the lock of the Raft node meanwhile. A machine without power, or behind a cut, answers a connect with
 * nothing, and each of these steps would take a second or two in which this node neither votes nor leads. So
 * connections are made in the background; a caller waits for a moment, and goes on without that member for this time.
 * And a connection on which the other side acknowledges nothing ends soon, so that a new one finds it as soon as it is
 * back.
 */
public final class SwiftRpcClient extends BoltRpcClient {

    /** A machine that is up answers within this time, even when both sides have just started. */
    private static final long WAIT_MILLIS = 150;

    /** After which a connect begins anew: what is sent behind a cut is lost, and TCP itself waits longer each time. */
    private static final int CONNECT_MILLIS = 500;

    private static final int PING_MILLIS = 1_000;

    /** For so long after somebody has asked for a connection it is tried again. */
    private static final long WANTED_NANOS = TimeUnit.SECONDS.toNanos(2);

    private final ExecutorService connecting =
            Executors.newCachedThreadPool(new NamedThreadFactory("dshm-raft-connect-", true));

    /** For each machine the last attempt, which may be under way. */
    private final Map<Endpoint, Attempt> attempts = new ConcurrentHashMap<>();

    /** Those that were waited for in vain, and have not answered since. */
    private final Set<Endpoint> silent = ConcurrentHashMap.newKeySet();

    public SwiftRpcClient(RpcClient client) {
        super(client);
        client.option(
                BoltClientOption.EXTENDED_NETTY_CHANNEL_HANDLER,
                BoltFrames.before(() ->
                        List.of(new SocketSettings(), FrameGuard.forAnswers(BoltFrames.FORMAT, BoltFrames.BOUNDS))));
        client.setAddressParser(new RpcAddressParser() {
            @Override
            public void initUrlArgs(Url url) {
                super.initUrlArgs(url);
                url.setConnectTimeout(CONNECT_MILLIS);
            }
        });
    }

    @Override
    public void shutdown() {
        connecting.shutdown();
        super.shutdown();
    }

    /** The library does this in order to connect, and for nothing else: the request is a ping. */
    @Override
    public Object invokeSync(Endpoint endpoint, Object ping, @Nullable InvokeContext context, long timeoutMillis)
            throws InterruptedException, RemotingException {
        Attempt attempt = connect(endpoint);
        try {
            return attempt.answer.get(silent.contains(endpoint) ? 0 : WAIT_MILLIS, TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            silent.add(endpoint);
            throw new InvokeTimeoutException("no answer from " + endpoint + " yet");
        } catch (ExecutionException e) {
            throw new RemotingException(e.getCause());
        }
    }

    @Override
    public boolean checkConnection(Endpoint endpoint, boolean createIfAbsent) {
        boolean connected = checkConnection(endpoint);
        if (!connected && createIfAbsent) {
            connect(endpoint);
        }
        return connected;
    }

    /** Has a connection made, unless that is under way. */
    private Attempt connect(Endpoint endpoint) {
        Attempt attempt = attempts.compute(endpoint, (key, last) -> {
            if (last != null && !last.answer.isDone()) {
                return last;
            }
            Attempt begun = new Attempt(key);
            connecting.execute(begun);
            return begun;
        });
        attempt.wantedNanos = System.nanoTime();
        return attempt;
    }

    /** Fails if there is no connection yet, instead of waiting for one. */
    @Override
    public void invokeAsync(
            Endpoint endpoint,
            Object request,
            @Nullable InvokeContext context,
            InvokeCallback callback,
            long timeoutMillis)
            throws InterruptedException, RemotingException {
        if (!checkConnection(endpoint, true)) {
            throw new RemotingException("not connected to " + endpoint + " yet");
        }
        super.invokeAsync(endpoint, request, context, callback, timeoutMillis);
    }

    /** To connect to one machine, for as long as somebody asks for it. */
    private final class Attempt implements Runnable {

        private final Endpoint endpoint;
        private final CompletableFuture<Object> answer = new CompletableFuture<>();

        /** When somebody has asked for it last. */
        private volatile long wantedNanos = System.nanoTime();

        Attempt(Endpoint endpoint) {
            this.endpoint = endpoint;
        }

        @Override
        public void run() {
            while (!answer.isDone()) {
                try {
                    Object received = getRpcClient().invokeSync(endpoint.toString(), ping(), PING_MILLIS);
                    silent.remove(endpoint);
                    answer.complete(received);
                } catch (com.alipay.remoting.exception.RemotingException | InterruptedException | RuntimeException e) {
                    boolean unheard = ThrowUtil.getRootCause(e) instanceof ConnectTimeoutException;
                    if (!unheard || System.nanoTime() - wantedNanos > WANTED_NANOS) {
                        answer.completeExceptionally(e);
                    }
                }
            }
        }

        private PingRequest ping() {
            return PingRequest.newBuilder()
                    .setSendTimestamp(System.currentTimeMillis())
                    .build();
        }
    }

    /** Not a handler of anything: it is there when the connection is made. */
    private static final class SocketSettings extends ChannelHandlerAdapter {
        @Override
        public void handlerAdded(ChannelHandlerContext context) {
            PeerSockets.giveUpOnSilence(context.channel());
        }
    }
}
