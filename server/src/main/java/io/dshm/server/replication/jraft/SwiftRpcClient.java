package io.dshm.server.replication.jraft;

import com.alipay.remoting.ExtendedNettyChannelHandler;
import com.alipay.remoting.config.BoltClientOption;
import com.alipay.remoting.rpc.RpcClient;
import com.alipay.sofa.jraft.error.InvokeTimeoutException;
import com.alipay.sofa.jraft.error.RemotingException;
import com.alipay.sofa.jraft.rpc.InvokeCallback;
import com.alipay.sofa.jraft.rpc.InvokeContext;
import com.alipay.sofa.jraft.rpc.impl.BoltRpcClient;
import com.alipay.sofa.jraft.util.Endpoint;
import com.alipay.sofa.jraft.util.NamedThreadFactory;
import io.dshm.server.network.PeerSockets;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerAdapter;
import io.netty.channel.ChannelHandlerContext;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Bolt's client, but whoever calls it does not wait for a machine that does not answer.
 *
 * <p>SOFAJRaft connects to all members before it asks for their votes, before it counts them, and again as a leader, and
 * holds the lock of the Raft node meanwhile. A machine without power, or behind a cut, answers a connect with nothing, and
 * each of these steps would take a second or two in which this node neither votes nor leads. So connections are made in
 * the background; a caller waits for a moment, and goes on without that member for this time. And a connection on which
 * the other side acknowledges nothing ends soon, so that a new one finds it as soon as it is back.
 */
final class SwiftRpcClient extends BoltRpcClient {

    /** A machine that is there takes so long at most, even when both sides have only just started. */
    private static final long WAIT_MILLIS = 150;

    private final ExecutorService connecting =
            Executors.newCachedThreadPool(new NamedThreadFactory("dshm-raft-connect-", true));

    /** For each machine the last attempt, which may be under way. */
    private final Map<Endpoint, CompletableFuture<Object>> attempts = new ConcurrentHashMap<>();

    /** Those that were waited for in vain, and have not answered since. */
    private final Set<Endpoint> silent = ConcurrentHashMap.newKeySet();

    SwiftRpcClient(RpcClient client) {
        super(client);
        client.option(BoltClientOption.EXTENDED_NETTY_CHANNEL_HANDLER, new SocketSettings());
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
        CompletableFuture<Object> attempt = attempts.compute(
                endpoint,
                (key, last) -> last == null || last.isDone() ? begin(key, ping, context, timeoutMillis) : last);
        try {
            return attempt.get(silent.contains(endpoint) ? 0 : WAIT_MILLIS, TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            silent.add(endpoint);
            throw new InvokeTimeoutException("no answer from " + endpoint + " yet");
        } catch (ExecutionException e) {
            throw new RemotingException(e.getCause());
        }
    }

    private CompletableFuture<Object> begin(
            Endpoint endpoint, Object ping, @Nullable InvokeContext context, long timeoutMillis) {
        return CompletableFuture.supplyAsync(
                () -> {
                    try {
                        Object answer = super.invokeSync(endpoint, ping, context, timeoutMillis);
                        silent.remove(endpoint);
                        return answer;
                    } catch (RemotingException | InterruptedException e) {
                        throw new CompletionException(e);
                    }
                },
                connecting);
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

    /** The library lets others add handlers to a connection, and nothing else. */
    private static final class SocketSettings implements ExtendedNettyChannelHandler {

        @Override
        public List<ChannelHandler> frontChannelHandlers() {
            return List.of(new ChannelHandlerAdapter() {
                @Override
                public void handlerAdded(ChannelHandlerContext context) {
                    PeerSockets.giveUpOnSilence(context.channel());
                }
            });
        }

        @Override
        public List<ChannelHandler> backChannelHandlers() {
            return List.of();
        }
    }
}
