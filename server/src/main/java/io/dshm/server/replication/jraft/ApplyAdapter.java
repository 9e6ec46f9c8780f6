package io.dshm.server.replication.jraft;

import com.alipay.sofa.jraft.Closure;
import com.alipay.sofa.jraft.Iterator;
import com.alipay.sofa.jraft.Status;
import com.alipay.sofa.jraft.conf.Configuration;
import com.alipay.sofa.jraft.core.StateMachineAdapter;
import com.alipay.sofa.jraft.entity.LeaderChangeContext;
import com.alipay.sofa.jraft.entity.PeerId;
import com.alipay.sofa.jraft.entity.RaftOutter.SnapshotMeta;
import com.alipay.sofa.jraft.error.RaftError;
import com.alipay.sofa.jraft.error.RaftException;
import com.alipay.sofa.jraft.storage.snapshot.SnapshotReader;
import com.alipay.sofa.jraft.storage.snapshot.SnapshotWriter;
import io.dshm.server.guard.Guard;
import io.dshm.server.replication.jraft.repairs.AppliedTerms;
import io.dshm.server.statemachine.CorruptStateException;
import io.dshm.server.statemachine.NewerFormatException;
import io.dshm.server.statemachine.Outcome;
import io.dshm.server.statemachine.StateMachine;
import io.dshm.server.statemachine.StateTooLargeException;
import io.dshm.server.statemachine.StateView;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * SOFAJRaft's state machine: passes committed bytes to ours and outcomes to their proposals, and snapshots to and from
 * files. Everything here is called on the one thread that applies, except where it says otherwise.
 */
final class ApplyAdapter extends StateMachineAdapter {

    private static final Logger LOG = LoggerFactory.getLogger(ApplyAdapter.class);

    /** Events for the group. Called on the apply thread, unless they say otherwise. */
    interface Listener {
        void onApplied(long index);

        void onAppliedBatch(long bytes);

        /** A snapshot had to wait for a digest: take it now, and return when it is written. Any thread. */
        void onSnapshotDue() throws InterruptedException;

        /** A complete snapshot is in that folder. Called on the thread that wrote it. */
        void onSnapshotWritten(Path folder, long nanos);

        /** Writing a snapshot has failed. Any thread. */
        void onSnapshotFailed();

        /** The snapshot in that folder is loaded. */
        void onSnapshotLoaded(Path folder);

        void onLeading(long term);

        void onLeadingEnded(Status why);

        void onFollowing(PeerId leader, long term);

        void onFollowingEnded(long term, Status why);

        /**
         * The group has agreed on its list of members.
         *
         * @param addresses their Raft addresses
         */
        void onMembers(Set<String> addresses);

        void onFatal(String why);
    }

    private final StateMachine stateMachine;
    private final Executor snapshots;
    private final Listener listener;

    /** The state machine allows one view at a time: a snapshot or a digest holds this permit. */
    private final Semaphore viewPermit = new Semaphore(1);

    private final AppliedTerms applied = new AppliedTerms();

    /**
     * A snapshot found the permit taken by a digest. Set before it looks, so that the digest sees it when it releases
     * the permit.
     */
    private final AtomicBoolean snapshotDue = new AtomicBoolean();

    ApplyAdapter(StateMachine stateMachine, Executor snapshots, Listener listener) {
        this.stateMachine = stateMachine;
        this.snapshots = snapshots;
        this.listener = listener;
    }

    @Override
    public void onApply(Iterator entries) {
        Guard.errorsOf("the thread that applies", () -> applyAll(entries));
    }

    private void applyAll(Iterator entries) {
        long bytes = 0;
        long index = 0;
        long first = 0;
        long term = 0;
        // This lock is rarely contended: short steps of purging take it, and requests for a digest.
        synchronized (stateMachine) {
            while (entries.hasNext()) {
                ByteBuffer data = entries.getData();
                bytes += data.remaining();
                if (entries.getTerm() != term) {
                    onTermApplied(first, index, term);
                    first = entries.getIndex();
                    term = entries.getTerm();
                    stateMachine.ofTerm(term);
                }
                index = entries.getIndex();
                Outcome[] outcomes = apply(index, data);
                listener.onApplied(index);
                Closure done = entries.done();
                if (done instanceof ProposalClosure proposal) {
                    proposal.applied(index, outcomes);
                }
                entries.next();
            }
        }
        onTermApplied(first, index, term);
        listener.onAppliedBatch(bytes);
    }

    /** If an entry cannot be applied, its effect is unknown: nothing may be applied after it. */
    private Outcome[] apply(long index, ByteBuffer data) {
        try {
            return stateMachine.apply(index, data);
        } catch (CorruptStateException | StateTooLargeException e) {
            // Say the message here: SOFAJRaft turns the exception into a status without it.
            listener.onFatal(String.valueOf(e.getMessage()));
            throw e;
        } catch (RuntimeException | Error e) {
            LOG.error("the entry at index {} cannot be applied", index, e);
            listener.onFatal("the entry at index " + index + " cannot be applied: " + e);
            throw e;
        }
    }

    private void onTermApplied(long first, long last, long term) {
        if (last > 0) {
            applied.add(first, last, term);
        }
    }

    /** The applied indexes with their terms. Any thread. */
    AppliedTerms applied() {
        return applied;
    }

    /**
     * The digest of the present state. Blocks the calling thread: waits for a snapshot that is being
     * written. A snapshot that becomes due meanwhile is taken right after it.
     *
     * @throws IllegalStateException if a snapshot is still being written at the end of the timeout
     */
    StateView.StateDigest digest(long timeoutMillis) throws InterruptedException {
        if (!viewPermit.tryAcquire(timeoutMillis, TimeUnit.MILLISECONDS)) {
            throw new IllegalStateException("a snapshot is being written");
        }
        try {
            StateView view;
            synchronized (stateMachine) {
                view = stateMachine.view();
            }
            try (view) {
                return view.digest();
            }
        } finally {
            viewPermit.release();
            if (snapshotDue.getAndSet(false)) {
                listener.onSnapshotDue();
            }
        }
    }

    @Override
    public void onSnapshotSave(SnapshotWriter writer, Closure done) {
        snapshotDue.set(true);
        if (!viewPermit.tryAcquire()) {
            done.run(new Status(RaftError.EBUSY, "a digest is being read; the snapshot follows it"));
            return;
        }
        snapshotDue.set(false);
        StateView view = null;
        boolean begun = false;
        try {
            synchronized (stateMachine) {
                view = stateMachine.view();
            }
            StateView opened = view;
            snapshots.execute(() -> done.run(writeAndClose(opened, writer)));
            begun = true;
        } catch (RuntimeException e) {
            done.run(failed(writer, e));
        } finally {
            if (!begun) {
                if (view != null) {
                    view.close();
                }
                viewPermit.release();
            }
        }
    }

    private Status writeAndClose(StateView view, SnapshotWriter writer) {
        try (view) {
            return write(view, writer);
        } catch (IOException | RuntimeException e) {
            return failed(writer, e);
        } finally {
            viewPermit.release();
        }
    }

    private Status failed(SnapshotWriter writer, Exception why) {
        LOG.error(
                "no snapshot was written to {}; the log is kept, and the next snapshot will be tried as usual",
                writer.getPath(),
                why);
        listener.onSnapshotFailed();
        // Not EIO, which would stop the node for good: a missing snapshot loses nothing.
        return new Status(RaftError.ECANCELED, "snapshot failed: %s", why);
    }

    private Status write(StateView view, SnapshotWriter writer) throws IOException {
        long started = System.nanoTime();
        int parts = SnapshotFolder.write(view, writer);
        long took = System.nanoTime() - started;
        LOG.info("snapshot written: {} file(s) in {} ms", parts, TimeUnit.NANOSECONDS.toMillis(took));
        listener.onSnapshotWritten(Path.of(writer.getPath()), took);
        return Status.OK();
    }

    @Override
    public boolean onSnapshotLoad(SnapshotReader reader) {
        try {
            SnapshotMeta meta = reader.load();
            synchronized (stateMachine) {
                stateMachine.ofTerm(meta.getLastIncludedTerm());
                stateMachine.load(new io.dshm.server.statemachine.SnapshotReader(Path.of(reader.getPath())));
            }
            applied.reset(meta.getLastIncludedIndex(), meta.getLastIncludedTerm());
            listener.onApplied(stateMachine.appliedIndex());
            listener.onAppliedBatch(0);
            listener.onSnapshotLoaded(Path.of(reader.getPath()));
            LOG.info(
                    "snapshot loaded: {} entries as of index {}",
                    stateMachine.store().entryCount(),
                    stateMachine.appliedIndex());
            return true;
        } catch (NewerFormatException | StateTooLargeException e) {
            listener.onFatal(String.valueOf(e.getMessage()));
            return false;
        } catch (IOException | RuntimeException | OutOfMemoryError e) {
            // The old state has been dropped, so the node cannot continue.
            String why = e instanceof IOException || e instanceof CorruptStateException ? e.getMessage() : e.toString();
            // A disk that fails, or too small a heap, is no reason to delete anything.
            String advice = e instanceof CorruptStateException
                    ? ". If another node has the data, delete this node's data folder, and it will be copied anew"
                    : "";
            listener.onFatal("the snapshot in " + reader.getPath() + " cannot be loaded: " + why + advice);
            return false;
        }
    }

    @Override
    public void onLeaderStart(long term) {
        Guard.errorsOf("a change of role", () -> listener.onLeading(term));
    }

    @Override
    public void onLeaderStop(Status status) {
        Guard.errorsOf("a change of role", () -> listener.onLeadingEnded(status));
    }

    @Override
    public void onStartFollowing(LeaderChangeContext context) {
        Guard.errorsOf("a change of role", () -> listener.onFollowing(context.getLeaderId(), context.getTerm()));
    }

    @Override
    public void onStopFollowing(LeaderChangeContext context) {
        Guard.errorsOf("a change of role", () -> listener.onFollowingEnded(context.getTerm(), context.getStatus()));
    }

    @Override
    public void onConfigurationCommitted(Configuration members) {
        listener.onMembers(members.getPeers().stream()
                .map(peer -> peer.getEndpoint().toString())
                .collect(Collectors.toCollection(TreeSet::new)));
    }

    @Override
    public void onError(RaftException error) {
        listener.onFatal("Raft cannot go on: " + error.getStatus() + " (" + error.getType() + ")");
    }

    @Override
    public void onShutdown() {
        LOG.debug("no more entries will be applied");
    }
}
