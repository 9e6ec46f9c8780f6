package io.dshm.server.replication.jraft;

import com.alipay.sofa.jraft.Status;
import com.alipay.sofa.jraft.entity.PeerId;
import io.dshm.server.guard.Guard;
import io.dshm.server.replication.contracts.RoleListener;
import io.dshm.server.replication.jraft.repairs.SnapshotPace;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Passes on what happens on the thread that applies, and begins what is due after it. On that thread. */
final class GroupListener implements ApplyAdapter.Listener {

    private static final Logger LOG = LoggerFactory.getLogger(GroupListener.class);

    /** How long a digest waits for the snapshot that it held up; afterwards that goes on by itself. */
    private static final int SNAPSHOT_SECONDS_MAX = 60;

    /** Begins a snapshot, in the background. */
    interface Snapshots {

        /** Returns at once; the result is complete when the snapshot has ended. */
        CompletableFuture<Void> begin();
    }

    private final RaftGroup.Settings settings;
    private final RaftGroup.Events events;
    private final Progress progress;
    private final CommitNotices commitNotices;
    private final SnapshotPace snapshotPace;
    private final Executor background;
    private final Snapshots snapshots;
    private final RaftCounts counts;
    private final Consumer<@Nullable String> leads;
    private final Consumer<String> onFatal;
    private final RoleListener roles;
    private long term;
    private long applied;

    /** @param leads is told who leads, as far as this node knows; null: nobody */
    GroupListener(
            RaftGroup.Settings settings,
            RaftGroup.Events events,
            Progress progress,
            CommitNotices commitNotices,
            SnapshotPace snapshotPace,
            Executor background,
            Snapshots snapshots,
            RaftCounts counts,
            Consumer<@Nullable String> leads,
            Consumer<String> onFatal) {
        this.settings = settings;
        this.events = events;
        this.progress = progress;
        this.commitNotices = commitNotices;
        this.snapshotPace = snapshotPace;
        this.background = background;
        this.snapshots = snapshots;
        this.counts = counts;
        this.leads = leads;
        this.onFatal = onFatal;
        this.roles = events.roles();
    }

    @Override
    public void onApplied(long index) {
        applied = index;
        progress.applied(index);
        events.onApplied().accept(index);
    }

    @Override
    public void onAppliedBatch(long bytes) {
        events.onAppliedBatch().run();
        commitNotices.onApplied(applied);
        if (snapshotPace.isDue(bytes, counts.snapshotBytes())) {
            background.execute(Guard.of("taking a snapshot", () -> snapshots.begin()));
        }
    }

    @Override
    public void onSnapshotDue() throws InterruptedException {
        try {
            snapshots.begin().get(SNAPSHOT_SECONDS_MAX, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            LOG.warn("a snapshot takes longer than {} s", SNAPSHOT_SECONDS_MAX);
        } catch (ExecutionException e) {
            throw new IllegalStateException(e.getCause());
        }
    }

    @Override
    public void onSnapshotWritten(Path folder, long nanos) {
        counts.snapshotWritten(folder, nanos);
    }

    @Override
    public void onSnapshotFailed() {
        counts.snapshotFailed();
    }

    @Override
    public void onSnapshotLoaded(Path folder) {
        counts.snapshotLoaded(folder);
    }

    @Override
    public void onLeading(long newTerm) {
        term = newTerm;
        counts.leads();
        leads.accept(settings.self());
        commitNotices.onLeading();
        roles.onLeading(newTerm);
        if (!settings.listens()) {
            events.onCaughtUp().run();
        }
    }

    @Override
    public void onLeadingEnded(Status why) {
        commitNotices.onLeadingEnded();
        leads.accept(null);
        LOG.debug("leads no longer: {}", why);
        roles.onLeadingEnded(term, Reasons.ofLeadingEnded(why));
    }

    @Override
    public void onFollowing(PeerId leader, long newTerm) {
        counts.follows();
        String name = settings.members().nameOf(leader.getEndpoint().toString());
        leads.accept(name);
        roles.onFollowing(name, newTerm);
    }

    @Override
    public void onFollowingEnded(long oldTerm, Status why) {
        LOG.debug("follows no longer: {}", why);
        leads.accept(null);
        roles.onFollowingEnded(oldTerm, Reasons.ofFollowingEnded(why));
    }

    @Override
    public void onMembers(Set<String> agreed) {
        String warning = Reasons.membersDiffer(new TreeSet<>(settings.peers().values()), agreed);
        if (warning != null && !settings.members().isAgreed()) {
            LOG.warn("{}: {}", settings.self(), warning);
        }
    }

    @Override
    public void onFatal(String why) {
        onFatal.accept(why);
    }
}
