package io.dshm.server.history;

import java.util.ArrayList;
import java.util.List;

/**
 * The begins and ends of calls that are not in the linearization yet, by time, as a linked list from which a call is taken
 * and put back in no time. Calls go by their index; those put back must be the last ones taken, in reverse.
 *
 * <p>Node {@code i} is the begin of call {@code i}, node {@code count + i} its end, node {@code 2 * count} both ends of
 * the list.
 */
final class EventList {

    private final int count;
    private final int[] next;
    private final int[] previous;

    /** @param calls none of them optional */
    EventList(List<Call> calls) {
        count = calls.size();
        next = new int[2 * count + 1];
        previous = new int[2 * count + 1];
        List<Integer> nodes = new ArrayList<>();
        for (int node = 0; node < 2 * count; node++) {
            nodes.add(node);
        }
        // At the same instant, begins before ends: such calls are taken to overlap.
        nodes.sort((a, b) -> {
            int byTime = Long.compare(time(calls, a), time(calls, b));
            return byTime != 0 ? byTime : Integer.compare(a, b);
        });
        int last = 2 * count;
        for (int node : nodes) {
            next[last] = node;
            previous[node] = last;
            last = node;
        }
        next[last] = 2 * count;
        previous[2 * count] = last;
    }

    private long time(List<Call> calls, int node) {
        return isBegin(node) ? calls.get(node).from() : calls.get(node - count).to();
    }

    boolean isEmpty() {
        return first() == 2 * count;
    }

    /** The first node; of a list that is not empty always a begin. */
    int first() {
        return next[2 * count];
    }

    int after(int node) {
        return next[node];
    }

    /** Whether a node is the begin of a call; its number is the call's index. */
    boolean isBegin(int node) {
        return node < count;
    }

    /** The call that ends first. The list must not be empty. */
    int firstToEnd() {
        int node = first();
        while (isBegin(node)) {
            node = next[node];
        }
        return node - count;
    }

    void take(int call) {
        unlink(call);
        unlink(count + call);
    }

    void putBack(int call) {
        link(count + call);
        link(call);
    }

    private void unlink(int node) {
        next[previous[node]] = next[node];
        previous[next[node]] = previous[node];
    }

    private void link(int node) {
        next[previous[node]] = node;
        previous[next[node]] = node;
    }
}
