package io.dshm.server.history;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The order of a connection: of the calls that a client has under way at the same time, one takes effect after the other.
 * Calls of unknown outcome are in no order: what came after them may have gone over another connection, or another node.
 */
final class CallOrder {

    private static final int NONE = -1;

    private final int[] predecessor;
    private final boolean[] followed;

    /** @param calls by the instant from which on they can have taken effect, which is the order of a client's calls, too */
    CallOrder(List<Call> calls, boolean connectionOrder) {
        predecessor = new int[calls.size()];
        followed = new boolean[calls.size()];
        Arrays.fill(predecessor, NONE);
        Map<Integer, Integer> lastOf = new HashMap<>();
        for (int i = 0; connectionOrder && i < calls.size(); i++) {
            Operation operation = calls.get(i).operation();
            if (!(operation.result() instanceof Result.Unknown)) {
                Integer last = lastOf.put(operation.client(), i);
                if (last != null) {
                    predecessor[i] = last;
                    followed[last] = true;
                }
            }
        }
    }

    /** Whether the call's predecessor, if it has one, is taken. */
    boolean canComeNext(int call, boolean[] taken) {
        return predecessor[call] == NONE || taken[predecessor[call]];
    }

    /** Whether a call of the same connection comes after it. */
    boolean isFollowed(int call) {
        return followed[call];
    }
}
