package io.dshm.client;

import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Calls that the event loop has not seen yet: a stack, to which any thread adds by one compare-and-set. */
final class Arrivals {

    private final AtomicReference<@Nullable Call<?>> top = new AtomicReference<>();

    /** Returns whether it is the first one, so that the event loop has to be woken. */
    boolean add(Call<?> call) {
        Call<?> below;
        do {
            below = top.get();
            call.next = below;
        } while (!top.compareAndSet(below, call));
        return below == null;
    }

    /** Takes all: the oldest one, with the others behind it; null if there are none. */
    @Nullable
    Call<?> takeAll() {
        Call<?> first = null;
        for (Call<?> call = top.getAndSet(null); call != null; ) {
            Call<?> below = call.next;
            call.next = first;
            first = call;
            call = below;
        }
        return first;
    }
}
