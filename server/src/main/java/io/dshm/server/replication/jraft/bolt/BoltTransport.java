package io.dshm.server.replication.jraft.bolt;

import com.alipay.remoting.CustomSerializerManager;
import com.alipay.remoting.rpc.RpcConfigs;
import com.alipay.remoting.serialization.SerializerManager;
import com.alipay.sofa.jraft.ReplicatorGroup;
import com.alipay.sofa.jraft.option.RpcOptions;
import com.alipay.sofa.jraft.rpc.ProtobufSerializer;
import com.alipay.sofa.jraft.rpc.RpcClient;
import io.dshm.proto.Limits;
import org.jspecify.annotations.Nullable;

/** What is Bolt's in the whole process. */
public final class BoltTransport {

    static {
        SerializerManager.addSerializer(SerializerManager.Hessian2, new RefusingSerializer());
    }

    private BoltTransport() {}

    /** To be called before any class of Bolt is loaded. */
    public static void setProperties() {
        System.setProperty("sofa.middleware.log.disable", "true");
        System.setProperty("sofa.middleware.log.internal.level", "ERROR");
        long writeBuffer = Math.min(Limits.RAFT_UNSENT_BYTES_MAX, Limits.processMemoryBytes() / 8);
        System.setProperty("bolt.channel_write_buf_low_water_mark", String.valueOf(writeBuffer / 2));
        System.setProperty("bolt.channel_write_buf_high_water_mark", String.valueOf(writeBuffer));
        // Requests of one connection are handled in their order.
        System.setProperty(RpcConfigs.DISPATCH_MSG_LIST_IN_DEFAULT_EXECUTOR, "false");
    }

    /** Has messages of that class sent as protobuf. */
    public static void registerMessage(String className) {
        CustomSerializerManager.registerCustomSerializer(className, ProtobufSerializer.INSTANCE);
    }

    /**
     * A client, initialized.
     *
     * @param replicators are told when a member is there again
     */
    public static RpcClient newClient(RpcOptions options, @Nullable ReplicatorGroup replicators) {
        RpcClient client = new SwiftRpcClient(new com.alipay.remoting.rpc.RpcClient());
        if (replicators != null) {
            client.registerConnectEventListener(replicators);
        }
        client.init(options);
        return client;
    }
}
