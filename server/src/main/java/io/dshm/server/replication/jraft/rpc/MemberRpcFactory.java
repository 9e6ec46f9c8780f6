package io.dshm.server.replication.jraft.rpc;

import com.alipay.sofa.jraft.rpc.RaftRpcFactory;
import com.alipay.sofa.jraft.rpc.RpcClient;
import com.alipay.sofa.jraft.rpc.RpcServer;
import com.alipay.sofa.jraft.util.Endpoint;
import com.alipay.sofa.jraft.util.SPI;
import io.dshm.server.replication.jraft.bolt.BoltTransport;
import org.jspecify.annotations.Nullable;

/**
 * The transport between this project's nodes as SOFAJRaft's. Found by SOFAJRaft through {@code META-INF/services}; the
 * priority puts it before Bolt.
 */
@SPI(priority = 10)
public final class MemberRpcFactory implements RaftRpcFactory {

    @Override
    public void registerProtobufSerializer(String className, Object... args) {
        BoltTransport.registerMessage(className);
    }

    @Override
    public RpcClient createRpcClient(@Nullable ConfigHelper<RpcClient> helper) {
        RpcClient client = new MemberRpcClient();
        if (helper != null) {
            helper.config(client);
        }
        return client;
    }

    /** The library never does; a node makes its {@link MemberRpcServer} itself. */
    @Override
    public RpcServer createRpcServer(Endpoint endpoint, @Nullable ConfigHelper<RpcServer> helper) {
        throw new UnsupportedOperationException("the port between nodes is opened before Raft starts");
    }
}
