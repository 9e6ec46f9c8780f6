package io.dshm.server.simulation;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** What the members of the model of Raft have in common: messages, elections, and the one log that is committed. */
final class RaftCluster {

    final Events events;
    final Trace trace;
    final Network network;
    final Checks checks;
    final PlantedBug bug;

    private final List<@Nullable RaftMember> members = new ArrayList<>();
    private final List<RaftDisk.Entry> committed = new ArrayList<>();

    /** Who was elected in which term. */
    private final Map<Long, Integer> elected = new HashMap<>();

    /** One in so many calls that tell of a proposal's fate gets lost, or none (0). */
    private final boolean losesCallbacks;

    /** One in so many entries is refused although nobody else leads; 0 for never. */
    private final int busyOneIn;

    private final int slowDiskOneIn;

    /** Of silence, after which a follower tries to be elected, or a leader gives up. */
    final long electionNanos;

    private boolean healed;

    RaftCluster(Events events, Trace trace, Network network, Checks checks, PlantedBug bug, int size) {
        this.events = events;
        this.trace = trace;
        this.network = network;
        this.checks = checks;
        this.bug = bug;
        this.losesCallbacks = events.oneIn(8);
        this.busyOneIn = events.oneIn(3) ? 3 + events.random.nextInt(40) : 0;
        this.slowDiskOneIn = 10 + events.random.nextInt(100);
        this.electionNanos = TimeUnit.SECONDS.toNanos(events.oneIn(4) ? 12 : 1);
        for (int i = 0; i < size; i++) {
            members.add(null);
        }
    }

    int size() {
        return members.size();
    }

    String nameOf(int member) {
        return "n" + (member + 1);
    }

    void join(int number, @Nullable RaftMember member) {
        members.set(number, member);
    }

    /** No faults of its own from now on. */
    void heal() {
        healed = true;
    }

    boolean losesCallbacks() {
        return losesCallbacks && !healed;
    }

    boolean isBusy() {
        return busyOneIn > 0 && !healed && events.oneIn(busyOneIn);
    }

    long diskDelay() {
        return events.oneIn(slowDiskOneIn) ? events.millis(1, 50) : events.micros(600);
    }

    /** A message to another member: lost if it is down or a direction is blocked. */
    void send(int from, int to, Consumer<RaftMember> message) {
        events.after(network.delay(), () -> {
            RaftMember member = members.get(to);
            if (member != null && !network.isBlocked(from, to)) {
                member.process().after(0, () -> message.accept(member));
            }
        });
    }

    private boolean reach(int one, int other) {
        RaftMember member = members.get(other);
        return member != null
                && member.process().isRunning()
                && !network.isBlocked(one, other)
                && !network.isBlocked(other, one);
    }

    /** Makes that member the leader, if a majority can be reached and would vote for it. */
    void elect(int candidate) {
        RaftMember member = members.get(candidate);
        if (member == null
                || !member.process().isRunning()
                || member.leads()
                || member.disk().lost
                || !member.config().voters().contains(candidate)) {
            return;
        }
        List<RaftMember> voters = new ArrayList<>();
        List<Integer> numbers = new ArrayList<>(List.of(candidate));
        long term = member.term();
        for (int peer = 0; peer < members.size(); peer++) {
            RaftMember voter = members.get(peer);
            if (peer != candidate
                    && member.config().voters().contains(peer)
                    && voter != null
                    && reach(candidate, peer)
                    && voter.wouldVoteFor(member.disk())) {
                voters.add(voter);
                numbers.add(peer);
                term = Math.max(term, voter.term());
            }
        }
        if (member.config().isMajority(numbers)) {
            long next = term + 1;
            Integer twin = elected.putIfAbsent(next, candidate);
            Checks.require(twin == null, "two nodes lead in term %d: %d, and now %d", next, twin, candidate);
            voters.forEach(voter -> voter.adoptTerm(next, "another one is elected"));
            member.lead(next);
        }
    }

    /** Whether any member that runs takes itself for the leader. */
    boolean hasLeader() {
        return members.stream()
                .anyMatch(member ->
                        member != null && member.leads() && member.process().isRunning());
    }

    /** The leader as seen from there, if a majority confirms it now and it knows what is committed. */
    @Nullable
    RaftMember confirmedLeader(int asking) {
        for (int number = 0; number < members.size(); number++) {
            RaftMember leader = members.get(number);
            if (leader == null
                    || !leader.process().isRunning()
                    || !leader.hasCommittedInItsTerm()
                    || !leader.config().receives(asking)
                    || (number != asking && !reach(asking, number))) {
                continue;
            }
            List<Integer> confirming = new ArrayList<>(List.of(number));
            for (int peer = 0; peer < members.size(); peer++) {
                RaftMember follower = members.get(peer);
                if (peer != number
                        && follower != null
                        && reach(number, peer)
                        && follower.counts()
                        && follower.term() == leader.term()) {
                    confirming.add(peer);
                }
            }
            if (bug.trustsLeaders() || leader.config().isMajority(confirming)) {
                return leader;
            }
        }
        return null;
    }

    /**
     * A leader has found that entries are on a majority.
     *
     * @param holders that have acknowledged them, as that leader counts
     */
    void onCommitted(RaftDisk leader, long from, long to, List<Integer> holders) {
        Checks.require(
                leader.config().isMajority(holders),
                "index %d is committed with %s, which are no majority of %s",
                to,
                holders,
                leader.config());
        for (long index = Math.max(from, committed.size()) + 1; index <= to; index++) {
            RaftDisk.Entry entry = leader.entry(index);
            committed.add(entry);
            if (entry.data() != null) {
                checks.onCommitted(entry.index(), entry.data(), entry.term(), entry.stampedMillis());
            }
        }
        if (committed.get((int) to - 1).term() != leader.termAt(to)) {
            throw new IllegalStateException("the model of Raft commits two entries at index " + to);
        }
    }

    /** The last index that any leader found to be committed. */
    long committedIndex() {
        return committed.size();
    }
}
