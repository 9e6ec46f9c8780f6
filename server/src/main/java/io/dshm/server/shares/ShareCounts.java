package io.dshm.server.shares;

import io.dshm.server.counters.Tally;

/** What one lane's shares have decided, and what was asked for. Written by the lane's thread, read by any. */
public final class ShareCounts {

    private final Tally byShare = new Tally();
    private final Tally byLog = new Tally();
    private final Tally granted = new Tally();
    private final Tally refused = new Tally();
    private final Tally failed = new Tally();

    void decided(boolean fromShare) {
        (fromShare ? byShare : byLog).add(1);
    }

    void granted() {
        granted.add(1);
    }

    void refused() {
        refused.add(1);
    }

    void failed() {
        failed.add(1);
    }

    /** Takes that this node's shares have decided. */
    public long takenByShare() {
        return byShare.get();
    }

    /** Takes that might have been decided from a share, and that the log had to decide. */
    public long takenByLog() {
        return byLog.get();
    }

    /** Shares that the log has granted. */
    public long grantsGranted() {
        return granted.get();
    }

    /** Shares that were asked for and not granted: less than half of what was wanted was left. */
    public long grantsRefused() {
        return refused.get();
    }

    /** Shares that were asked for, and got an error. */
    public long grantsFailed() {
        return failed.get();
    }
}
