package io.dshm.client;

import io.netty.util.concurrent.ScheduledFuture;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Sees to it that no call outlives its deadline, with one timer for all. Of the event loop. */
final class Deadlines {

    private final Core core;
    private final NodeChoice nodes;
    private final Queues queues;
    private final Outcomes outcomes;
    private @Nullable ScheduledFuture<?> expiry;
    private long expiryNanos;

    Deadlines(Core core, NodeChoice nodes, Queues queues, Outcomes outcomes) {
        this.core = core;
        this.nodes = nodes;
        this.queues = queues;
        this.outcomes = outcomes;
    }

    /** There is a call with that deadline. */
    void expireAt(long nanos) {
        ScheduledFuture<?> planned = expiry;
        if (planned != null && nanos - expiryNanos >= 0) {
            return;
        }
        if (planned != null) {
            planned.cancel(false);
        }
        expiryNanos = nanos;
        if (!core.loop.isShuttingDown()) {
            expiry = core.loop.schedule(this::expire, Math.max(0, nanos - System.nanoTime()), TimeUnit.NANOSECONDS);
        }
    }

    /**
     * Ends all calls whose deadline is over, and lets go what nobody waits for. It looks at all that are outstanding,
     * but only when the earliest deadline among those that were there is over: a few times in the life of a call.
     */
    void expire() {
        ScheduledFuture<?> planned = expiry;
        if (planned != null) {
            planned.cancel(false);
            expiry = null;
        }
        long now = System.nanoTime();
        List<Call<?>> over = new ArrayList<>();
        nodes.takeBackUnsent(now);
        nodes.forEachCall(call -> {
            if (call.isDue(now)) {
                over.add(call);
            }
        });
        over.addAll(queues.removeAll(call -> call.isDue(now)));
        over.forEach(outcomes::expired);
        long[] left = {Long.MAX_VALUE};
        Consumer<Call<?>> look =
                call -> left[0] = Math.min(left[0], call.isOver() ? left[0] : call.deadlineNanos - now);
        nodes.forEachCall(look);
        queues.forEach(look);
        if (left[0] != Long.MAX_VALUE) {
            expireAt(now + left[0]);
        }
        core.pump();
    }
}
