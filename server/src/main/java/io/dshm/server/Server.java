package io.dshm.server;

import io.dshm.proto.Formats;
import io.dshm.proto.KeySeed;
import io.dshm.proto.Limits;
import io.dshm.server.admin.AdminListener;
import io.dshm.server.admin.NodeInfo;
import io.dshm.server.backup.Backups;
import io.dshm.server.backup.ScheduledBackups;
import io.dshm.server.config.ConfigException;
import io.dshm.server.config.Member;
import io.dshm.server.config.ServerConfig;
import io.dshm.server.config.TlsMode;
import io.dshm.server.config.Version;
import io.dshm.server.frontend.LaneShares;
import io.dshm.server.frontend.LoopWatch;
import io.dshm.server.frontend.MemoryBudget;
import io.dshm.server.guard.Guard;
import io.dshm.server.network.ClusterMembers;
import io.dshm.server.network.MemberAddresses;
import io.dshm.server.network.PeerPort;
import io.dshm.server.network.Ports;
import io.dshm.server.replication.ClusterFormat;
import io.dshm.server.replication.Replicator;
import io.dshm.server.replication.Roles;
import io.dshm.server.replication.contracts.ClockAndRandom;
import io.dshm.server.replication.forwarding.PeerConnector;
import io.dshm.server.replication.forwarding.PeerListener;
import io.dshm.server.replication.jraft.HalfFolderException;
import io.dshm.server.replication.jraft.RaftGroup;
import io.dshm.server.replication.jraft.rpc.MemberNetwork;
import io.dshm.server.replication.reads.LocalReads;
import io.dshm.server.replication.writes.RegistrationCheck;
import io.dshm.server.statemachine.ClusterClock;
import io.dshm.server.statemachine.StateMachine;
import io.dshm.server.statemachine.StateRoom;
import io.dshm.server.transport.CallServer;
import io.dshm.server.transport.Dialer;
import io.dshm.server.transport.Greeting;
import io.dshm.server.transport.UnansweredCalls;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollEventLoopGroup;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One node: all of its parts, and the order in which they start and stop. */
public final class Server {

    private static final Logger LOG = LoggerFactory.getLogger(Server.class);

    /** Exit status of a node that stopped to protect the data: a failed disk, a damaged log, an unknown format. */
    private static final int FATAL = 70;

    /** Exit status of a node that is to be started again: nothing is wrong with its data. */
    private static final int SHORT_OF_DESCRIPTORS = 1;

    private final ServerConfig config;
    private final ClusterClock clock = new ClusterClock(System::nanoTime);
    private final StateMachine stateMachine;
    private final Purger purger;
    private final LocalReads reads;
    private final EventLoopGroup loops;
    private final Class<? extends Channel> channelType;
    private final Ports ports;
    private final MemoryBudget budget;
    private final MemoryBudget replies;

    private final LaneShares shares = new LaneShares();
    private final NodeStatus status;

    private final MetricsParts metrics;

    private volatile @Nullable Running running;

    /** What exists once the node has started. */
    private record Running(
            NodeFolder folder,
            RaftGroup raft,
            Replicator replicator,
            MemberAddresses addresses,
            NodeTls tls,
            @Nullable PeerListener peers,
            ClientPorts clients,
            @Nullable AdminListener admin,
            @Nullable ScheduledBackups scheduledBackups) {}

    /** A node that has not started. */
    public Server(ServerConfig config) {
        this.config = config;
        this.stateMachine = new StateMachine(clock, stateRoom(config), searches());
        this.purger = new Purger(stateMachine, Server::stopForGood);
        this.reads = new LocalReads(stateMachine, clock, System::nanoTime, config.maxStalenessMillis());
        this.budget = new MemoryBudget(config.valueMemoryBytes());
        this.replies = new MemoryBudget(config.replyMemoryBytes());
        this.status = new NodeStatus(config, stateMachine, reads, clock, budget, replies);
        this.metrics = new MetricsParts(config, stateMachine, reads, budget, replies, status);
        DefaultThreadFactory threads = new DefaultThreadFactory("lane");
        if (Epoll.isAvailable()) {
            loops = new EpollEventLoopGroup(config.threads(), threads);
            channelType = EpollSocketChannel.class;
            ports = new Ports(loops, EpollServerSocketChannel.class);
        } else {
            loops = new NioEventLoopGroup(config.threads(), threads);
            channelType = NioSocketChannel.class;
            ports = new Ports(loops, NioServerSocketChannel.class);
        }
    }

    /** How the node is. */
    NodeInfo info() {
        return status;
    }

    /** A thread that looks at all entries, in order to find those that may be evicted. */
    private static Executor searches() {
        return new ThreadPoolExecutor(0, 1, 60, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> {
            Thread thread = new Thread(Guard.of("a search for entries to be evicted", task), "evictions");
            thread.setDaemon(true);
            return thread;
        });
    }

    /** What the heap has room for, or less if so much is not wanted. */
    private static StateRoom stateRoom(ServerConfig config) {
        long heap = Runtime.getRuntime().maxMemory();
        // What clients may not hold because buffers have no room for it is left to the collector.
        long keptFree = (heap - Limits.processMemoryBytes()) / 4;
        StateRoom room = StateRoom.ofHeap(heap, config.valueMemoryBytes() + config.replyMemoryBytes() + keptFree);
        if (config.memoryBytes() > room.growthMax()) {
            throw new ConfigException("memory-bytes: " + config.memoryBytes() + " is more than this heap of " + heap
                    + " bytes has room for, which is " + room.growthMax()
                    + "; start the node with a larger one (-Xmx)");
        }
        return config.memoryBytes() == 0 ? room : room.withGrowthMax(config.memoryBytes());
    }

    /**
     * Starts the node: the admin port first, so that operators see what it waits for, and clients' ports last. Returns
     * when it accepts clients; who leads may not be known yet, and then commands wait.
     *
     * @throws IOException if the data folder or an address cannot be used
     */
    public void start() throws IOException, InterruptedException {
        try {
            startParts();
        } catch (HalfFolderException e) {
            // A folder with a part of a node's data ends the process: a start that is tried again and again would not
            // help.
            stopForGood(String.valueOf(e.getMessage()));
            throw e;
        }
    }

    private void startParts() throws IOException, InterruptedException {
        LOG.info("{} starts: {}, cluster {}", config.node(), Version.OF_BUILD, config.cluster());
        Guard.endProcessOnError(Server::stopForGood);
        Member self = config.self();
        Map<String, String> setting =
                config.members().stream().collect(Collectors.toMap(Member::name, Member::address));
        ClusterMembers members = new ClusterMembers(self.name(), setting);
        NodeTls tls = new NodeTls(config.tls(), config.threads(), self.name(), members::hostsByName);
        new OpenPorts(config).check();
        status.setTls(tls);
        NodeFolder folder = NodeFolder.open(config.dataDir(), config.cluster(), config.node());
        if (!KeySeed.offer(folder.keySeed())) {
            throw new IllegalStateException("a key was made before the seed of its hash was known");
        }
        metrics.start();
        AdminListener admin = config.adminPort() == 0
                ? null
                : new AdminListener(
                        new InetSocketAddress(config.adminAddress(), config.adminPort()),
                        config.adminTokenFile(),
                        status,
                        metrics.source(),
                        tls.admin());
        status.setNotRunning("starting: takes over the log of an earlier release");
        folder.takeOverLog();
        List<String> others = config.members().stream()
                .map(Member::name)
                .filter(name -> !name.equals(self.name()))
                .toList();
        List<EventLoop> lanes = new ArrayList<>();
        loops.forEach(loop -> lanes.add((EventLoop) loop));
        MemberAddresses addresses = new MemberAddresses(Map.of());
        members.onChange(() -> addresses.set(members.forwarding()));
        Greeting.Members greeted = new Greeting.Members(
                config.cluster(),
                self.name(),
                () -> new Greeting.Incarnation(folder.id(), folder.starts()),
                members.others(),
                folder::clusterId,
                () -> members.isAgreed() && status.problem() == null,
                stateMachine::isReplaced);
        Dialer dialer = new Dialer(loops, channelType, greeted, addresses, tls.dialing());
        PeerConnector connector = new PeerConnector(dialer);
        PeerAdmission admission = new PeerAdmission(config, members);
        CallServer calls =
                new CallServer(UnansweredCalls.Total.ofMemory(Limits.processMemoryBytes()), System::nanoTime);
        RaftGroup raft = new RaftGroup(
                raftSettings(members, new MemberNetwork(dialer, calls), admission.raftPort()),
                stateMachine,
                Server::stopForGood);
        Removal removal = new Removal(self.name());
        status.setRemoval(removal);
        OwnCluster ownCluster = new OwnCluster(folder, connector, removal, Server::stopForGood);
        Membership membership = new Membership(setting, members, stateMachine, ownCluster::onState);
        PeerListener peers = !config.membersNamed()
                ? null
                : new PeerListener(
                        ports.with(tls.peers()),
                        new InetSocketAddress(config.raftBindAddress(), self.forwardingPort()),
                        admission.forwardingPort(),
                        greeted,
                        calls,
                        new PeerStatus(clock, reads, stateMachine, folder, raft)::get);
        if (!folder.isDecided()) {
            folder.setJoining(!others.isEmpty()
                    && FirstStart.joinsExistingCluster(
                            self.name(), others, connector, what -> status.setNotRunning("starting: " + what)));
        }
        Replicator replicator = new Replicator(
                new Replicator.Identity(self.name(), folder.id(), folder.starts()),
                () -> countStart(folder),
                lanes,
                config.requestTimeoutMillis(),
                raft,
                connector,
                reads,
                new ClusterFormat(
                        Formats.NEWEST,
                        stateMachine::format,
                        () -> stateMachine.formatReadBy(members.all().keySet())),
                clock,
                ClockAndRandom.real(),
                Server::stopForGood);
        Roles roles = new Roles(
                self.name(),
                members.others(),
                clock,
                connector,
                lanes.get(0),
                System::currentTimeMillis,
                stateMachine::clockMillis,
                stateMachine::wallMillis,
                stateMachine::needsTime,
                leadership -> {
                    status.onLeadership(leadership);
                    replicator.onLeadership(leadership);
                    ownCluster.onLeadership(leadership);
                    removal.onLeadership(leadership);
                });
        replicator.start(clock, stateMachine::needsTime, stateMachine::clockMillis);
        if (peers != null) {
            RegistrationCheck registrations = new RegistrationCheck(connector, stateMachine::format);
            peers.open((lane, replies) -> replicator.lane(lane).openSession(registrations, replies), replicator::isOwn);
        }
        status.setNotRunning("starting: loads its data");
        raft.start(
                !folder.isJoining(),
                folder.progress(),
                new RaftGroup.Events(
                        roles,
                        reads::onApplied,
                        () -> {
                            membership.onApplied();
                            replicator.onAppliedBatch();
                        },
                        () -> onCaughtUp(replicator),
                        replicator::isRegistered,
                        () -> onRestored(folder),
                        status::setNotRunning,
                        ownCluster::refusal,
                        removal::isRemoved,
                        new VoterQuestions(self.name(), members, connector)::ask));
        ClientPorts clients = new ClientPorts(config, ports, tls, budget, replies, shares, replicator::lane);
        purger.start();
        LoopWatch watch = new LoopWatch(lanes, System::nanoTime);
        Backups backups = new Backups(
                config.cluster(), self.name(), members::texts, raft::takeSnapshot, System::currentTimeMillis);
        ScheduledBackups scheduled = scheduledBackups(backups);
        MemberOperator operator = new MemberOperator(new MemberOperator.Node(
                self.name(),
                config.membersNamed(),
                roles::leadership,
                replicator::propose,
                reads::appliedIndex,
                stateMachine,
                members,
                raft.memberChanges(),
                connector));
        running = new Running(folder, raft, replicator, addresses, tls, peers, clients, admin, scheduled);
        NodeStatus.Parts parts = new NodeStatus.Parts(
                raft,
                roles,
                replicator,
                members,
                operator,
                clients.text(),
                clients.sharedance(),
                backups,
                scheduled,
                watch);
        status.setRunning(parts);
        metrics.setRunning(parts, loops, shares, calls.waiting()::bytes);
        new PeriodicTasks(lanes.get(0), config.node(), members, connector)
                .start(raft, roles, replicator, membership, ownCluster, status);
        LOG.info(
                "{} accepts clients on {}:{}, data in {}",
                self.name(),
                config.bindAddress(),
                config.port(),
                config.dataDir());
    }

    private @Nullable ScheduledBackups scheduledBackups(Backups backups) {
        ServerConfig.Backups settings = config.backups();
        Path dir = settings.dir();
        if (dir == null) {
            return null;
        }
        ScheduledBackups scheduled = new ScheduledBackups(
                new ScheduledBackups.Settings(dir, settings.intervalSeconds(), settings.keep(), settings.keepSeconds()),
                config.cluster() + "-" + config.node(),
                backups,
                System::currentTimeMillis);
        scheduled.start();
        return scheduled;
    }

    private RaftGroup.Settings raftSettings(ClusterMembers members, MemberNetwork network, PeerPort port) {
        Map<String, String> addresses =
                config.members().stream().collect(Collectors.toMap(Member::name, Member::raftAddress));
        return new RaftGroup.Settings(
                config.cluster(),
                config.node(),
                addresses,
                members,
                config.membersNamed(),
                network,
                config.raftBindAddress(),
                port,
                config.tls().peers() != TlsMode.ON,
                config.dataDir(),
                config.electionTimeoutMillis(),
                config.snapshotIntervalSeconds(),
                Math.min(config.snapshotLogBytes(), config.disk().logBytesMax() / 4),
                config.disk().logBytesMax(),
                config.disk().reserveBytes());
    }

    private void onCaughtUp(Replicator replicator) {
        reads.onCaughtUp();
        replicator.onAppliedBatch();
        LOG.info("{} is up to date as of index {}", config.node(), reads.appliedIndex());
        long own = stateMachine.memory().own();
        if (stateMachine.memory().isBeyond(own)) {
            LOG.warn(
                    "{} has room for a state of {} bytes, and the cluster's has {}. It grows on, and this node stops when its heap"
                            + " cannot hold it. Give it the same heap as the other nodes",
                    config.node(),
                    own,
                    stateMachine.bytes());
        }
    }

    private static void onRestored(NodeFolder folder) {
        try {
            folder.setJoining(false);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Stops the node: no new clients, leadership to another node, an answer to everything that is under way, then the
     * rest. Takes at most the configured time, and a little.
     */
    public void stop() throws IOException, InterruptedException {
        Running parts = running;
        if (parts == null) {
            return;
        }
        status.setNotRunning("stopping");
        if (parts.scheduledBackups != null) {
            parts.scheduledBackups.close();
        }
        running = null;
        LOG.info("{} stops", config.node());
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(config.shutdownSeconds());
        parts.clients.stopAccepting();
        parts.raft.transferLeadership();
        await(shares.close(), deadline, "shares of limits are not given back");
        await(parts.replicator.drain(), deadline, "commands are still under way");
        await(parts.clients.finishConnections(), deadline, "clients are still connected");
        if (parts.admin != null) {
            parts.admin.stop();
        }
        if (parts.peers != null) {
            parts.peers.stop();
        }
        parts.replicator.close();
        purger.close();
        metrics.close();
        parts.addresses.close();
        parts.tls.close();
        parts.raft.stop();
        loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).await();
        parts.folder.close();
        LOG.info("{} has stopped", config.node());
    }

    private static void await(CompletableFuture<Void> done, long deadlineNanos, String otherwise)
            throws InterruptedException {
        try {
            done.get(Math.max(1, deadlineNanos - System.nanoTime()), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            LOG.warn("{}; the stop goes on without them", otherwise);
        } catch (ExecutionException e) {
            throw new IllegalStateException(e.getCause());
        }
    }

    private static long countStart(NodeFolder folder) {
        try {
            return folder.countStart();
        } catch (IOException e) {
            stopForGood("data-dir: the node's number of starts cannot be written: " + e.getMessage());
            throw new UncheckedIOException(e);
        }
    }

    /** Ends the process at once, without a clean stop: what it knows or writes can no longer be trusted. */
    private static void stopForGood(String why) {
        boolean mayStartAgain = Descriptors.areShort();
        try {
            LOG.error(
                    "this node stops{}: {}",
                    mayStartAgain ? ", no file descriptor is left (see LimitNOFILE, ulimit -n)" : "",
                    why);
        } finally {
            // Also when there is no memory left for the message.
            Runtime.getRuntime().halt(mayStartAgain ? SHORT_OF_DESCRIPTORS : FATAL);
        }
    }
}
