package io.dshm.server.simulation;

import io.dshm.server.replication.contracts.RaftLog;
import io.dshm.server.replication.contracts.RoleListener;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * One node's part in the model of Raft: its log, its term, and what it knows of the others. What a crash leaves is in
 * {@link RaftDisk}; what SOFAJRaft's threads may do in one order or another is left to the seed.
 *
 * <p>How it works: replication goes by messages, which may be lost, late or out of order; an election is one atomic step
 * that only a candidate wins whose log is as new as those of a majority. Both are what Raft allows.
 */
final class RaftMember {

    private static final int HEARTBEAT_MILLIS = 100;

    /** What the library calls, on the thread that applies. */
    interface Applier {
        void came(long term);

        void apply(RaftDisk.Entry entry, RaftLog.@Nullable Proposal proposal);

        void onBatch();

        void install(Snapshots.Snapshot snapshot);

        boolean mayInstall();

        boolean knowsTime();
    }

    private final RaftCluster cluster;
    private final Events events;
    private final Trace trace;
    private final int self;
    private final RaftDisk disk;
    private final Lifetime process;
    private final SimulatedThread proposals;
    private final SimulatedThread applying;
    private final Applier applier;
    private final RoleListener roles;

    private boolean leads;
    private boolean transferring;
    private int leader = -1;

    /** Of the leader that it has followed last. */
    private long leaderTerm;

    /** When it was last elected itself. */
    private long electedMillis;

    /** When the last entry of a leader came, by its term, since this process started. */
    private final Map<Long, Long> cameMillis = new TreeMap<>();

    private long commitIndex;
    private long handedIndex;
    private long leaderStart;
    private long lastHeardNanos;
    private final long[] next;
    private final long[] match;
    private final long[] answeredNanos;

    /** Of a leader: since which entry a peer gets the log. What it acknowledged before does not count, it may have been another one. */
    private final long[] joined;

    /** The terms and configurations that the others have told at last since this node started without its data. */
    private final Map<Integer, Long> termsHeard = new TreeMap<>();

    private final Map<Integer, RaftConfig> configsHeard = new TreeMap<>();

    /** False until it may take part. */
    private boolean counts;

    private boolean installing;
    private final TreeMap<Long, RaftLog.Proposal> pending = new TreeMap<>();
    private final TreeMap<Long, Runnable> appliedListeners = new TreeMap<>();

    RaftMember(
            RaftCluster cluster,
            int self,
            RaftDisk disk,
            Lifetime process,
            SimulatedThread applying,
            Applier applier,
            RoleListener roles) {
        this.cluster = cluster;
        this.events = cluster.events;
        this.trace = cluster.trace;
        this.self = self;
        this.disk = disk;
        this.process = process;
        this.proposals = new SimulatedThread(events, process, 100);
        this.applying = applying;
        this.applier = applier;
        this.roles = roles;
        this.commitIndex = disk.snapshot.index();
        this.handedIndex = disk.snapshot.index();
        this.next = new long[cluster.size()];
        this.match = new long[cluster.size()];
        this.answeredNanos = new long[cluster.size()];
        this.joined = new long[cluster.size()];
        this.configsHeard.put(self, disk.config());
    }

    void start() {
        lastHeardNanos = events.nowNanos();
        counts = !disk.lost || cluster.bug.countsAtOnce();
        askForTerms();
        heartbeat();
        awaitElection();
    }

    // A node that lost its data: what RaftGroup does before it starts the library's node.

    /** Asks until so many have answered that none of the elections that it may have voted in is unknown to all of them. */
    private void askForTerms() {
        if (counts) {
            return;
        }
        configsHeard.values().stream()
                .flatMap(config -> config.voters().stream())
                .distinct()
                .filter(peer -> peer != self)
                .sorted()
                .forEach(peer -> cluster.send(self, peer, member -> member.onTermQuestion(self, peer)));
        process.after(events.millis(20, 200), this::askForTerms);
    }

    private void onTermQuestion(int from, int me) {
        long term = disk.term;
        RaftConfig config = disk.config();
        if (!disk.lost) {
            cluster.send(self, from, member -> member.onTermHeard(me, term, config));
        }
    }

    private void onTermHeard(int from, long term, RaftConfig config) {
        termsHeard.put(from, term);
        configsHeard.put(from, config);
        if (!counts
                && configsHeard.values().stream().allMatch(told -> told.hasHeardEnough(self, termsHeard.keySet()))) {
            disk.term = Math.max(disk.term, Collections.max(termsHeard.values()));
            counts = true;
            disk.lost = !cluster.bug.votesAtOnce();
            trace.note("n%d takes part from term %d on", self + 1, disk.term);
        }
    }

    /** Whether what it says counts for a majority. */
    boolean counts() {
        return counts;
    }

    /** It holds again whatever it may have promised to keep. */
    void onRestored() {
        if (disk.lost) {
            trace.note("n%d has its data back", self + 1);
            disk.lost = false;
        }
    }

    long term() {
        return disk.term;
    }

    boolean leads() {
        return leads;
    }

    Lifetime process() {
        return process;
    }

    long handedIndex() {
        return handedIndex;
    }

    private void heartbeat() {
        if (leads) {
            if (!hasQuorum() && !cluster.bug.trustsLeaders()) {
                stepDown(disk.term, "no majority answers");
            } else {
                sendToAll();
            }
        }
        process.after(TimeUnit.MILLISECONDS.toNanos(HEARTBEAT_MILLIS), this::heartbeat);
    }

    private boolean hasQuorum() {
        List<Integer> answering = new ArrayList<>();
        for (int peer = 0; peer < next.length; peer++) {
            if (peer == self || events.nowNanos() - answeredNanos[peer] < cluster.electionNanos / 10 * 9) {
                answering.add(peer);
            }
        }
        return disk.config().isMajority(answering);
    }

    private void awaitElection() {
        process.after(events.millis(100, 1_000), () -> {
            if (!leads && events.nowNanos() - lastHeardNanos > cluster.electionNanos) {
                // If no majority would vote for it, it may hear the same leader again, in the same term.
                forgetLeader("the leader was silent for too long");
                cluster.elect(self);
            }
            awaitElection();
        });
    }

    // Elections: called by the cluster in one atomic step.

    boolean wouldVoteFor(RaftDisk candidate) {
        if (disk.lost) {
            return false;
        }
        long lastTerm = disk.termAt(disk.lastIndex());
        long theirs = candidate.termAt(candidate.lastIndex());
        return theirs > lastTerm || (theirs == lastTerm && candidate.lastIndex() >= disk.lastIndex());
    }

    RaftDisk disk() {
        return disk;
    }

    void adoptTerm(long term, String why) {
        if (term > disk.term) {
            if (leads) {
                stepDown(term, why);
            }
            disk.term = term;
            lastHeardNanos = events.nowNanos();
            forgetLeader(why);
        }
    }

    void lead(long term) {
        adoptTerm(term, "candidate");
        trace.note("n%d is elected in term %d", self + 1, term);
        electedMillis = events.nowMillis();
        cluster.checks.time().onElection(electedMillis, !applier.knowsTime());
        leads = true;
        transferring = false;
        leader = self;
        Arrays.fill(match, 0);
        Arrays.fill(joined, 0);
        Arrays.fill(next, disk.lastIndex() + 1);
        Arrays.fill(answeredNanos, events.nowNanos());
        leaderStart = append(null, events.nowMillis(), null);
        sendToAll();
    }

    private void forgetLeader(String why) {
        if (leader >= 0) {
            leader = -1;
            leaderLost();
            long term = disk.term;
            applying.execute(() -> roles.onFollowingEnded(term, why));
        }
    }

    /** Whether there is a stamp of the leader of that term in the log, which this member may go by and has not applied. */
    private boolean hasStampOf(long term) {
        for (long index = disk.lastIndex(); index > disk.baseIndex && disk.termAt(index) >= term; index--) {
            if (disk.termAt(index) == term && disk.entry(index).data() != null) {
                return true;
            }
        }
        return false;
    }

    private void leaderLost() {
        if (hasStampOf(leaderTerm)) {
            cluster.checks.time().onLost(leaderTerm, cameMillis.getOrDefault(leaderTerm, events.nowMillis()));
        }
    }

    /** No longer the leader; what was proposed may still be committed. */
    void stepDown(long newTerm, String why) {
        trace.note("n%d steps down (term %d -> %d): %s", self + 1, disk.term, newTerm, why);
        leads = false;
        leader = -1;
        lastHeardNanos = events.nowNanos();
        List<RaftLog.Proposal> open = new ArrayList<>(pending.values());
        pending.clear();
        Collections.shuffle(open, events.random);
        open.forEach(proposal -> tellLater(() -> proposal.uncertain(why)));
        long term = disk.term;
        if (hasStampOf(term)) {
            cluster.checks.time().onLed(term, electedMillis, events.nowMillis());
        }
        disk.term = newTerm;
        applying.execute(() -> roles.onLeadingEnded(term, why));
    }

    /** The library's pool for such calls has no order, and once in a while a call is lost. */
    private void tellLater(Runnable call) {
        if (!cluster.losesCallbacks() || !events.oneIn(10)) {
            process.after(events.oneIn(10) ? events.millis(1, 300) : events.micros(500), call);
        }
    }

    /** Hands leadership to another member: proposals are refused meanwhile, in the same term. */
    void transfer() {
        if (leads && !transferring) {
            trace.note("n%d refuses for a while", self + 1);
            transferring = true;
            process.after(events.millis(0, 20), () -> transferring = false);
        }
    }

    // Proposing.

    void propose(byte[] entry, long term, RaftLog.Proposal proposal) {
        byte[] proposed = cluster.bug.onProposed(self, entry, term);
        long stampedMillis = events.nowMillis();
        proposals.handOver(() -> proposeNow(proposed, stampedMillis, term, proposal));
    }

    private void proposeNow(byte[] entry, long stampedMillis, long term, RaftLog.Proposal proposal) {
        if (!leads || transferring || disk.term != term || cluster.isBusy()) {
            trace.note("n%d refuses an entry of term %d", self + 1, term);
            tellLater(proposal::refused);
        } else if (cluster.isBusy()) {
            // The library refuses it with a status that proves nothing.
            trace.note("n%d drops an entry of term %d", self + 1, term);
            tellLater(() -> proposal.uncertain("busy"));
        } else {
            long index = append(entry, stampedMillis, null);
            trace.note("n%d appends %d", self + 1, index);
            pending.put(index, proposal);
            sendToAll();
        }
    }

    private long append(byte @Nullable [] data, long stampedMillis, @Nullable RaftConfig config) {
        RaftDisk.Entry entry = new RaftDisk.Entry(disk.lastIndex() + 1, disk.term, data, stampedMillis, config);
        came(entry);
        disk.append(entry);
        process.after(cluster.diskDelay(), () -> {
            if (entry.index() >= disk.baseIndex
                    && entry.index() <= disk.lastIndex()
                    && disk.termAt(entry.index()) == entry.term()) {
                disk.durable = Math.max(disk.durable, entry.index());
                advanceCommit();
            }
        });
        return entry.index();
    }

    private void came(RaftDisk.Entry entry) {
        cameMillis.put(entry.term(), events.nowMillis());
        applier.came(entry.term());
    }

    // Members that change, one at a time (Raft thesis, 4.1): two majorities of neighbouring configurations have a node
    // in common.

    /** The newest configuration in its log. */
    RaftConfig config() {
        return disk.config();
    }

    RaftConfig configAt(long index) {
        return disk.configAt(index);
    }

    /** Whether this leader's newest configuration is agreed on, so that the next change may begin. */
    boolean isSettled() {
        return hasCommittedInItsTerm() && disk.configIndex() <= commitIndex;
    }

    /** Proposes the next configuration, which has one member more or less, or a learner that votes; it counts at once. */
    void change(RaftConfig changed) {
        if (!isSettled() || transferring || changed.equals(config())) {
            return;
        }
        RaftConfig before = config();
        trace.note("n%d changes the members from %s to %s", self + 1, before, changed);
        long index = append(null, events.nowMillis(), changed);
        for (int peer = 0; peer < next.length; peer++) {
            if (changed.receives(peer) && !before.receives(peer)) {
                match[peer] = 0;
                next[peer] = index;
                joined[peer] = index;
                answeredNanos[peer] = events.nowNanos();
            }
        }
        sendToAll();
        advanceCommit();
    }

    /** Whether a peer has nearly all that this leader has. */
    boolean isClose(int peer) {
        return disk.lastIndex() - match[peer] < 20;
    }

    private void nudge() {
        int known = leader;
        if (known >= 0 && known != self) {
            cluster.send(self, known, member -> {
                if (member.leads) {
                    member.send(self);
                }
            });
        }
    }

    // Replication.

    private void sendToAll() {
        for (int peer = 0; peer < next.length; peer++) {
            if (peer != self && (disk.config().receives(peer) || cluster.bug.countsRemovedNodes())) {
                send(peer);
            }
        }
    }

    private void send(int peer) {
        long term = disk.term;
        long since = joined[peer];
        if (next[peer] <= disk.baseIndex) {
            Snapshots.Snapshot snapshot = disk.snapshot;
            cluster.send(self, peer, member -> member.onInstall(new Request(self, term, since), snapshot));
            return;
        }
        long previous = next[peer] - 1;
        long previousTerm = disk.termAt(previous);
        List<RaftDisk.Entry> entries = disk.after(previous);
        long commit = commitIndex;
        next[peer] = disk.lastIndex() + 1;
        cluster.send(
                self,
                peer,
                member -> member.onAppend(new Request(self, term, since), previous, previousTerm, entries, commit));
    }

    /** Which leader it is from, and since which entry that one sends the log. */
    private record Request(int from, long term, long joined) {}

    private boolean accepts(int from, long term) {
        if (!counts) {
            return false;
        }
        if (term < disk.term) {
            long newer = disk.term;
            cluster.send(self, from, member -> member.adoptTerm(newer, "a higher term was seen"));
            return false;
        }
        adoptTerm(term, "a new leader was heard of");
        lastHeardNanos = events.nowNanos();
        if (leader != from) {
            leaderLost();
            leader = from;
            leaderTerm = term;
            String name = cluster.nameOf(from);
            applying.execute(() -> roles.onFollowing(name, term));
        }
        return true;
    }

    private void onAppend(
            Request request, long previous, long previousTerm, List<RaftDisk.Entry> entries, long commit) {
        if (!accepts(request.from, request.term) || installing) {
            return;
        }
        if (previous > disk.lastIndex()) {
            answer(request, false, disk.lastIndex());
            return;
        }
        if (previous >= disk.baseIndex && disk.termAt(previous) != previousTerm) {
            answer(request, false, commitIndex);
            return;
        }
        for (RaftDisk.Entry entry : entries) {
            if (entry.index() <= disk.baseIndex) {
                continue;
            }
            if (entry.index() <= disk.lastIndex()) {
                if (disk.termAt(entry.index()) == entry.term()) {
                    continue;
                }
                if (entry.index() <= commitIndex) {
                    throw new IllegalStateException("the model of Raft overwrites a committed entry");
                }
                disk.cutOffFrom(entry.index());
            }
            came(entry);
            disk.append(entry);
        }
        long last = previous + entries.size();
        disk.durable = Math.max(disk.durable, last);
        process.after(cluster.diskDelay(), () -> answer(request, true, last));
        commitTo(Math.min(commit, last));
    }

    private void answer(Request request, boolean success, long index) {
        Request answer = new Request(self, request.term, request.joined);
        cluster.send(self, request.from, member -> member.onAnswer(answer, success, index));
    }

    private void onAnswer(Request request, boolean success, long index) {
        int from = request.from;
        if (!leads || request.term != disk.term || request.joined != joined[from]) {
            return;
        }
        answeredNanos[from] = events.nowNanos();
        if (success) {
            match[from] = Math.max(match[from], index);
            next[from] = Math.max(next[from], index + 1);
            advanceCommit();
        } else if (index + 1 < next[from]) {
            // Below what it had acknowledged, if it has lost its data since; what it had acknowledged then still
            // counts.
            next[from] = index + 1;
            send(from);
        }
    }

    private void advanceCommit() {
        if (!leads) {
            return;
        }
        match[self] = disk.durable;
        RaftConfig config = disk.config();
        List<Long> held = new ArrayList<>();
        for (int peer = 0; peer < match.length; peer++) {
            if (config.voters().contains(peer)
                    || (config.learners().contains(peer) && cluster.bug.countsLearners())
                    || cluster.bug.countsRemovedNodes()) {
                held.add(match[peer]);
            }
        }
        held.sort(Comparator.reverseOrder());
        long majority = held.get(config.voters().size() / 2);
        if (majority > commitIndex && disk.termAt(majority) == disk.term) {
            List<Integer> holders = IntStream.range(0, match.length)
                    .filter(peer -> match[peer] >= majority)
                    .boxed()
                    .toList();
            cluster.onCommitted(disk, commitIndex, majority, holders);
            commitTo(majority);
        }
    }

    private void commitTo(long index) {
        if (index > commitIndex) {
            commitIndex = index;
            applying.execute(() -> applyCommitted(index));
        }
    }

    /** As in the library, what is committed and the news of leaders come in the order in which they happened. */
    private void applyCommitted(long last) {
        while (handedIndex < last) {
            applyBatch(last);
        }
        tellAppliedListeners();
    }

    private void applyBatch(long last) {
        int batch = 1 + events.random.nextInt(8);
        boolean applied = false;
        while (handedIndex < last && batch-- > 0) {
            RaftDisk.Entry entry = disk.entry(handedIndex + 1);
            handedIndex++;
            if (entry.data() != null) {
                applier.apply(entry, pending.remove(entry.index()));
                applied = true;
            } else if (leads && entry.index() == leaderStart) {
                // Behind the news that are on their way already, such as that the last leader is lost.
                long term = disk.term;
                applying.execute(() -> roles.onLeading(term));
            }
        }
        if (applied) {
            applier.onBatch();
        }
    }

    // Snapshots.

    /** The term of the last entry that was handed to the state machine. */
    long handedTerm() {
        return disk.termAt(handedIndex);
    }

    /** Called when a snapshot of this node is whole. */
    void onSnapshotTaken(Snapshots.Snapshot snapshot) {
        if (snapshot.index() > disk.snapshot.index()) {
            disk.snapshot = snapshot;
            disk.compactTo(snapshot.index());
        }
    }

    private void onInstall(Request request, Snapshots.Snapshot snapshot) {
        if (!accepts(request.from, request.term) || installing) {
            return;
        }
        if (snapshot.index() <= commitIndex) {
            answer(request, true, commitIndex);
            return;
        }
        installing = true;
        applying.execute(() -> {
            installing = false;
            if (snapshot.index() <= commitIndex || !applier.mayInstall()) {
                return;
            }
            trace.note("n%d installs the snapshot of index %d", self + 1, snapshot.index());
            commitIndex = snapshot.index();
            handedIndex = snapshot.index();
            boolean continues = snapshot.index() <= disk.lastIndex()
                    && snapshot.index() >= disk.baseIndex
                    && disk.termAt(snapshot.index()) == snapshot.term();
            if (continues) {
                disk.compactTo(snapshot.index());
            } else {
                disk.replace(snapshot);
            }
            disk.durable = Math.max(disk.baseIndex, Math.min(disk.durable, disk.lastIndex()));
            disk.snapshot = snapshot;
            applier.install(snapshot);
            tellAppliedListeners();
            answer(request, true, snapshot.index());
        });
    }

    // Reads: this is where linearizable ones find their index.

    /**
     * Asks for the commit index of a leader that a majority confirms.
     *
     * @param applied is called once this node has applied that index; never if nobody could be asked
     */
    boolean readIndex(Runnable applied) {
        RaftMember confirmed = counts ? cluster.confirmedLeader(self) : null;
        if (confirmed == null) {
            return false;
        }
        appliedListeners.merge(confirmed.commitIndex, applied, (first, second) -> () -> {
            first.run();
            second.run();
        });
        process.after(cluster.network.delay(), this::nudge);
        applying.execute(this::tellAppliedListeners);
        return true;
    }

    boolean hasCommittedInItsTerm() {
        return leads && commitIndex >= leaderStart;
    }

    private void tellAppliedListeners() {
        while (!appliedListeners.isEmpty() && appliedListeners.firstKey() <= handedIndex) {
            Map.Entry<Long, Runnable> first = appliedListeners.pollFirstEntry();
            first.getValue().run();
        }
    }
}
