package io.dshm.server.replication;

import io.dshm.proto.wire.StatusReply;
import io.dshm.server.guard.Guard;
import io.dshm.server.replication.contracts.Leadership;
import io.dshm.server.replication.contracts.PeerStatuses;
import io.dshm.server.replication.contracts.RoleListener;
import io.dshm.server.statemachine.ClusterClock;
import java.net.ConnectException;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a change of role brings with it: the operator's line in the log, the lanes' new leader, and the time.
 *
 * <p>Before a node that has just started leads, it has to know the time (see {@link ClusterClock}): it asks the other
 * nodes, and only if none of them has run on since a stamp, so that all have just started, the wall clock accounts for
 * the time that they were down. A node that follows asks its leader, so that it is prepared, and goes by that leader's
 * time.
 */
public final class Roles implements RoleListener {

    private static final Logger LOG = LoggerFactory.getLogger(Roles.class);

    /** How long a new leader waits for the others' time. A majority has just voted for it, so they answer at once. */
    private static final long ASK_MILLIS = 500;

    /** How often it asks while less than a majority answers, before it relies on the wall clock. */
    private static final int ASK_ATTEMPTS_MAX = 6;

    /** The longest life of a share, 10 s, by the slowest clock; see {@code server.shares}. */
    private static final long SHARES_OVER_MILLIS = 12_000;

    /** A time without any node that is worth a warning: the machine's clock may be wrong. */
    private static final long NOTABLE_GAP_MILLIS = 60_000;

    private final String self;
    private final Collection<String> others;
    private final ClusterClock clock;
    private final PeerStatuses peers;
    private final ScheduledExecutorService executor;
    private final LongSupplier wallMillis;
    private final LongSupplier loggedClockMillis;
    private final LongSupplier loggedWallMillis;
    private final BooleanSupplier timeMatters;
    private final long startedMillis;
    private final Consumer<Leadership> leaderships;

    /** Written under this object's lock. */
    private volatile Leadership current = Leadership.NONE;

    /**
     * Roles of a node that has none yet.
     *
     * @param others the names of the other members; may change
     * @param executor runs what has to wait for answers
     * @param loggedClockMillis the cluster clock of the last entry applied, or 0
     * @param loggedWallMillis the wall clock that came with it
     * @param timeMatters whether anything in the state waits for the time
     * @param leaderships is told who leads
     */
    public Roles(
            String self,
            Collection<String> others,
            ClusterClock clock,
            PeerStatuses peers,
            ScheduledExecutorService executor,
            LongSupplier wallMillis,
            LongSupplier loggedClockMillis,
            LongSupplier loggedWallMillis,
            BooleanSupplier timeMatters,
            Consumer<Leadership> leaderships) {
        this.self = self;
        this.others = others;
        this.clock = clock;
        this.peers = peers;
        this.executor = executor;
        this.wallMillis = wallMillis;
        this.loggedClockMillis = loggedClockMillis;
        this.loggedWallMillis = loggedWallMillis;
        this.timeMatters = timeMatters;
        this.startedMillis = clock.monotonicMillis();
        this.leaderships = leaderships;
    }

    /** Who leads, as far as this node knows. Any thread. */
    public Leadership leadership() {
        return current;
    }

    @Override
    public synchronized void onLeading(long term) {
        LOG.info("{} leads in term {}: elected by a majority, all earlier entries applied", self, term);
        Leadership elected = new Leadership(term, self, false);
        current = elected;
        if (clock.isAnchored()) {
            lead(elected);
            return;
        }
        findTime(elected, 1);
    }

    /** Asks the others for the time, and leads as soon as it is known. */
    private void findTime(Leadership elected, int attempt) {
        if (!current.equals(elected)) {
            return;
        }
        List<CompletableFuture<Void>> answers =
                others.stream().map(this::askNode).toList();
        CompletableFuture.allOf(answers.toArray(new CompletableFuture<?>[0]))
                .whenCompleteAsync(
                        Guard.last("finding the time", (nothing, someFailed) -> {
                            if (clock.isAnchored() || mayGoByWallClock(answers, attempt)) {
                                lead(elected);
                            } else {
                                executor.schedule(
                                        Guard.of("finding the time", () -> findTime(elected, attempt + 1)),
                                        ASK_MILLIS / 5,
                                        TimeUnit.MILLISECONDS);
                            }
                        }),
                        executor);
    }

    /**
     * Whether no node has run on, as far as can be known. One that cannot be reached may have, and decide limits from
     * shares whose life the wall clock would end: so it is waited for, until the shares of a time before this node
     * started are over by any clock. Where nothing in the state waits for the time, there are none.
     */
    private boolean mayGoByWallClock(List<CompletableFuture<Void>> answers, int attempt) {
        long answered = answers.stream()
                .filter(answer -> !answer.isCompletedExceptionally())
                .count();
        boolean majority = answered + 1 > (others.size() + 1) / 2;
        if (!majority && attempt < ASK_ATTEMPTS_MAX) {
            return false;
        }
        return !timeMatters.getAsBoolean()
                || clock.monotonicMillis() - startedMillis >= SHARES_OVER_MILLIS
                || answers.stream().allMatch(Roles::isAnsweredOrDown);
    }

    /** Nothing listens where a node is down, or has not opened its ports for clients yet: it has no shares. */
    private static boolean isAnsweredOrDown(CompletableFuture<Void> answer) {
        try {
            answer.join();
            return true;
        } catch (CompletionException e) {
            return e.getCause() instanceof ConnectException refused
                    && String.valueOf(refused.getMessage()).contains("refused");
        }
    }

    /**
     * Asks one node what time it is for a leader to be. Its answer counts as soon as it arrives: the next one may take
     * as long as the time-out. All earlier entries are applied here, so this node knows whether anything waits for the
     * time.
     */
    private CompletableFuture<Void> askNode(String node) {
        return peers.ask(node, ASK_MILLIS).thenAccept(answer -> {
            // A node of an older version tells one time only.
            long millis = timeMatters.getAsBoolean()
                    ? answer.getClusterTimeMillis()
                    : Math.max(answer.getClusterTimeMillis(), answer.getEstimateMillis());
            clock.hear(millis, answer.getClockTerm(), answer.getClockAnchored());
        });
    }

    /** All nodes have just started: the time, if the wall clock was right meanwhile. */
    private long timeByWallClock() {
        long logged = loggedClockMillis.getAsLong();
        long wall = wallMillis.getAsLong();
        if (logged == 0) {
            return wall;
        }
        if (loggedWallMillis.getAsLong() == 0) {
            LOG.info("the state was restored with the times to live that remained: they go on from there");
            return logged;
        }
        long gap = wall - loggedWallMillis.getAsLong();
        long down = Math.max(0, gap);
        LOG.info("no node has run on since the last entry: the wall clock accounts for {} ms", down);
        if (Math.abs(gap) > NOTABLE_GAP_MILLIS) {
            LOG.warn(gapWarning(loggedWallMillis.getAsLong(), wall));
        }
        return logged + down;
    }

    /** The warning for operators in case the machine's clock was or is wrong. Package-private for its test. */
    static String gapWarning(long lastEntryWallMillis, long wallMillis) {
        Instant before = Instant.ofEpochMilli(lastEntryWallMillis);
        Instant now = Instant.ofEpochMilli(wallMillis);
        return now.isBefore(before)
                ? "the last entry was written at " + before + ", and this machine's clock says " + now
                        + ": times to live stood still meanwhile. Is the clock right?"
                : "all nodes were down from " + before + " to " + now + ": times to live went on by "
                        + Duration.between(before, now).toSeconds() + " s. Is this machine's clock right?";
    }

    private synchronized void lead(Leadership elected) {
        if (current.equals(elected)) {
            if (!clock.isAnchored()) {
                clock.found(timeByWallClock());
            }
            clock.lead(elected.term(), timeMatters.getAsBoolean());
            publish(new Leadership(elected.term(), self, true));
        }
    }

    @Override
    public synchronized void onLeadingEnded(long term, String why) {
        LOG.info("{} leads no longer: {}", self, why);
        clock.endLeading();
        publish(new Leadership(term, null, false));
    }

    @Override
    public synchronized void onFollowing(String leader, long term) {
        LOG.info("{} follows {} in term {}", self, leader, term);
        clock.follow(term);
        publish(new Leadership(term, leader, false));
        askForTime(current);
    }

    @Override
    public synchronized void onFollowingEnded(long term, String why) {
        LOG.info("{} has no leader any more (term {}): {}", self, term, why);
        clock.endFollowing();
        publish(new Leadership(term, null, false));
    }

    private void publish(Leadership leadership) {
        current = leadership;
        leaderships.accept(leadership);
    }

    /**
     * Asks the leader repeatedly for the time, until it answers as a leader that knows it, or another node leads.
     * What it said before it led in this term may be ahead of what it goes on from.
     */
    @SuppressWarnings("ReferenceEquality") // Of the same leader, heard again, another loop asks.
    private void askForTime(Leadership following) {
        String leader = following.leader();
        if (leader == null || current != following) {
            return;
        }
        peers.ask(leader, ASK_MILLIS)
                .thenApply(answer -> {
                    clock.hear(answer.getClusterTimeMillis(), termIn(answer, following), answer.getClockAnchored());
                    return answer;
                })
                .whenCompleteAsync(
                        Guard.last("asking the leader for the time", (answer, failed) -> {
                            if (failed != null
                                    || !answer.getClockAnchored()
                                    || termIn(answer, following) < following.term()) {
                                askAgainLater(following);
                            }
                        }),
                        executor);
    }

    /** Nodes of older versions do not say whose time it is. */
    private static long termIn(StatusReply answer, Leadership following) {
        return answer.getClockTerm() == 0 ? following.term() : answer.getClockTerm();
    }

    private void askAgainLater(Leadership following) {
        executor.schedule(
                Guard.of("asking the leader for the time", () -> askForTime(following)),
                ASK_MILLIS / 5,
                TimeUnit.MILLISECONDS);
    }
}
