package io.dshm.server.replication.jraft;

import com.alipay.sofa.jraft.Node;
import com.alipay.sofa.jraft.Status;
import com.alipay.sofa.jraft.closure.ReadIndexClosure;
import com.alipay.sofa.jraft.entity.PeerId;
import com.alipay.sofa.jraft.error.RaftError;
import com.alipay.sofa.jraft.option.ReadOnlyOption;
import com.alipay.sofa.jraft.rpc.RaftServerService;
import com.alipay.sofa.jraft.rpc.RpcRequests.ReadIndexRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.ReadIndexResponse;
import com.alipay.sofa.jraft.rpc.RpcResponseClosureAdapter;
import io.dshm.server.guard.Guard;
import io.dshm.server.replication.contracts.RaftLog.ReadIndexListener;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Questions for the commit index, for which the leader makes a round of heartbeats. Thread-safe. */
final class Rounds {

    private static final Logger LOG = LoggerFactory.getLogger(Rounds.class);

    /** How long a question may take. */
    private static final int READ_INDEX_MILLIS = 2_000;

    /** The library's own time-out for it would tell a failure twice, and starts one of the timers that never rest. */
    private static final int NO_TIMEOUT = -1;

    private final Supplier<Node> node;
    private final ScheduledExecutorService timer;

    /** @param node throws IllegalStateException before it runs */
    Rounds(Supplier<Node> node, ScheduledExecutorService timer) {
        this.node = node;
        this.timer = timer;
    }

    /** See {@link io.dshm.server.replication.contracts.RaftLog#readIndex}. */
    void readIndex(ReadIndexListener listener) {
        AtomicBoolean told = new AtomicBoolean();
        Consumer<Status> once = status -> {
            if (!told.compareAndSet(false, true)) {
                return;
            }
            if (status.isOk()) {
                listener.confirmed();
            } else {
                listener.failed(String.valueOf(status));
            }
        };
        Future<?> timeout = timer.schedule(
                Guard.of(
                        "the time-out of a round",
                        () -> once.accept(new Status(RaftError.ETIMEDOUT, "no answer in time"))),
                READ_INDEX_MILLIS,
                TimeUnit.MILLISECONDS);
        try {
            node.get().readIndex(ReadOnlyOption.ReadOnlySafe, new byte[0], new ReadIndexClosure(NO_TIMEOUT) {
                @Override
                public void run(Status status, long index, byte @Nullable [] context) {
                    timeout.cancel(false);
                    once.accept(status);
                }
            });
        } catch (IllegalStateException e) {
            once.accept(new Status(-1, "%s", e.getMessage()));
        }
    }

    /** Makes the leader, which this node is, send heartbeats: by a question whose answer does not matter. */
    void sendHeartbeats(String groupId, PeerId self) {
        if (node.get() instanceof RaftServerService leader) {
            ReadIndexRequest question = ReadIndexRequest.newBuilder()
                    .setGroupId(groupId)
                    .setServerId(self.toString())
                    .build();
            leader.handleReadIndexRequest(question, new RpcResponseClosureAdapter<ReadIndexResponse>() {
                @Override
                public void run(Status status) {
                    LOG.trace("followers were told of a commit: {}", status);
                }
            });
        }
    }
}
