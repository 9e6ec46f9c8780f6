package io.dshm.server;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.ByteString;
import io.dshm.proto.Formats;
import io.dshm.proto.Key;
import io.dshm.proto.Reply;
import io.dshm.proto.wire.ChangeUsersCommand;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.LimitRegionCommand;
import io.dshm.proto.wire.WhenFull;
import io.dshm.server.admin.NodeInfo;
import io.dshm.server.admin.RefusedException;
import io.dshm.server.admin.UserChange;
import io.dshm.server.backup.Backups;
import io.dshm.server.backup.ScheduledBackups;
import io.dshm.server.config.ServerConfig;
import io.dshm.server.config.Version;
import io.dshm.server.frontend.ClientListener;
import io.dshm.server.frontend.LoopWatch;
import io.dshm.server.frontend.MemoryBudget;
import io.dshm.server.network.ClusterMembers;
import io.dshm.server.replication.Replicator;
import io.dshm.server.replication.Roles;
import io.dshm.server.replication.contracts.Leadership;
import io.dshm.server.replication.jraft.RaftGroup;
import io.dshm.server.replication.reads.LocalReads;
import io.dshm.server.statemachine.Admission;
import io.dshm.server.statemachine.ClusterClock;
import io.dshm.server.statemachine.StateMachine;
import io.dshm.server.statemachine.StateView;
import io.dshm.server.store.RegionUse;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** What operators see of a node: while it starts, while it runs, and while it stops. Thread-safe. */
final class NodeStatus implements NodeInfo {

    /** How operators and clients name the default region. */
    private static final String DEFAULT_REGION = ":";

    private static final long DIGEST_MILLIS = 30_000;

    /** How long an operator's change may wait for a leader to confirm that this node knows the users as they are. */
    private static final long CATCH_UP_MILLIS = 5_000;

    /** What there is to be seen of a node that runs. */
    record Parts(
            RaftGroup raft,
            Roles roles,
            Replicator replicator,
            ClusterMembers members,
            MemberOperator operator,
            ClientListener clients,
            @Nullable ClientListener sharedance,
            Backups backups,
            @Nullable ScheduledBackups scheduledBackups,
            LoopWatch watch) {}

    private final ServerConfig config;
    private final StateMachine stateMachine;
    private final LocalReads reads;
    private final ClusterClock clock;
    private final MemoryBudget budget;
    private final MemoryBudget replies;

    private final ApplyWatch applyWatch = new ApplyWatch(System::nanoTime);

    private volatile @Nullable Parts parts;
    private volatile @Nullable NodeTls tls;
    private volatile @Nullable Removal removal;

    /** Who leads, and since when. */
    private record Led(Leadership by, long sinceNanos) {}

    private volatile Led led = new Led(Leadership.NONE, System.nanoTime());

    /** Why nothing is running. */
    private volatile String notRunning = "starting";

    /** The status of a node that is starting. */
    NodeStatus(
            ServerConfig config,
            StateMachine stateMachine,
            LocalReads reads,
            ClusterClock clock,
            MemoryBudget budget,
            MemoryBudget replies) {
        this.config = config;
        this.stateMachine = stateMachine;
        this.reads = reads;
        this.clock = clock;
        this.budget = budget;
        this.replies = replies;
    }

    /** Its certificates are those. */
    void setTls(NodeTls used) {
        tls = used;
    }

    /** Whether it is a member is asked there. */
    void setRemoval(Removal asked) {
        removal = asked;
    }

    /** The node does not run now, for that reason. */
    void setNotRunning(String why) {
        notRunning = why;
        parts = null;
    }

    /** That node leads from now on. */
    void onLeadership(Leadership news) {
        Led before = led;
        boolean same = before.by.term() == news.term() && Objects.equals(before.by.leader(), news.leader());
        led = new Led(news, same ? before.sinceNanos : System.nanoTime());
    }

    private long leaderSeconds() {
        Led now = led;
        return now.by.leader() == null ? -1 : TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - now.sinceNanos);
    }

    /** The node runs. */
    void setRunning(Parts running) {
        parts = running;
    }

    @Override
    public @Nullable String problem() {
        List<String> all = problems();
        return all.isEmpty() ? null : all.get(0);
    }

    @Override
    public List<String> problems() {
        Parts now = parts;
        if (now == null) {
            return List.of(notRunning);
        }
        List<String> all = new ArrayList<>();
        String still = hang(now);
        if (still != null) {
            all.add(still);
        }
        if (now.raft.isOwnDiskExhausted()) {
            // A write needs the disks of a majority: who restarts nodes must not take the next one now.
            all.add("its disk has no room for further entries of the log");
        }
        Removal asked = removal;
        String removed = asked == null ? null : asked.problem();
        if (removed != null) {
            all.add(removed);
        } else if (now.roles.leadership().leader() == null) {
            int nodes = now.members.all().size();
            all.add("no leader is known: of " + nodes + " nodes, " + (nodes / 2 + 1)
                    + " must run and reach each other");
        }
        if (reads.isLoading()) {
            all.add("takes over a snapshot");
        } else if (!reads.isCaughtUp()) {
            all.add("not up to date since it started");
        }
        if (removed == null) {
            if (!now.replicator.isRegistered()) {
                all.add("not registered in the log since it started");
            }
            int format = now.replicator.dueFormat();
            if (format != 0) {
                all.add("the cluster is about to switch to format " + format);
            }
        }
        return all;
    }

    @Override
    public @Nullable String hang() {
        Parts now = parts;
        return now == null ? null : hang(now);
    }

    private @Nullable String hang(Parts now) {
        String loop = now.watch.problem();
        return loop != null
                ? loop
                : applyWatch.problem(now.raft.committedIndex(), reads.appliedIndex(), reads.isLoading());
    }

    @Override
    public Map<String, Object> status() {
        Map<String, Object> fields = new LinkedHashMap<>();
        Parts now = parts;
        fields.put("version", Version.NUMBER);
        fields.put("node", config.node());
        fields.put("cluster", config.cluster());
        fields.put("clusterId", String.format("%016x", stateMachine.cluster().id()));
        if (now != null) {
            var leadership = now.roles.leadership();
            fields.put("leader", leadership.leader() == null ? "" : leadership.leader());
            fields.put("leads", leadership.self());
            fields.put("term", leadership.term());
            fields.put("leaderSeconds", leaderSeconds());
            Removal asked = removal;
            boolean removed = asked != null && asked.isRemoved();
            fields.put("removed", removed);
            fields.put("votes", now.raft.mayVote() && !removed);
            fields.put("silentMembers", String.join(",", now.raft.counts().silentNames()));
            fields.putAll(now.raft.diskStatus());
            fields.put("diskFull", now.raft.isOwnDiskFull());
            fields.put("refusesWrites", now.raft.isDiskFull());
            fields.put("registered", now.replicator.isRegistered());
            fields.put("connections", now.clients.connectionCount());
            if (now.sharedance != null) {
                fields.put("sharedanceConnections", now.sharedance.connectionCount());
            }
        }
        fields.put("format", stateMachine.format());
        fields.put("formatReads", Formats.NEWEST);
        fields.put("appliedIndex", reads.appliedIndex());
        fields.put("upToDate", reads.isCaughtUp());
        fields.put("lagMillis", reads.lagMillis());
        fields.put("applyDelayMicros", reads.applyDelayMicros());
        fields.put("clusterTimeMillis", clock.estimateMillis());
        fields.put("entries", stateMachine.store().entryCount());
        fields.put("storeBytes", stateMachine.store().bytes());
        fields.put("stateBytes", stateMachine.bytes());
        fields.put("memoryBytes", stateMachine.memory().own());
        fields.put("stateBytesMax", stateMachine.memory().bytesMax());
        fields.put("valueMemoryBytes", budget.bytesReserved());
        fields.put("replyMemoryBytes", replies.bytesReserved());
        NodeTls certificates = tls;
        if (certificates != null) {
            fields.putAll(certificates.status());
        }
        if (now != null && now.scheduledBackups != null) {
            fields.putAll(now.scheduledBackups.status());
        }
        return fields;
    }

    @Override
    public Map<String, Object> digest() throws InterruptedException {
        StateView.StateDigest digest = running().raft.digest(DIGEST_MILLIS);
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("index", digest.index());
        fields.put("digest", Long.toHexString(digest.digest()));
        return fields;
    }

    @Override
    public List<Map<String, Object>> regions() {
        List<Map<String, Object>> all = new ArrayList<>();
        for (RegionUse use : stateMachine.store().regionUses()) {
            Map<String, Object> fields = new LinkedHashMap<>();
            fields.put("region", use.region().length == 0 ? DEFAULT_REGION : new String(use.region(), UTF_8));
            fields.put("bytes", use.bytesMax());
            fields.put("policy", use.evicts() ? "evict" : "refuse");
            fields.put("usedBytes", use.bytes());
            fields.put("entries", use.entries());
            fields.put("counted", use.isCounted());
            all.add(fields);
        }
        return all;
    }

    @Override
    public void limitRegion(String name, long bytesMax, boolean evicts) throws InterruptedException {
        Parts now = parts;
        if (now == null) {
            throw new IllegalStateException(notRunning);
        }
        LimitRegionCommand limit = LimitRegionCommand.newBuilder()
                .setRegion(name.equals(DEFAULT_REGION) ? ByteString.EMPTY : ByteString.copyFromUtf8(name))
                .setBytesMax(bytesMax)
                .setWhenFull(evicts ? WhenFull.EVICT : WhenFull.REFUSE)
                .build();
        if (name.isEmpty() || !Admission.isLimitRegion(limit)) {
            throw new IllegalArgumentException("no region has that name");
        }
        Reply reply = submit(now, CommandRecord.newBuilder().setLimitRegion(limit));
        if (reply instanceof Reply.Failure failure) {
            throw new IllegalStateException(
                    failure.code().wireName() + (failure.text() == null ? "" : ": " + failure.text()));
        }
    }

    private static Reply submit(Parts parts, CommandRecord.Builder record) throws InterruptedException {
        try {
            return parts.replicator.submitForOperator(record).get();
        } catch (ExecutionException e) {
            throw new IllegalStateException(String.valueOf(e.getCause()), e);
        }
    }

    @Override
    public Map<String, Object> why(String key) {
        Parts now = running();
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("node", config.node());
        fields.putAll(LimitTrace.of(Key.of(key), stateMachine.store(), clock.estimateMillis(), now.clients.refusals()));
        return fields;
    }

    @Override
    public Map<String, Object> hotKeys() {
        Parts now = running();
        return KeyUse.of(
                config.node(),
                now.sharedance == null ? List.of(now.clients) : List.of(now.clients, now.sharedance),
                System.nanoTime());
    }

    @Override
    public Map<String, Object> users() {
        return UserOperator.list(stateMachine.users());
    }

    @Override
    public String changeUsers(UserChange change) throws RefusedException, InterruptedException {
        ChangeUsersCommand command = UserOperator.command(change);
        return UserOperator.said(
                command, submit(running(), CommandRecord.newBuilder().setChangeUsers(command)));
    }

    @Override
    public boolean isAdmin(String user, byte[] secret) {
        return UserOperator.isAdmin(stateMachine.users(), user, secret);
    }

    @Override
    public boolean requiresUser() {
        return stateMachine.users().required();
    }

    @Override
    public boolean knowsUsers() {
        return reads.isCaughtUp();
    }

    @Override
    public void catchUp() throws IOException, InterruptedException {
        running().raft.catchUp(CATCH_UP_MILLIS);
    }

    @Override
    public void backup(boolean confirmed, OutputStream out) throws IOException, InterruptedException {
        running().backups.write(confirmed, out);
    }

    @Override
    public Map<String, Object> members() {
        return running().operator.list();
    }

    @Override
    public String changeMembers(String action, String subject) throws RefusedException, InterruptedException {
        return running().operator.act(action, subject);
    }

    @Override
    public String reloadTls() throws RefusedException {
        NodeTls certificates = tls;
        if (certificates == null) {
            throw new IllegalStateException(notRunning);
        }
        return certificates.reload();
    }

    private Parts running() {
        Parts now = parts;
        if (now == null) {
            throw new IllegalStateException(notRunning);
        }
        return now;
    }
}
