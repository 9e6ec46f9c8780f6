package io.dshm.server.replication.jraft;

import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;

/**
 * Tells the followers soon what is committed. By itself a follower hears of a commit with the next entry or heartbeat
 * of its leader, and where nothing else is written, that is the heartbeat, tens of milliseconds later: so old would
 * local reads be there.
 *
 * <p>The leader looks, {@link #FIRST_LOOK_MICROS} after it has applied something, whether it has appended an entry
 * since. If so, that entry's way to the followers tells them of the commit. If not, it sends heartbeats. Under load it
 * only looks, less and less often up to every {@link #NEXT_LOOK_MICROS_MAX}: a heartbeat for each entry would cost as
 * much as the entries.
 *
 * <p>A follower refuses a heartbeat, and hears of no commit, while it still writes the entry before it. An entry is
 * committed when a majority has it, so a slower follower may do so. The heartbeats are sent again after
 * {@link #REPEATS_MICROS}, if there is still no newer entry.
 *
 * <p>{@link #onLeading}, {@link #onLeadingEnded} and {@link #onApplied} are called on the thread that applies; the
 * timer may be any thread.
 */
final class CommitNotices {

    /** Long enough for the next request of a client that waits for its reply, where one follows at once. */
    static final long FIRST_LOOK_MICROS = 500;

    /** While entries follow each other; twice as long each time, because each look wakes a thread. */
    static final long NEXT_LOOK_MICROS = 2_000;

    static final long NEXT_LOOK_MICROS_MAX = 8_000;

    /**
     * After the first heartbeats, and after each further ones: about the times of a usual and of a slow write to a
     * disk.
     */
    static final List<Long> REPEATS_MICROS = List.of(2_000L, 6_000L);

    /** Runs a task once, after some time. */
    interface Timer {
        void schedule(Runnable task, long micros);
    }

    private final LongSupplier lastAppended;
    private final Runnable heartbeats;
    private final Timer timer;

    private volatile boolean leading;

    /** The last index that the leader has applied. */
    private volatile long applied;

    /** Whether a look is due. The fields below belong to whoever has set this. */
    private final AtomicBoolean looking = new AtomicBoolean();

    /** What was applied and what was appended at the last look, or when the looks began. */
    private long appliedBefore;

    private long appendedBefore;

    private long nextLookMicros;

    /** Up to here the followers have been told, or an entry on its way tells them. */
    private long told;

    /**
     * No notices, until this node leads.
     *
     * @param lastAppended the last index in this node's log; cheap, any thread
     * @param heartbeats sends one to each follower; returns at once
     */
    CommitNotices(LongSupplier lastAppended, Runnable heartbeats, Timer timer) {
        this.lastAppended = lastAppended;
        this.heartbeats = heartbeats;
        this.timer = timer;
    }

    void onLeading() {
        leading = true;
    }

    void onLeadingEnded() {
        leading = false;
    }

    /** All entries up to this index are committed and applied here. */
    void onApplied(long index) {
        applied = index;
        if (leading) {
            lookIfIdle();
        }
    }

    private void lookIfIdle() {
        if (looking.compareAndSet(false, true)) {
            remember(applied);
            nextLookMicros = NEXT_LOOK_MICROS;
            timer.schedule(this::look, FIRST_LOOK_MICROS);
        }
    }

    /** What is applied is read first: entries that are appended from here on are sent with it. */
    private void remember(long appliedNow) {
        appliedBefore = appliedNow;
        appendedBefore = lastAppended.getAsLong();
    }

    /** Sends heartbeats if nothing was appended since, and later again. */
    private void tell(long appended, int repeats) {
        if (leading && lastAppended.getAsLong() == appended) {
            heartbeats.run();
            if (repeats < REPEATS_MICROS.size()) {
                timer.schedule(() -> tell(appended, repeats + 1), REPEATS_MICROS.get(repeats));
            }
        }
    }

    private void look() {
        long appliedNow = applied;
        if (lastAppended.getAsLong() == appendedBefore) {
            told = appliedNow;
            tell(appendedBefore, 0);
        } else {
            told = appliedBefore;
        }
        if (leading && appliedNow > told) {
            remember(appliedNow);
            timer.schedule(this::look, nextLookMicros);
            nextLookMicros = Math.min(2 * nextLookMicros, NEXT_LOOK_MICROS_MAX);
            return;
        }
        looking.set(false);
        if (leading && applied > told) {
            lookIfIdle();
        }
    }
}
