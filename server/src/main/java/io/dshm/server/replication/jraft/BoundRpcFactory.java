package io.dshm.server.replication.jraft;

import com.alipay.remoting.ExtendedNettyChannelHandler;
import com.alipay.remoting.config.BoltServerOption;
import com.alipay.remoting.serialization.SerializerManager;
import com.alipay.sofa.jraft.rpc.RpcClient;
import com.alipay.sofa.jraft.rpc.RpcServer;
import com.alipay.sofa.jraft.rpc.impl.BoltRaftRpcFactory;
import com.alipay.sofa.jraft.rpc.impl.BoltRpcServer;
import com.alipay.sofa.jraft.util.Endpoint;
import com.alipay.sofa.jraft.util.SPI;
import io.dshm.server.replication.jraft.repairs.BoltFrames;
import io.dshm.server.replication.jraft.repairs.SwiftRpcClient;
import io.dshm.server.replication.jraft.repairs.UnansweredRequests;
import io.netty.channel.ChannelHandler;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Bolt as SOFAJRaft's transport, but bound to the address that it is given (the original listens on all of them), with a
 * client that does not wait for silent machines, a bound on the requests that wait, and without Hessian. Found by SOFAJRaft through
 * {@code META-INF/services}; the priority puts it before the original.
 */
@SPI(priority = 10)
public final class BoundRpcFactory extends BoltRaftRpcFactory {

    /** For SOFAJRaft's service loader. */
    public BoundRpcFactory() {
        SerializerManager.addSerializer(SerializerManager.Hessian2, new RefusingSerializer());
    }

    @Override
    public RpcClient createRpcClient(@Nullable ConfigHelper<RpcClient> helper) {
        RpcClient client = new SwiftRpcClient(new com.alipay.remoting.rpc.RpcClient());
        if (helper != null) {
            helper.config(client);
        }
        return client;
    }

    @Override
    public RpcServer createRpcServer(Endpoint endpoint, @Nullable ConfigHelper<RpcServer> helper) {
        var bolt = new com.alipay.remoting.rpc.RpcServer(endpoint.getIp(), endpoint.getPort(), true);
        RpcServer server = new BoltRpcServer(bolt);
        if (helper != null) {
            helper.config(server);
        }
        ExtendedNettyChannelHandler configured = bolt.option(BoltServerOption.EXTENDED_NETTY_CHANNEL_HANDLER);
        UnansweredRequests.Total unanswered =
                UnansweredRequests.Total.ofHeap(Runtime.getRuntime().maxMemory());
        bolt.option(BoltServerOption.EXTENDED_NETTY_CHANNEL_HANDLER, BoltFrames.before(() -> {
            List<ChannelHandler> handlers = new ArrayList<>();
            if (configured != null) {
                handlers.addAll(configured.frontChannelHandlers());
            }
            handlers.add(UnansweredRequests.installer(unanswered, System::nanoTime));
            return handlers;
        }));
        return server;
    }
}
