package io.dshm.server.replication.jraft;

import com.alipay.sofa.jraft.Node;
import com.alipay.sofa.jraft.Status;
import com.alipay.sofa.jraft.error.RaftError;
import io.dshm.server.replication.contracts.RaftLog;
import io.dshm.server.statemachine.SnapshotFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Takes a snapshot when somebody asks for one, as Raft takes its own: it becomes the node's newest one, and its files
 * are then read from the disk. So a slow reader holds no view of the state, and keeps no snapshot of Raft's waiting.
 * Thread-safe.
 */
final class SnapshotOnRequest {

    /** Between two looks whether a snapshot that is under way has ended. */
    private static final long BUSY_MILLIS = 100;

    private final Path folder;
    private final RaftLog log;
    private final Supplier<Node> node;
    private final LongSupplier appliedIndex;

    /**
     * Takes nothing yet.
     *
     * @param folder the node's data folder
     * @param appliedIndex the index of the last entry applied, 0 if none is
     */
    SnapshotOnRequest(Path folder, RaftLog log, Supplier<Node> node, LongSupplier appliedIndex) {
        this.folder = folder;
        this.log = log;
        this.node = node;
        this.appliedIndex = appliedIndex;
    }

    /**
     * A snapshot of the state as it is now, or newer. Blocks while it is written.
     *
     * @param confirmed whether it must hold everything that any node has acknowledged before this call
     * @throws IOException if it cannot be taken, or not in time; the message says why
     */
    SnapshotFiles take(boolean confirmed, long timeoutMillis) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMillis);
        if (confirmed) {
            confirm(deadline);
        }
        long index = appliedIndex.getAsLong();
        if (index == 0) {
            throw new IOException("there is no data yet");
        }
        while (true) {
            Optional<SnapshotFiles> newest = SnapshotFolder.openNewest(folder, index);
            if (newest.isPresent()) {
                return newest.get();
            }
            CompletableFuture<Status> ended = new CompletableFuture<>();
            node.get().snapshot(ended::complete);
            Status status = await(ended, deadline, "a snapshot");
            if (status.getRaftError() == RaftError.EBUSY) {
                if (System.nanoTime() - deadline >= 0) {
                    throw new IOException("another snapshot is being written or loaded all the time");
                }
                TimeUnit.MILLISECONDS.sleep(BUSY_MILLIS);
            } else if (!status.isOk()) {
                throw new IOException("no snapshot can be taken: " + status.getErrorMsg());
            }
        }
    }

    /** Returns when this node has applied everything that was committed when it was called. */
    void confirm(long deadline) throws IOException, InterruptedException {
        CompletableFuture<Void> confirmed = new CompletableFuture<>();
        log.readIndex(new RaftLog.ReadIndexListener() {
            @Override
            public void confirmed() {
                confirmed.complete(null);
            }

            @Override
            public void failed(String reason) {
                confirmed.completeExceptionally(
                        new IOException("no leader confirms that this node is up to date: " + reason));
            }
        });
        await(confirmed, deadline, "the leader's commit index");
    }

    private static <T> T await(CompletableFuture<T> future, long deadline, String what)
            throws IOException, InterruptedException {
        try {
            return future.get(Math.max(1, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            throw new IOException("waited too long for " + what, e);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof IOException known ? known : new IOException(e.getCause());
        }
    }
}
