package io.dshm.server.simulation;

import java.util.HashMap;
import java.util.Map;

/**
 * Whether the cluster's time goes on at the speed of the simulated world, whoever leads: no change of leader, crash or
 * step of a wall clock may stop it or make it jump.
 */
final class ClusterTime {

    /** A new leader knows the time from stamps and answers that travelled; of the time for which it was cut off, 11/13. */
    private static final long LOST_A_CHANGE_MILLIS = 300;

    /** Clocks run at speeds that differ from the world's by at most this many parts of a thousand. */
    private static final long DRIFT_PERMILLE = 1;

    /** The same while they are slewed. */
    private static final long SLEWED_PERMILLE = 84;

    private static final long SLACK_MILLIS = 50;

    /** How long a time that one leader has found by its wall clock, or has gone by, may be known to nobody else. */
    private static final long SHARED_MILLIS = 2_000;

    private final long driftPermille;
    private boolean known;
    private long foundMillis;
    private boolean twoTimes;
    private long stampMillis;
    private long realMillis;

    /** The same of the leader before: the last one may have gone by a time of its own, and the next one by this. */
    private boolean earlierKnown;

    private long earlierStampMillis;
    private long earlierRealMillis;

    /** The stamp at which the cluster's time was furthest behind the real time, and the real time then. */
    private long furthestBehindStampMillis;

    private long furthestBehindRealMillis;
    private long lostMillis;
    private int changes;
    private long electedMillis;

    /** Of the last leader that has stamped an entry: its term, its last stamp, and the real time of that. */
    private long term;

    private long lastStampMillis;
    private long lastRealMillis;

    /** Until when a node that has entries of the leader of a term followed it, and nobody else yet, by that term. */
    private final Map<Long, Long> followedUntilMillis = new HashMap<>();

    /** Of the last leader that was elected; until its first stamp. */
    private boolean justStarted;

    ClusterTime(boolean slewed) {
        this.driftPermille = slewed ? SLEWED_PERMILLE : DRIFT_PERMILLE;
    }

    /**
     * All nodes that a leader could ask had just started: the wall clock says what time it is.
     *
     * @param ambiguous whether a node that could not be asked knew the time: then there are two, until the end
     */
    void onTimeByWallClock(long real, boolean ambiguous) {
        twoTimes |= ambiguous;
        foundMillis = real;
        known = false;
        earlierKnown = false;
        changes = 0;
    }

    /** @param justStarted whether the new leader has to ask the others for the time */
    void onElection(long real, boolean justStarted) {
        changes++;
        this.justStarted = justStarted;
        electedMillis = real;
        if (real - foundMillis < SHARED_MILLIS) {
            // Who found it took it along, perhaps.
            earlierKnown |= known;
            if (known) {
                earlierStampMillis = stampMillis;
                earlierRealMillis = realMillis;
            }
            known = false;
        }
    }

    /** A node that has stamps of the leader of that term in its log has lost it, or follows the next one. */
    void onLost(long ofTerm, long real) {
        followedUntilMillis.put(ofTerm, real);
    }

    /** That leader, elected then, which has stamps in its log, leads no more. */
    void onLed(long ofTerm, long electedReal, long real) {
        if (foundMillis >= electedReal) {
            onLost(ofTerm, real); // it has found its time by a wall clock, which counts once it is committed
        }
    }

    /**
     * An entry is committed that the leader of that term stamped at that instant of the real time.
     *
     * @param awaited whether anything waited for the time before that entry: if nothing did, nothing ends too early
     */
    void onStamp(long stamp, long ofTerm, long real, boolean awaited) {
        boolean changed = ofTerm != term;
        long lost = changed ? lostBeforeMillis(real) : 0;
        long behind = (real - lastRealMillis) - (stamp - lastStampMillis);
        boolean comparable = known && changed && lastRealMillis >= foundMillis;
        long sinceMillis = real - lastRealMillis;
        lastRealMillis = real;
        lastStampMillis = stamp;
        term = ofTerm;
        if (twoTimes || real < foundMillis) {
            return;
        }
        if (!known) {
            known = true;
            stampMillis = stamp;
            realMillis = real;
            furthestBehindStampMillis = stamp;
            furthestBehindRealMillis = real;
            lostMillis = 0;
            return;
        }
        lostMillis += lost;
        Checks.require(
                !comparable || behind <= slackMillis(sinceMillis) + lost + LOST_A_CHANGE_MILLIS,
                "a change of leader has set the cluster's time back by %d ms",
                behind);
        // Not since the first stamp: a clock that was behind must not make up for it, that would end periods early.
        long caughtUp = (stamp - furthestBehindStampMillis) - (real - furthestBehindRealMillis);
        long slack = slackMillis(real - furthestBehindRealMillis);
        // But who knows the last leader by the log only may have the time of a node that has not heard of that one.
        boolean first = justStarted && real >= electedMillis;
        boolean mayCatchUp = !awaited || (first && caughtUp <= slack + lostMillis);
        Checks.require(mayCatchUp || caughtUp <= slack, "the cluster's time has jumped ahead by %d ms", caughtUp);
        justStarted &= real < electedMillis;
        if (caughtUp < 0 || mayCatchUp) {
            furthestBehindStampMillis = stamp;
            furthestBehindRealMillis = real;
        }
        long gained = (stamp - stampMillis) - (real - realMillis);
        // While nothing waits for the time, a leader may go by the time of the leader before the last one.
        long gainedOnEarlier = (stamp - earlierStampMillis) - (real - earlierRealMillis);
        Checks.require(
                gained <= slackMillis(real - realMillis)
                        || (earlierKnown && gainedOnEarlier <= slackMillis(real - earlierRealMillis)),
                "the cluster's time is ahead by %d ms",
                gained);
        Checks.require(
                -gained <= slackMillis(real - realMillis) + lostMillis + changes * LOST_A_CHANGE_MILLIS,
                "the cluster's time is behind by %d ms after %d changes of leader",
                -gained,
                changes);
    }

    /**
     * What the next leader, which makes its first stamp, may have lost since the last stamp. It knows that 11/13 of that
     * time have passed by the clock of the one before. But who has followed that one, and not heard what its clock
     * showed, goes on from its last stamp when it lost that one, or from when it follows the next one; so does that
     * leader itself, if it has found its time by a wall clock.
     */
    private long lostBeforeMillis(long real) {
        long knownMillis = Math.max(lastRealMillis, followedUntilMillis.getOrDefault(term, 0L));
        return knownMillis - lastRealMillis + Math.max(0, real - knownMillis) * 2 / 13;
    }

    /** How much two clocks may differ after so much real time. */
    private long slackMillis(long passedMillis) {
        return SLACK_MILLIS + passedMillis * driftPermille / 1000;
    }
}
