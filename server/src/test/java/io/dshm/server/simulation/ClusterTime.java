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

    /** How long a time that one leader has found by its wall clock may be known to nobody else. */
    private static final long SHARED_MILLIS = 2_000;

    private final long driftPermille;
    private boolean known;
    private long foundMillis;
    private boolean twoTimes;
    private long stampMillis;
    private long realMillis;
    private long committedMillis;
    private long gapFromMillis;
    private long lostMillis;
    private int changes;
    private long electedMillis;
    private boolean gap;

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
        changes = 0;
    }

    void onElection(long real) {
        changes++;
        electedMillis = real;
        if (!gap) {
            gap = true;
            gapFromMillis = committedMillis;
        }
        if (real - foundMillis < SHARED_MILLIS) {
            // Who found it took it along, perhaps.
            known = false;
        }
    }

    /** An entry is committed now that a leader stamped at that instant of the real time. */
    void onStamp(long stamp, long real, long now) {
        committedMillis = now;
        if (twoTimes || real < foundMillis) {
            return;
        }
        if (!known) {
            known = true;
            stampMillis = stamp;
            realMillis = real;
            lostMillis = 0;
            gap = false;
            return;
        }
        if (gap && real >= electedMillis) {
            // Of this time, the next leader knows only that 11/13 have passed by the clock of the one before.
            lostMillis += (real - gapFromMillis) * 2 / 13;
            gap = false;
        }
        long gained = (stamp - stampMillis) - (real - realMillis);
        long drift = (real - realMillis) * driftPermille / 1000;
        Checks.require(gained <= SLACK_MILLIS + drift, "the cluster's time has jumped ahead by %d ms", gained);
        Checks.require(
                -gained <= SLACK_MILLIS + drift + lostMillis + changes * LOST_A_CHANGE_MILLIS,
                "the cluster's time is behind by %d ms after %d changes of leader",
                -gained,
                changes);
    }
}
