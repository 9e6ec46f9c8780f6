package io.dshm.server.replication.jraft.repairs;

import com.alipay.sofa.jraft.error.RaftError;
import com.alipay.sofa.jraft.rpc.RpcRequestClosure;
import com.alipay.sofa.jraft.rpc.RpcRequests.ErrorResponse;
import com.alipay.sofa.jraft.rpc.RpcRequests.GetFileRequest;
import com.alipay.sofa.jraft.rpc.impl.core.GetFileRequestProcessor;
import com.google.protobuf.Message;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * When a snapshot is due because of what was written to the log: when that is more than the last snapshot, so that no
 * more is written for snapshots than for the log, and not before it is 64 MiB, so that few are taken. A node that
 * starts then applies a log that is not much longer than what it loads.
 *
 * <p>Not while another node copies one from here: the log is cut off before the snapshot before the last, so two more
 * of them would take away what that node needs next, and under steady writes it would copy one snapshot after the other
 * and never get there. Then the next one waits until the other node has had time to go on by the log, or until the log
 * has become too long.
 */
public final class SnapshotPace {

    /** In which a node that has copied a snapshot loads it, and asks for the log behind it. */
    private static final long GRACE_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** How much longer the log may become meanwhile. */
    private static final int PUT_OFF_FACTOR_MAX = 4;

    private static final long LOG_BYTES_MIN = 64L * 1024 * 1024;

    private final long logBytesMax;
    private final LongSupplier nanoTime;
    private volatile long copiedNanos;
    private long bytesSinceSnapshot;

    /**
     * The pace of a node that has just started.
     *
     * @param logBytesMax a snapshot is due after so much at the latest
     * @param nanoTime the machine's monotonic clock, as {@link System#nanoTime()}
     */
    public SnapshotPace(long logBytesMax, LongSupplier nanoTime) {
        this.logBytesMax = logBytesMax;
        this.nanoTime = nanoTime;
        this.copiedNanos = nanoTime.getAsLong() - GRACE_NANOS;
    }

    /** Hands out pieces of snapshots, and takes notice. */
    public GetFileRequestProcessor copies(Executor executor) {
        return new GetFileRequestProcessor(executor) {
            @Override
            public Message processRequest(GetFileRequest request, RpcRequestClosure done) {
                onCopy();
                return finalIfGone(super.processRequest(request, done));
            }
        };
    }

    /**
     * A snapshot that was deleted never comes back: the node that copies it is told to stop, instead of asking again.
     */
    static Message finalIfGone(Message response) {
        return response instanceof ErrorResponse error && error.getErrorCode() == RaftError.ENOENT.getNumber()
                ? error.toBuilder()
                        .setErrorCode(RaftError.ECANCELED.getNumber())
                        .build()
                : response;
    }

    /** Another node has asked for a piece of a snapshot. Any thread. */
    void onCopy() {
        copiedNanos = nanoTime.getAsLong();
    }

    /**
     * So much more was written; if a snapshot is due now, counting begins anew. One thread.
     *
     * @param snapshotBytes the size of the last snapshot; 0 if there is none
     */
    public boolean isDue(long bytes, long snapshotBytes) {
        bytesSinceSnapshot += bytes;
        long due = Math.min(logBytesMax, Math.max(LOG_BYTES_MIN, snapshotBytes));
        boolean copying = nanoTime.getAsLong() - copiedNanos < GRACE_NANOS;
        if (bytesSinceSnapshot < (copying ? Math.max(PUT_OFF_FACTOR_MAX * due, LOG_BYTES_MIN) : due)) {
            return false;
        }
        bytesSinceSnapshot = 0;
        return true;
    }
}
