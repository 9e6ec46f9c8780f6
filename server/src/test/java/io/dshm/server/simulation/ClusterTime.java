package io.dshm.server.simulation;

/**
 * Whether the cluster's time goes on at the speed of the simulated world, whoever leads: no change of leader, crash or
 * step of a wall clock may stop it or make it jump.
 */
final class ClusterTime {

    /** A new leader knows the time from stamps and answers that travelled; of the time for which it was cut off, 11/13. */
    private static final long LOST_A_CHANGE_MILLIS = 700;

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
    private long committedMillis;
    private long gapFromMillis;
    private long lostMillis;
    private int changes;
    private long electedMillis;

    private boolean gap;

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
        if (!gap) {
            gap = true;
            gapFromMillis = committedMillis;
        }
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

    /**
     * An entry is committed now that a leader stamped at that instant of the real time.
     *
     * @param awaited whether anything waited for the time before that entry: if nothing did, nothing ends too early
     */
    void onStamp(long stamp, long real, long now, boolean awaited) {
        committedMillis = now;
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
            gap = false;
            return;
        }
        if (gap && real >= electedMillis) {
            // Of this time, the next leader knows only that 11/13 have passed by the clock of the one before. If it has
            // not heard what that clock showed, it goes on from that leader's last stamp when it lost that leader.
            lostMillis += (real - gapFromMillis) * 2 / 13;
            gap = false;
        }
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

    /** How much two clocks may differ after so much real time. */
    private long slackMillis(long passedMillis) {
        return SLACK_MILLIS + passedMillis * driftPermille / 1000;
    }
}
