package io.dshm.client;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * Calls that are to be sent: what nodes answer at once, the rest, and what waits before it is tried again. Of the event
 * loop.
 */
final class Queues {

    final ArrayDeque<Call<?>> fast = new ArrayDeque<>();
    final ArrayDeque<Call<?>> slow = new ArrayDeque<>();
    private final List<Call<?>> delayed = new ArrayList<>();

    /** @param first whether it comes before all others, because it was sent before */
    void add(Call<?> call, boolean first) {
        call.queued = true;
        ArrayDeque<Call<?>> queue = call.isFastRead() ? fast : slow;
        if (first) {
            queue.addFirst(call);
        } else {
            queue.add(call);
        }
    }

    void delay(Call<?> call) {
        call.queued = true;
        delayed.add(call);
    }

    /** Its delay is over; false if it is not here any more. */
    boolean resume(Call<?> call) {
        boolean here = delayed.remove(call);
        if (here) {
            add(call, true);
        }
        return here;
    }

    /** Takes one out; false if it is not here any more. */
    boolean remove(Call<?> call) {
        boolean here = fast.remove(call) || slow.remove(call);
        call.queued &= !here;
        return here;
    }

    void forEach(Consumer<Call<?>> action) {
        fast.forEach(action);
        slow.forEach(action);
        delayed.forEach(action);
    }

    /** Takes out those of that kind, in their order. */
    List<Call<?>> removeAll(Predicate<Call<?>> kind) {
        List<Call<?>> taken = new ArrayList<>();
        for (Collection<Call<?>> queue : List.<Collection<Call<?>>>of(fast, slow, delayed)) {
            queue.removeIf(call -> kind.test(call) && taken.add(call));
        }
        taken.forEach(call -> call.queued = false);
        return taken;
    }
}
