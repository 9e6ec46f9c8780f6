package io.dshm.server.replication.jraft;

import com.alipay.sofa.jraft.Node;
import com.alipay.sofa.jraft.RaftGroupService;
import com.alipay.sofa.jraft.entity.PeerId;
import com.alipay.sofa.jraft.option.NodeOptions;
import com.alipay.sofa.jraft.rpc.RpcClient;
import com.alipay.sofa.jraft.rpc.impl.core.ReadIndexRequestProcessor;
import com.alipay.sofa.jraft.util.Endpoint;
import io.dshm.proto.Formats;
import io.dshm.server.network.MemberAddresses;
import io.dshm.server.network.RefusalLog;
import io.dshm.server.replication.jraft.bolt.BoltPort;
import io.dshm.server.replication.jraft.repairs.AppendRequests;
import io.dshm.server.replication.jraft.repairs.AppliedTerms;
import io.dshm.server.replication.jraft.repairs.Difference;
import io.dshm.server.replication.jraft.repairs.LeaderReminder;
import io.dshm.server.replication.jraft.repairs.MemberGuard;
import io.dshm.server.replication.jraft.repairs.SnapshotPace;
import io.dshm.server.replication.jraft.repairs.VoteGuard;
import io.dshm.server.replication.jraft.rpc.MemberOptions;
import io.dshm.server.replication.jraft.rpc.MemberRpcClient;
import io.dshm.server.replication.jraft.rpc.MemberRpcServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.IntSupplier;
import java.util.function.LongPredicate;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What a {@link RaftGroup} is started with: its side towards the other members. */
final class GroupStart {

    /**
     * A node that lost its data waits so many election timeouts for silent members, if it can do without them;
     * see {@link JoiningTerm}. A candidate gives up after one.
     */
    private static final int PATIENCE_ELECTIONS = 10;

    private final RaftGroup.Settings settings;
    private final String groupId;
    private final PeerId self;
    private final RaftGroup.Events events;
    private final TermStorage.Terms terms;
    private final BooleanSupplier mayVote;
    private final LongSupplier lastAppended;
    private final MemberGuard guard;

    /**
     * For one start.
     *
     * @param terms what this node's votes are, once they are loaded
     * @param mayVote false while this node gets lost data back
     * @param lastAppended the last index in the log
     */
    GroupStart(
            RaftGroup.Settings settings,
            String groupId,
            PeerId self,
            RaftGroup.Events events,
            TermStorage.Terms terms,
            BooleanSupplier mayVote,
            LongSupplier lastAppended) {
        this.settings = settings;
        this.groupId = groupId;
        this.self = self;
        this.events = events;
        this.terms = terms;
        this.mayVote = mayVote;
        this.lastAppended = lastAppended;
        this.guard = new MemberGuard(
                groupId,
                self.toString(),
                settings.members().othersRaft(),
                address -> events.foreign().apply(settings.members().nameOf(address)),
                terms::durable,
                new RefusalLog("Raft", System::nanoTime));
    }

    /** The earliest term in which this node, which has lost its data, may take part. */
    long joiningTerm() throws InterruptedException {
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
        // The question has the form of a request for a vote, but no vote is given for it.
        client.init(memberOptions(() -> true, null, bytes -> true));
        return new TermQuestions(groupId, self.toString(), others, electorates, client).ask(patience, waiting);
    }

    /** The options that make the library use our transport. */
    NodeOptions memberOptions(DiskWatch watch) {
        return memberOptions(
                () -> mayVote.getAsBoolean() && !events.isRemoved().getAsBoolean(), guard, watch::hasRoomFor);
    }

    private NodeOptions memberOptions(
            BooleanSupplier mayAskForVotes, @Nullable MemberGuard admitting, LongPredicate hasRoomFor) {
        return new MemberOptions(
                settings.network().dialer(), this::memberAt, mayAskForVotes, hasRoomFor, admitting, lastAppended);
    }

    /** The library gives its reason only in the log: adds where to look, for the operator. */
    Node startOrExplain(RaftGroupService group, boolean listens) throws IOException {
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

    private @Nullable String memberAt(String address) {
        String name = settings.members().nameOf(address);
        return name.equals(address) ? null : name;
    }

    /**
     * Takes the other members' requests.
     *
     * @param format the cluster's
     * @param requests runs them
     * @param noRoom whether the disk takes no more entries
     */
    MemberRpcServer newServer(
            IntSupplier format,
            ThreadPoolExecutor requests,
            SnapshotPace snapshotPace,
            Difference difference,
            AppliedTerms applied,
            BooleanSupplier noRoom) {
        BoltPort bolt = new BoltPort(
                new InetSocketAddress(settings.bindAddress(), self.getPort()),
                MemberAddresses.LISTEN_SETTINGS,
                settings.port(),
                settings.network().calls().waiting(),
                requests);
        MemberRpcServer server = new MemberRpcServer(
                settings.network().calls(),
                bolt,
                () -> settings.takesFormat1() && format.getAsInt() < Formats.BOUNDS,
                terms::durable);
        LeaderReminder reminder = new LeaderReminder(System::nanoTime);
        // The library is not told of closed connections: when a leader's old one ends, it would also drop the state of
        // the new one, and the leader would wait seconds for answers.
        server.registerProcessor(guard.before(new AppendRequests(requests, applied, difference, reminder, noRoom)));
        server.registerProcessor(guard.before(reminder.snapshots(requests, difference)));
        server.registerProcessor(guard.before(snapshotPace.copies(requests)));
        server.registerProcessor(guard.before(VoteGuard.votes(requests, mayVote)));
        server.registerProcessor(guard.before(VoteGuard.takeovers(requests, mayVote)));
        server.registerProcessor(guard.before(new ReadIndexRequestProcessor(requests)));
        return server;
    }
}
