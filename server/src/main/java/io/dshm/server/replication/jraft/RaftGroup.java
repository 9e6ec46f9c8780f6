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
import com.alipay.sofa.jraft.rpc.RpcClient;
import com.alipay.sofa.jraft.rpc.impl.core.ReadIndexRequestProcessor;
import com.alipay.sofa.jraft.util.Endpoint;
import com.alipay.sofa.jraft.util.ThreadPoolsFactory;
import io.dshm.proto.Formats;
import io.dshm.proto.Limits;
import io.dshm.server.guard.Guard;
import io.dshm.server.network.ClusterMembers;
import io.dshm.server.network.MemberAddresses;
import io.dshm.server.network.PeerPort;
import io.dshm.server.network.RefusalLog;
import io.dshm.server.replication.contracts.RaftLog;
import io.dshm.server.replication.contracts.RoleListener;
import io.dshm.server.replication.jraft.bolt.BoltPort;
import io.dshm.server.replication.jraft.repairs.AppendRequests;
import io.dshm.server.replication.jraft.repairs.Difference;
import io.dshm.server.replication.jraft.repairs.LeaderReminder;
import io.dshm.server.replication.jraft.repairs.MemberGuard;
import io.dshm.server.replication.jraft.repairs.SnapshotPace;
import io.dshm.server.replication.jraft.repairs.VoteGuard;
import io.dshm.server.replication.jraft.rpc.MemberNetwork;
import io.dshm.server.replication.jraft.rpc.MemberOptions;
import io.dshm.server.replication.jraft.rpc.MemberRpcClient;
import io.dshm.server.replication.jraft.rpc.MemberRpcServer;
import io.dshm.server.statemachine.SnapshotFiles;
import io.dshm.server.statemachine.StateMachine;
import io.dshm.server.statemachine.StateSource;
import io.dshm.server.statemachine.StateView;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongConsumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** This node's membership in the Raft group: its log, its votes, its snapshots. Thread-safe. */
public final class RaftGroup implements RaftLog {

    private static final Logger LOG = LoggerFactory.getLogger(RaftGroup.class);

    /** Between two looks of the leader at who answers. */
    private static final int WATCH_MILLIS = 1_000;

    /**
     * A node that lost its data waits for so many election timeouts for members that do not answer, if it can do without them;
     * see {@link JoiningTerm}. A candidate gives up after one, and so does who asks for votes.
     */
    private static final int PATIENCE_ELECTIONS = 10;

    /**
     * What a group needs to know.
     *
     * @param cluster the cluster's id: members of different clusters do not understand each other
     * @param self this node's name, one of the peers
     * @param peers the Raft addresses, {@code host:port}, of the members that the setting names, by their names: a new group consists of
     *     them
     * @param members who is a member now
     * @param listens false for a node that is alone, and stays so
     * @param network connects the members; unused by a node that is alone
     * @param bindAddress where the Raft port is opened, as long as there may be members that need it
     * @param port who may connect there
     * @param takesFormat1 whether it is opened at all: nodes of format 1 know no TLS
     * @param folder where log, votes and snapshots are kept
     * @param electionTimeoutMillis after which a follower that hears nothing of its leader starts an election
     * @param snapshotIntervalSeconds a snapshot is taken this often, if anything was written
     * @param snapshotLogBytes and whenever this much was written since the last one
     * @param logBytesMax and when the log takes more than that on the disk
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
     * @param roles of this node's role
     * @param onApplied of each index, on the thread that applies, before its proposal is told
     * @param onAppliedBatch after some of them
     * @param onCaughtUp when this node has applied all that was committed when it started
     * @param isRegistered asked by a node that has lost its data: whether an entry of this start of it is in the log
     * @param onRestored when a node that had lost its data has it back, and before it votes
     * @param onWaiting while a node that has lost its data waits, what for
     * @param foreign asked before this node takes over a snapshot of that member: why it must not, or null; may block
     * @param isRemoved whether this node is no member any more: then it asks for no votes
     * @param voters asked by a node that has lost its data, before it takes part
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

    /** Who votes, as the other nodes say, for a node that has lost its data. */
    @FunctionalInterface
    public interface Voters {

        /**
         * Asks them. Blocks until enough have answered.
         *
         * @param waiting is told, now and then, whose answers are missing
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
     * takes part; applying the log goes on. A node that has lost its data first waits for the others' terms, for as long as
     * it takes: see {@link JoiningTerm}. To be called once.
     *
     * @param progress how far this node had come
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
            // Otherwise this node gets to know them with its data.
            settings.peers().keySet().forEach(name -> members.addPeer(peer(name)));
        }
        boolean alone = !settings.listens();
        long termMin = votes ? 0 : joiningTerm(self, events);
        TermStorage.Terms terms = new TermStorage.Terms();
        MemberGuard guard = newGuard(terms, events);
        MemberRpcServer server = alone ? null : newServer(self.getPort(), applying, terms, guard, watch::isExhausted);
        NodeOptions options = RaftTuning.nodeOptions(
                settings,
                members,
                applying,
                memberOptions(() -> mayVote.get() && !events.isRemoved().getAsBoolean(), guard, watch),
                (path, raft) -> new TermStorage(path, raft, self, termMin, terms, progress, onFatal),
                raft -> new CheckedLogStorage(
                        new TimedLogStorage(watch.newLog(raft), counts),
                        settings.folder(),
                        progress,
                        watch.space(),
                        onFatal));
        RaftGroupService group = new RaftGroupService(groupId, self, options, server);
        node = startOrExplain(group, !alone);
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

    /** The earliest term in which this node, which has lost its data, may take part. */
    private long joiningTerm(PeerId self, Events events) throws InterruptedException {
        Consumer<List<String>> waiting =
                missing -> events.onWaiting().accept("its data is lost; it waits for the terms of " + missing);
        List<Electorate> electorates = events.voters().ask(waiting);
        Map<String, Endpoint> others = electorates.stream()
                .flatMap(voters -> voters.others().stream())
                .distinct()
                .collect(Collectors.toMap(
                        name -> name,
                        name -> Peers.of(settings.members().raftOf(name)).getEndpoint()));
        long patience = TimeUnit.MILLISECONDS.toNanos((long) PATIENCE_ELECTIONS * settings.electionTimeoutMillis());
        RpcClient client = new MemberRpcClient();
        // The question is put as one for a vote, but does not ask for one.
        client.init(memberOptions(() -> true, null, null));
        return new TermQuestions(groupId, self.toString(), others, electorates, client).ask(patience, waiting);
    }

    private NodeOptions memberOptions(
            BooleanSupplier mayAskForVotes, @Nullable MemberGuard guard, @Nullable DiskWatch watch) {
        return new MemberOptions(
                settings.network().dialer(),
                this::memberAt,
                mayAskForVotes,
                bytes -> watch == null || watch.hasRoomFor(bytes),
                guard,
                this::lastAppended);
    }

    /** The library says only in its log why it does not start: this adds what an operator can do about it. */
    private Node startOrExplain(RaftGroupService group, boolean listens) throws IOException {
        try {
            return group.start(listens);
        } catch (UncheckedIOException e) {
            throw e.getCause();
        } catch (IllegalStateException e) {
            Path folder = settings.folder();
            throw new IllegalStateException(
                    "data-dir: log, votes or snapshot in " + folder
                            + " cannot be opened; the lines before this one say which and why",
                    e.getCause());
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

    /** Fields about the disk, for people. */
    public Map<String, Object> diskStatus() {
        DiskWatch watch = disk;
        return watch == null ? Map.of() : watch.status();
    }

    /** Another node has said whether its disk is full. */
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

    /** Whether {@link #start} is through. */
    public boolean isRunning() {
        return node != null;
    }

    /** To be called before any class of the library's transport is loaded. */
    public static void prepareProcess() {
        RaftTuning.setProperties();
    }

    private MemberGuard newGuard(TermStorage.Terms terms, Events events) {
        return new MemberGuard(
                groupId,
                peer(settings.self()).toString(),
                settings.members().othersRaft(),
                address -> events.foreign().apply(settings.members().nameOf(address)),
                terms::durable,
                new RefusalLog("Raft", System::nanoTime));
    }

    private MemberRpcServer newServer(
            int port, ApplyAdapter applying, TermStorage.Terms terms, MemberGuard guard, BooleanSupplier noRoom) {
        ThreadPoolExecutor requests = threads.requests();
        BoltPort bolt = new BoltPort(
                new InetSocketAddress(settings.bindAddress(), port),
                MemberAddresses.LISTEN_SETTINGS,
                settings.port(),
                settings.network().calls().waiting(),
                requests);
        MemberRpcServer server = new MemberRpcServer(
                settings.network().calls(),
                bolt,
                () -> settings.takesFormat1() && stateMachine.format() < Formats.BOUNDS,
                terms::durable);
        LeaderReminder reminder = new LeaderReminder(System::nanoTime);
        Difference difference = new Difference(applying.applied(), terms::durable, onFatal);
        // Not told of closed connections: the end of a leader's old one would throw away what its new one uses by then,
        // and the leader would wait for its answers for seconds.
        server.registerProcessor(
                guard.before(new AppendRequests(requests, applying.applied(), difference, reminder, noRoom)));
        server.registerProcessor(guard.before(reminder.snapshots(requests, difference)));
        server.registerProcessor(guard.before(snapshotPace.copies(requests)));
        server.registerProcessor(guard.before(VoteGuard.votes(requests, mayVote::get)));
        server.registerProcessor(guard.before(VoteGuard.takeovers(requests, mayVote::get)));
        server.registerProcessor(guard.before(new ReadIndexRequestProcessor(requests)));
        return server;
    }

    private PeerId peer(String name) {
        return Peers.of(settings.peers().get(name));
    }

    private String nameOf(PeerId peer) {
        return settings.members().nameOf(peer.getEndpoint().toString());
    }

    private @Nullable String memberAt(String address) {
        String name = settings.members().nameOf(address);
        return name.equals(address) ? null : name;
    }

    /** Who votes, and changes of that. */
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
        DiskWatch watch = disk;
        if (watch != null && watch.isExhausted()) {
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

    /** What it has done since it started. */
    public RaftCounts counts() {
        return counts;
    }

    /** The last index in this node's log, on the disk or on the way there; 0 before the group runs. */
    public long lastLogIndex() {
        return lastAppended();
    }

    /** The last index of which this node knows that it is committed; 0 before the group runs. */
    public long committedIndex() {
        Node running = node;
        try {
            return running == null ? 0 : running.getLastCommittedIndex();
        } catch (IllegalStateException e) {
            LOG.trace("stopping", e);
            return 0;
        }
    }

    /** The last index in the log; 0 while this node starts or stops: then it tells no follower anything. */
    private long lastAppended() {
        Node running = node;
        try {
            return running == null ? 0 : running.getLastLogIndex();
        } catch (IllegalStateException e) {
            // Entries are still applied then. To fail here would fail the entry, and end the process.
            LOG.trace("stopping", e);
            return 0;
        }
    }

    /** Whether the log or a snapshot holds anything: not before the group has elected its first leader. */
    public boolean hasState() {
        return runningNode().getLastLogIndex() > 0;
    }

    /** Whether this node takes part in elections: always, except while it gets its data back after a loss. */
    public boolean mayVote() {
        return mayVote.get();
    }

    /** A number that is equal on all nodes with the same state at the same index; see {@link StateView#digest}. May block. */
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
        return new SnapshotOnRequest(settings.folder(), this, this::runningNode, this::appliedIndex)
                .take(confirmed, TimeUnit.SECONDS.toMillis(Limits.BACKUP_SNAPSHOT_SECONDS_MAX));
    }

    private long appliedIndex() {
        ApplyAdapter applying = adapter;
        var last = applying == null ? null : applying.applied().last();
        return last == null ? 0 : last.index();
    }

    /**
     * Makes, in the data folder of a node that has none yet, what a member of a new group finds there at its first start: a
     * snapshot of this state, and no log. On the disk when this returns.
     *
     * @param members the members' Raft addresses, {@code host:port}
     * @throws IOException if it cannot be written; what is in the folder is to be deleted then
     * @throws IllegalArgumentException if an address is not of that form; nothing was written then
     */
    public static void found(Path folder, Collection<String> members, StateSource state) throws IOException {
        List<PeerId> peers = new ArrayList<>();
        for (String address : new TreeSet<>(members)) {
            peers.add(Peers.of(address));
        }
        SnapshotFolder.found(folder, peers, state);
    }

    /** Takes a snapshot now, in the background; the result is complete when that has ended. */
    private CompletableFuture<Void> snapshot() {
        CompletableFuture<Void> ended = new CompletableFuture<>();
        runningNode().snapshot(status -> {
            // Busy: one is being written or loaded already, or follows a digest.
            if (!status.isOk() && status.getRaftError() != RaftError.EBUSY) {
                LOG.warn("no snapshot was taken: {}", status);
            }
            ended.complete(null);
        });
        return ended;
    }

    /** Hands leadership, if this node has it, to the member that is furthest along. Returns at once. */
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
