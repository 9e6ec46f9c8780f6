package io.dshm.server.replication.jraft;

import com.alipay.sofa.jraft.Node;
import com.alipay.sofa.jraft.RaftGroupService;
import com.alipay.sofa.jraft.Status;
import com.alipay.sofa.jraft.conf.Configuration;
import com.alipay.sofa.jraft.entity.PeerId;
import com.alipay.sofa.jraft.entity.Task;
import com.alipay.sofa.jraft.error.OverloadException;
import com.alipay.sofa.jraft.error.RaftError;
import com.alipay.sofa.jraft.option.NodeOptions;
import com.alipay.sofa.jraft.rpc.ProtobufMsgFactory;
import com.alipay.sofa.jraft.util.ThreadPoolsFactory;
import io.dshm.proto.Limits;
import io.dshm.server.guard.Guard;
import io.dshm.server.network.ClusterMembers;
import io.dshm.server.network.PeerPort;
import io.dshm.server.replication.contracts.RaftLog;
import io.dshm.server.replication.contracts.RoleListener;
import io.dshm.server.replication.jraft.repairs.Difference;
import io.dshm.server.replication.jraft.repairs.SnapshotPace;
import io.dshm.server.replication.jraft.rpc.MemberNetwork;
import io.dshm.server.replication.jraft.rpc.MemberRpcServer;
import io.dshm.server.statemachine.SnapshotFiles;
import io.dshm.server.statemachine.StateMachine;
import io.dshm.server.statemachine.StateSource;
import io.dshm.server.statemachine.StateView;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** This node's membership in the Raft group: its log, its votes, its snapshots. Thread-safe. */
public final class RaftGroup implements RaftLog {

    private static final Logger LOG = LoggerFactory.getLogger(RaftGroup.class);

    /** The leader checks this often which members answer. */
    private static final int WATCH_MILLIS = 1_000;

    /**
     * What a group needs to know.
     *
     * @param cluster the cluster's id: members of different clusters do not understand each other
     * @param self this node's name, one of the peers
     * @param peers Raft addresses, {@code host:port}, of the members in the setting, by name: a new group consists of
     *     them
     * @param members the present members
     * @param listens false for a node that is alone for good
     * @param network connects the members; unused by a node that is alone
     * @param bindAddress address of the Raft port, which is open while members of format 1 may need it
     * @param port who may connect there
     * @param takesFormat1 whether that port is opened at all: not with TLS, which nodes of format 1 do not know
     * @param folder where log, votes and snapshots are kept
     * @param electionTimeoutMillis after which a follower that hears nothing of its leader starts an election
     * @param snapshotIntervalSeconds a snapshot is taken this often, if anything was written
     * @param snapshotLogBytes a snapshot is also taken when this much was written since the last one
     * @param logBytesMax a snapshot is also taken when the log takes more than this on the disk
     * @param diskReserveBytes see {@link DiskSpace}
     */
    public record Settings(
            String cluster,
            String self,
            Map<String, String> peers,
            ClusterMembers members,
            boolean listens,
            MemberNetwork network,
            String bindAddress,
            PeerPort port,
            boolean takesFormat1,
            Path folder,
            int electionTimeoutMillis,
            int snapshotIntervalSeconds,
            long snapshotLogBytes,
            long logBytesMax,
            long diskReserveBytes) {}

    /**
     * The listeners to the group's events.
     *
     * @param roles is told when this node's role or leader changes
     * @param onApplied is told each applied index, on the apply thread, before the proposer learns the outcome
     * @param onAppliedBatch called after a batch of them
     * @param onCaughtUp called when this node has applied all that was committed when it started
     * @param isRegistered for a node that lost its data: whether the log has this start's registration
     * @param onRestored called when a node that lost its data has it back, before it votes
     * @param onWaiting is told what a node that lost its data waits for
     * @param foreign why this node must not install that member's snapshot, or null if it may; may block
     * @param isRemoved whether this node is no longer a member; then it asks for no votes
     * @param voters finds out who votes, for a node that lost its data, before it takes part
     */
    public record Events(
            RoleListener roles,
            LongConsumer onApplied,
            Runnable onAppliedBatch,
            Runnable onCaughtUp,
            BooleanSupplier isRegistered,
            Runnable onRestored,
            Consumer<String> onWaiting,
            Function<String, @Nullable String> foreign,
            BooleanSupplier isRemoved,
            Voters voters) {}

    /** Asks the other nodes who votes, for a node that has lost its data. */
    @FunctionalInterface
    public interface Voters {

        /**
         * Blocks until enough nodes have answered.
         *
         * @param waiting is told repeatedly whose answers are missing
         * @return the voters of each configuration that counts; see {@link JoiningTerm}
         */
        List<Electorate> ask(Consumer<List<String>> waiting) throws InterruptedException;
    }

    private final Settings settings;
    private final Consumer<String> onFatal;
    private final StateMachine stateMachine;
    private final String groupId;
    private final RaftThreads threads = new RaftThreads();
    private final RaftCounts counts = new RaftCounts();
    private final Rounds rounds;
    private final SnapshotPace snapshotPace;
    private final CommitNotices commitNotices;
    private final AtomicBoolean mayVote = new AtomicBoolean();
    private final AtomicReference<@Nullable RaftGroupService> service = new AtomicReference<>();

    private volatile @Nullable DiskWatch disk;
    private volatile @Nullable Node node;
    private volatile @Nullable ApplyAdapter adapter;

    /**
     * A group that is not running yet.
     *
     * @param onFatal is told why this node must stop
     */
    public RaftGroup(Settings settings, StateMachine stateMachine, Consumer<String> onFatal) {
        this.settings = settings;
        this.onFatal = onFatal;
        this.snapshotPace = new SnapshotPace(settings.snapshotLogBytes(), System::nanoTime);
        this.groupId = "dshm_" + settings.cluster();
        this.stateMachine = stateMachine;
        this.rounds = new Rounds(this::runningNode, threads.background());
        this.commitNotices = new CommitNotices(
                this::lastAppended,
                this::sendHeartbeats,
                (task, micros) -> threads.background()
                        .schedule(Guard.of("telling followers of a commit", task), micros, TimeUnit.MICROSECONDS));
    }

    /**
     * Joins the group: loads the last snapshot, opens the log, listens, takes part in elections. Returns when the node
     * takes part; applying the log goes on. A node that has lost its data first waits for the others' terms, for as
     * long as it takes: see {@link JoiningTerm}. To be called once.
     *
     * @param progress how far this node's log, votes and state had come
     * @param votes false if this node has lost its data, or a part of it, and has to get it back before it votes
     * @throws IOException if the folder cannot be used
     * @throws IllegalStateException if the library refuses to start, see its lines in the log
     */
    public void start(boolean votes, Progress progress, Events events) throws IOException, InterruptedException {
        mayVote.set(votes);
        DiskWatch watch = new DiskWatch(settings, this::runningNode, this::snapshot);
        disk = watch;
        ThreadPoolsFactory.registerThreadPool(groupId, threads.closures());
        ProtobufMsgFactory.load();
        ApplyAdapter applying = new ApplyAdapter(
                stateMachine,
                threads.background(),
                new GroupListener(
                        settings,
                        events,
                        progress,
                        commitNotices,
                        snapshotPace,
                        threads.background(),
                        this::snapshot,
                        counts,
                        watch::leads,
                        onFatal));
        adapter = applying;
        PeerId self = peer(settings.self());
        Configuration members = new Configuration();
        if (votes) {
            // A node without its data learns the members together with its data.
            settings.peers().keySet().forEach(name -> members.addPeer(peer(name)));
        }
        boolean alone = !settings.listens();
        TermStorage.Terms terms = new TermStorage.Terms();
        GroupStart start = new GroupStart(settings, groupId, self, events, terms, mayVote::get, this::lastAppended);
        long termMin = votes ? 0 : start.joiningTerm();
        MemberRpcServer server = alone
                ? null
                : start.newServer(
                        stateMachine::format,
                        threads.requests(),
                        snapshotPace,
                        new Difference(applying.applied(), terms::durable, onFatal),
                        applying.applied(),
                        watch::isExhausted);
        NodeOptions options = RaftTuning.nodeOptions(
                settings,
                members,
                applying,
                start.memberOptions(watch),
                (path, raft) -> new TermStorage(path, raft, self, termMin, terms, progress, onFatal),
                raft -> new CheckedLogStorage(
                        new TimedLogStorage(watch.newLog(raft), counts, stateMachine::came),
                        settings.folder(),
                        progress,
                        watch.space(),
                        onFatal));
        RaftGroupService group = new RaftGroupService(groupId, self, options, server);
        node = start.startOrExplain(group, !alone);
        service.set(group);
        watch.begin(threads.background());
        if (server != null) {
            new CatchingUp(settings.self(), rounds, threads.background(), mayVote, events).begin();
            PeerWatch peers = new PeerWatch();
            threads.background()
                    .scheduleWithFixedDelay(
                            Guard.of("looking who answers", () -> {
                                watchPeers(peers);
                                server.closeBoltIfUnneeded();
                            }),
                            WATCH_MILLIS,
                            WATCH_MILLIS,
                            TimeUnit.MILLISECONDS);
        }
    }

    @Override
    public boolean isDiskFull() {
        DiskWatch watch = disk;
        return watch != null && watch.refusesWrites();
    }

    /** Whether the disk of this node itself is full. */
    public boolean isOwnDiskFull() {
        DiskWatch watch = disk;
        return watch != null && watch.isFull();
    }

    /** Whether that disk takes no entry any more: this node falls behind. */
    public boolean isOwnDiskExhausted() {
        DiskWatch watch = disk;
        return watch != null && watch.isExhausted();
    }

    /** Fields about the disk, for people. */
    public Map<String, Object> diskStatus() {
        DiskWatch watch = disk;
        return watch == null ? Map.of() : watch.status();
    }

    /** Takes note of what another node says about its disk. */
    public void onPeerDisk(String name, boolean full) {
        DiskWatch watch = disk;
        if (watch != null) {
            watch.heard(name, full);
        }
    }

    private void watchPeers(PeerWatch watch) {
        Set<String> silent = new TreeSet<>();
        try {
            Node leader = runningNode();
            leader.listPeers().forEach(peer -> silent.add(nameOf(peer)));
            leader.listAlivePeers().forEach(peer -> silent.remove(nameOf(peer)));
            counts.silent(silent);
            watch.onSilent(silent);
        } catch (IllegalStateException e) {
            LOG.trace("not leading", e);
            counts.silent(Set.of());
            watch.onNotLeading();
        }
    }

    /** Whether {@link #start} has returned. */
    public boolean isRunning() {
        return node != null;
    }

    /** To be called before any class of the library's transport is loaded. */
    public static void prepareProcess() {
        RaftTuning.setProperties();
    }

    private PeerId peer(String name) {
        return Peers.of(settings.peers().get(name));
    }

    private String nameOf(PeerId peer) {
        return settings.members().nameOf(peer.getEndpoint().toString());
    }

    /** Shows and changes who votes. */
    public MemberChanges memberChanges() {
        return new LibraryMemberChanges(this::runningNode);
    }

    private Node runningNode() {
        Node running = node;
        if (running == null) {
            throw new IllegalStateException("the Raft group is not running");
        }
        return running;
    }

    @Override
    public void propose(byte[] entry, long term, Proposal proposal) {
        if (isOwnDiskExhausted()) {
            proposal.refused();
            return;
        }
        ProposalClosure closure = new ProposalClosure(proposal);
        try {
            runningNode().apply(new Task(ByteBuffer.wrap(entry), closure, term));
        } catch (IllegalStateException | OverloadException e) {
            closure.run(new Status(-1, "%s", e.getMessage()));
        }
    }

    @Override
    public void readIndex(ReadIndexListener listener) {
        rounds.readIndex(listener);
    }

    private void sendHeartbeats() {
        if (!settings.members().others().isEmpty()) {
            rounds.sendHeartbeats(groupId, peer(settings.self()));
        }
    }

    /** Counts of what the group has done since it started. */
    public RaftCounts counts() {
        return counts;
    }

    /** The last index in this node's log, written or about to be written; 0 before the group runs. */
    public long lastLogIndex() {
        return lastAppended();
    }

    /** The last index that this node knows to be committed; 0 before the group runs. */
    public long committedIndex() {
        Node running = node;
        try {
            return running == null ? 0 : running.getLastCommittedIndex();
        } catch (IllegalStateException e) {
            LOG.trace("stopping", e);
            return 0;
        }
    }

    /** The last index in the log; 0 while this node starts or stops, so that it sends no notices then. */
    private long lastAppended() {
        Node running = node;
        try {
            return running == null ? 0 : running.getLastLogIndex();
        } catch (IllegalStateException e) {
            // Entries are still applied while a node stops: an exception would fail one, and end the process.
            LOG.trace("stopping", e);
            return 0;
        }
    }

    /** Whether the log or a snapshot holds anything: false until the group has elected its first leader. */
    public boolean hasState() {
        return runningNode().getLastLogIndex() > 0;
    }

    /** Whether this node takes part in elections: false only while it gets lost data back. */
    public boolean mayVote() {
        return mayVote.get();
    }

    /**
     * A number that is equal on all nodes with the same state at the same index; see {@link StateView#digest}. May
     * block.
     */
    public StateView.StateDigest digest(long timeoutMillis) throws InterruptedException {
        ApplyAdapter applying = adapter;
        if (applying == null) {
            throw new IllegalStateException("the Raft group is not running");
        }
        return applying.digest(timeoutMillis);
    }

    /**
     * A snapshot of the present state, open to be read. Blocks while it is written.
     *
     * @param confirmed whether it must hold everything that any node has acknowledged before this call
     * @throws IOException if there is none; the message says why
     */
    public SnapshotFiles takeSnapshot(boolean confirmed) throws IOException, InterruptedException {
        return snapshots().take(confirmed, TimeUnit.SECONDS.toMillis(Limits.BACKUP_SNAPSHOT_SECONDS_MAX));
    }

    /**
     * Returns when this node has applied everything that was committed when it was called. Blocks.
     *
     * @throws IOException if no leader confirms that in time
     */
    public void catchUp(long timeoutMillis) throws IOException, InterruptedException {
        snapshots().confirm(System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMillis));
    }

    private SnapshotOnRequest snapshots() {
        return new SnapshotOnRequest(settings.folder(), this, this::runningNode, this::appliedIndex);
    }

    private long appliedIndex() {
        ApplyAdapter applying = adapter;
        var last = applying == null ? null : applying.applied().last();
        return last == null ? 0 : last.index();
    }

    /**
     * Prepares an empty data folder for the first start of a member of a new group: writes a snapshot of this state,
     * and no log. All of it is on the disk (synced) on return.
     *
     * @param members the members' Raft addresses, {@code host:port}
     * @throws IOException if it cannot be written; the caller then deletes the folder's content
     * @throws IllegalArgumentException if an address is not of that form; nothing was written then
     */
    public static void found(Path folder, Collection<String> members, StateSource state) throws IOException {
        List<PeerId> peers = new ArrayList<>();
        for (String address : new TreeSet<>(members)) {
            peers.add(Peers.of(address));
        }
        SnapshotFolder.found(folder, peers, state);
    }

    /** Takes a snapshot in the background; the future completes when that has ended, well or not. */
    private CompletableFuture<Void> snapshot() {
        CompletableFuture<Void> ended = new CompletableFuture<>();
        runningNode().snapshot(status -> {
            // EBUSY: a snapshot is being written or loaded already, or will be taken after a digest.
            if (!status.isOk() && status.getRaftError() != RaftError.EBUSY) {
                LOG.warn("no snapshot was taken: {}", status);
            }
            ended.complete(null);
        });
        return ended;
    }

    /** If this node leads, hands leadership to the member with the longest log. Returns at once. */
    public void transferLeadership() {
        Status status = runningNode().transferLeadershipTo(PeerId.ANY_PEER);
        LOG.debug("leadership handed over: {}", status);
    }

    /** Leaves the group and closes its files. Blocks until that is done. */
    public void stop() throws InterruptedException {
        RaftGroupService running = service.getAndSet(null);
        if (running != null) {
            running.shutdown();
            running.join();
        }
        threads.stop();
    }
}
