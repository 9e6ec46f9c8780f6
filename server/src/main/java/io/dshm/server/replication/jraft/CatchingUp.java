package io.dshm.server.replication.jraft;

import io.dshm.server.guard.Guard;
import io.dshm.server.replication.contracts.RaftLog.ReadIndexListener;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks until this node has applied all that was committed when it asked, and, if it had lost its data, until that was
 * after it had registered. Then it may vote.
 */
final class CatchingUp {

    private static final Logger LOG = LoggerFactory.getLogger(CatchingUp.class);

    /** Between two questions, while nobody leads. */
    private static final int AGAIN_MILLIS = 100;

    private final String self;
    private final Rounds rounds;
    private final ScheduledExecutorService timer;
    private final AtomicBoolean mayVote;
    private final RaftGroup.Events events;

    CatchingUp(
            String self,
            Rounds rounds,
            ScheduledExecutorService timer,
            AtomicBoolean mayVote,
            RaftGroup.Events events) {
        this.self = self;
        this.rounds = rounds;
        this.timer = timer;
        this.mayVote = mayVote;
        this.events = events;
    }

    /** Returns at once. */
    void begin() {
        ask(false);
    }

    /** @param told whether this node has been up to date before */
    private void ask(boolean told) {
        boolean registered = mayVote.get() || events.isRegistered().getAsBoolean();
        rounds.readIndex(new ReadIndexListener() {
            @Override
            public void confirmed() {
                if (!told) {
                    events.onCaughtUp().run();
                }
                if (!registered) {
                    askLater(true);
                } else if (!mayVote.get()) {
                    events.onRestored().run();
                    mayVote.set(true);
                    LOG.info("{} has its data back, and votes again", self);
                }
            }

            @Override
            public void failed(String reason) {
                askLater(told);
            }
        });
    }

    private void askLater(boolean told) {
        timer.schedule(Guard.of("catching up", () -> ask(told)), AGAIN_MILLIS, TimeUnit.MILLISECONDS);
    }
}
