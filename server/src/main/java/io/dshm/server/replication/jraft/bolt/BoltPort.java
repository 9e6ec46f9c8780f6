package io.dshm.server.replication.jraft.bolt;

import com.alipay.remoting.config.BoltServerOption;
import com.alipay.sofa.jraft.rpc.RpcProcessor;
import com.alipay.sofa.jraft.rpc.impl.BoltRpcServer;
import com.alipay.sofa.jraft.rpc.impl.PingRequestProcessor;
import io.dshm.server.network.CannotListenException;
import io.dshm.server.network.PeerPort;
import io.dshm.server.transport.UnansweredCalls;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.List;
import java.util.concurrent.Executor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The Raft port, where nodes of format 1 send their requests: bound to one address (Bolt's own listens on all of them),
 * with a bound on frames and on the requests that wait. Opened at most once. Thread-safe.
 */
public final class BoltPort {

    private static final Logger LOG = LoggerFactory.getLogger(BoltPort.class);

    private final InetSocketAddress address;
    private final String settings;
    private final BoltRpcServer server;
    private volatile boolean open;

    /**
     * A closed one.
     *
     * @param settings which settings have the address, for the message
     * @param admission who may connect
     * @param total what may wait
     * @param requests where requests are handled that have no executor of their own
     */
    public BoltPort(
            InetSocketAddress address,
            String settings,
            PeerPort admission,
            UnansweredCalls.Total total,
            Executor requests) {
        this.address = address;
        this.settings = settings;
        var bolt = new com.alipay.remoting.rpc.RpcServer(address.getHostString(), address.getPort(), true);
        bolt.option(
                BoltServerOption.EXTENDED_NETTY_CHANNEL_HANDLER,
                BoltFrames.before(() -> List.of(
                        admission.guard(BoltFrames.FORMAT), UnansweredRequests.installer(total, System::nanoTime))));
        this.server = new BoltRpcServer(bolt);
        server.registerProcessor(new PingRequestProcessor(requests));
    }

    /** Has those requests handled; before {@link #open} only. */
    public void register(RpcProcessor<?> processor) {
        server.registerProcessor(processor);
    }

    /**
     * Listens.
     *
     * @throws UncheckedIOException if the address cannot be bound
     */
    public synchronized void open() {
        requireFree();
        if (!server.init(null)) {
            throw new UncheckedIOException(new IOException("Bolt does not listen on " + address));
        }
        open = true;
    }

    /** The library does not say why it cannot listen. */
    private void requireFree() {
        try (ServerSocket socket = new ServerSocket()) {
            socket.setReuseAddress(true);
            socket.bind(address);
        } catch (IOException e) {
            throw new UncheckedIOException(new CannotListenException(settings, address, e));
        }
    }

    public boolean isOpen() {
        return open;
    }

    /** The number that it has or would have. */
    public int port() {
        return address.getPort();
    }

    /** Blocks until it is closed. */
    public synchronized void close() {
        if (open) {
            open = false;
            server.shutdown();
            LOG.info("the Raft port {} is closed: all members use the forwarding port", address.getPort());
        }
    }
}
