package io.dshm.server.replication.jraft.rpc;

import com.alipay.sofa.jraft.error.RaftError;
import com.alipay.sofa.jraft.rpc.Connection;
import com.alipay.sofa.jraft.rpc.RpcContext;
import com.alipay.sofa.jraft.rpc.RpcProcessor;
import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesRequestHeader;
import com.alipay.sofa.jraft.rpc.RpcServer;
import com.alipay.sofa.jraft.rpc.impl.ConnectionClosedEventListener;
import com.alipay.sofa.jraft.util.RpcFactoryHelper;
import com.google.protobuf.Message;
import com.google.protobuf.MessageLite;
import io.dshm.server.guard.Guard;
import io.dshm.server.replication.jraft.bolt.BoltPort;
import io.dshm.server.transport.CallServer;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Takes the other members' requests: from this project's own transport and, as long as there may be nodes of format 1,
 * from the Raft port, where they come over Bolt. Thread-safe once it is initialized.
 */
public final class MemberRpcServer implements RpcServer {

    private final CallServer calls;
    private final BoltPort bolt;
    private final BooleanSupplier mayMeetFormat1;
    private final LongSupplier ownTerm;
    private final Map<String, RpcProcessor<Message>> processors = new HashMap<>();

    /**
     * Requests with entries that were handed to another thread and are not handled yet: what comes next must not
     * overtake them.
     */
    private final AtomicInteger handedOver = new AtomicInteger();

    private volatile boolean started;

    /**
     * Takes nothing yet.
     *
     * @param mayMeetFormat1 whether the cluster may have members of format 1; once false, always false
     * @param ownTerm this node's term, as it is on the disk; any thread
     */
    public MemberRpcServer(CallServer calls, BoltPort bolt, BooleanSupplier mayMeetFormat1, LongSupplier ownTerm) {
        this.calls = calls;
        this.bolt = bolt;
        this.mayMeetFormat1 = mayMeetFormat1;
        this.ownTerm = ownTerm;
    }

    /** Before {@link #init} only. */
    @Override
    @SuppressWarnings("unchecked") // All of Raft's messages are protobuf.
    public void registerProcessor(RpcProcessor<?> processor) {
        processors.put(processor.interest(), (RpcProcessor<Message>) processor);
        bolt.register(processor);
    }

    /** {@inheritDoc} @throws java.io.UncheckedIOException if the Raft port is needed and cannot be opened */
    @Override
    public boolean init(@Nullable Void nothing) {
        if (mayMeetFormat1.getAsBoolean()) {
            bolt.open();
        }
        calls.open(RaftMessages.INSTANCE, this::onCall);
        started = true;
        return true;
    }

    /** Closes the Raft port if nobody needs it any more. Blocks while it closes; cheap otherwise. */
    public void closeBoltIfUnneeded() {
        if (bolt.isOpen() && !mayMeetFormat1.getAsBoolean()) {
            bolt.close();
        }
    }

    @Override
    public void shutdown() {
        calls.close();
        bolt.close();
        started = false;
    }

    /** On an event loop. */
    private void onCall(CallServer.Call call) {
        MessageLite request = call.request();
        RpcProcessor<Message> processor = processors.get(request.getClass().getName());
        if (processor == null) {
            throw new IllegalArgumentException("no request: " + request.getClass());
        }
        Message message = (Message) request;
        Context context = new Context(call);
        Runnable task = Guard.of("a Raft request", () -> processor.handleRequest(context, message));
        boolean entries = message instanceof AppendEntriesRequest append && append.getEntriesCount() > 0;
        if (entries && isQuick((AppendEntriesRequest) message)) {
            task.run();
            return;
        }
        if (entries) {
            handedOver.incrementAndGet();
        }
        try {
            executorFor(processor, message).execute(() -> {
                try {
                    task.run();
                } finally {
                    if (entries) {
                        handedOver.decrementAndGet();
                    }
                }
            });
        } catch (RejectedExecutionException e) {
            if (entries) {
                handedOver.decrementAndGet();
            }
            context.sendResponse(RpcFactoryHelper.responseFactory()
                    .newResponse(null, RaftError.EBUSY, "this node takes no more requests"));
        }
    }

    /**
     * Whether entries are handled on the event loop, which saves waking a thread for each request. The library then
     * puts them into its queue for the disk. Before the first ones of a term it writes that to the disk, and must not
     * do so here.
     */
    private boolean isQuick(AppendEntriesRequest append) {
        return append.getTerm() == ownTerm.getAsLong() && handedOver.get() == 0;
    }

    private static Executor executorFor(RpcProcessor<Message> processor, Message request) {
        RpcProcessor.ExecutorSelector selector = processor.executorSelector();
        if (selector != null && request instanceof AppendEntriesRequest append) {
            AppendEntriesRequestHeader header = AppendEntriesRequestHeader.newBuilder()
                    .setGroupId(append.getGroupId())
                    .setPeerId(append.getPeerId())
                    .setServerId(append.getServerId())
                    .build();
            return selector.select(processor.interest(), header);
        }
        return processor.executor();
    }

    /**
     * {@inheritDoc} Nobody asks for it: the end of a leader's old connection must not end what its new one uses by
     * then.
     */
    @Override
    public void registerConnectionClosedEventListener(ConnectionClosedEventListener listener) {
        throw new UnsupportedOperationException("the end of a connection is told to nobody");
    }

    @Override
    public int boundPort() {
        return bolt.port();
    }

    @Override
    public boolean isStarted() {
        return started;
    }

    /** A request's way back. */
    private record Context(CallServer.Call call) implements RpcContext {

        @Override
        public void sendResponse(Object response) {
            call.answer((MessageLite) response);
        }

        @Override
        public Connection getConnection() {
            return new Attributes(call.connection());
        }

        @Override
        public String getRemoteAddress() {
            return call.remoteAddress();
        }
    }

    /** The connection, as the library sees it. */
    private record Attributes(CallServer.Connection connection) implements Connection {

        @Override
        public @Nullable Object getAttribute(String key) {
            return connection.attributes().get(key);
        }

        @Override
        public void setAttribute(String key, Object value) {
            connection.attributes().put(key, value);
        }

        @Override
        public @Nullable Object setAttributeIfAbsent(String key, Object value) {
            return connection.attributes().putIfAbsent(key, value);
        }

        @Override
        public void close() {
            connection.close();
        }
    }
}
