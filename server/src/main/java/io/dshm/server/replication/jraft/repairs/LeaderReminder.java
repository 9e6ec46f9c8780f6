package io.dshm.server.replication.jraft.repairs;

import com.alipay.sofa.jraft.error.RaftError;
import com.alipay.sofa.jraft.rpc.RaftServerService;
import com.alipay.sofa.jraft.rpc.RpcRequestClosure;
import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesResponse;
import com.alipay.sofa.jraft.rpc.RpcRequests.InstallSnapshotRequest;
import com.alipay.sofa.jraft.rpc.impl.core.InstallSnapshotRequestProcessor;
import com.alipay.sofa.jraft.util.RpcFactoryHelper;
import com.google.protobuf.Message;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes a leader send log entries to this node again.
 *
 * <p>A leader of SOFAJRaft whose entries are refused while it is sending a snapshot forgets that snapshot's answer, and
 * goes on to believe that it is being sent: it sends heartbeats to that node, and nothing else, until somebody else
 * leads. So a node that hears of commits which it lacks, and gets neither entries nor a snapshot, answers two
 * heartbeats in ways that make the leader look: the first one by an error, after which it takes nothing for being under
 * way, the second one by telling where this node's log ends, after which it begins again from there. Thread-safe.
 */
public final class LeaderReminder {

    private static final Logger LOG = LoggerFactory.getLogger(LeaderReminder.class);

    /** How long nothing may come: a working leader sends more as soon as it has the answer to the last request. */
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final LongSupplier nanoTime;

    private final AtomicInteger installing = new AtomicInteger();
    private volatile long lastNanos;

    /** Which {@link #lastNanos} the leader was told about by an error. */
    private volatile long doubtedNanos;

    /** One that has just heard of a leader; {@code nanoTime} is the machine's monotonic clock. */
    public LeaderReminder(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
        this.lastNanos = nanoTime.getAsLong();
        this.doubtedNanos = lastNanos - 1;
    }

    /** Entries have come, or a question for where the log ends. */
    void onEntries() {
        lastNanos = nanoTime.getAsLong();
    }

    /** Accepts snapshots, unless they differ from what is applied, and remembers that one is being installed. */
    public InstallSnapshotRequestProcessor snapshots(Executor executor, Difference difference) {
        return new InstallSnapshotRequestProcessor(executor) {
            @Override
            public Message processRequest0(
                    RaftServerService service, InstallSnapshotRequest request, RpcRequestClosure done) {
                difference.check(request);
                onInstalling(1);
                try {
                    // Returns when the snapshot is copied.
                    return super.processRequest0(service, request, done);
                } finally {
                    onInstalling(-1);
                }
            }
        };
    }

    void onInstalling(int difference) {
        installing.addAndGet(difference);
        onEntries();
    }

    /** What to answer to that heartbeat, or null for the usual. */
    @Nullable
    Message answer(AppendEntriesRequest heartbeat, long lastLogIndex) {
        long last = lastNanos;
        if (installing.get() > 0
                || heartbeat.getCommittedIndex() <= lastLogIndex
                || nanoTime.getAsLong() - last < PATIENCE_NANOS) {
            return null;
        }
        if (doubtedNanos != last) {
            doubtedNanos = last;
            LOG.info(
                    "nothing comes behind index {}, while {} is committed: the leader is reminded",
                    lastLogIndex,
                    heartbeat.getCommittedIndex());
            return RpcFactoryHelper.responseFactory()
                    .newResponse(
                            AppendEntriesResponse.getDefaultInstance(),
                            RaftError.EAGAIN,
                            "nothing has come since index %d",
                            lastLogIndex);
        }
        onEntries();
        return AppendEntriesResponse.newBuilder()
                .setTerm(heartbeat.getTerm())
                .setSuccess(false)
                .setLastLogIndex(lastLogIndex)
                .build();
    }
}
