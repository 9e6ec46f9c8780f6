package io.dshm.server.history;

import io.dshm.server.history.Call.Kind;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Of a counter that only grows: what calls that are not in order yet have to see or make. */
final class ResultsLeft {

    private final KeyState state;
    private final List<Call> calls;
    private final List<Integer> bySum = new ArrayList<>();
    private final int[] placeOf;

    /** All before this place are taken. */
    private int first;

    /** @param calls none of them optional */
    ResultsLeft(List<Call> calls, KeyState state) {
        this.calls = calls;
        this.state = state;
        for (int call = 0; call < calls.size(); call++) {
            if (calls.get(call).value() != null) {
                bySum.add(call);
            }
        }
        bySum.sort(Comparator.comparingLong(call -> state.valueOf(call).number()));
        placeOf = new int[calls.size()];
        for (int place = 0; place < bySum.size(); place++) {
            placeOf[bySum.get(place)] = place;
        }
    }

    /** Takes note that a call is not in order any more. */
    void putBack(int call) {
        first = Math.min(first, placeOf[call]);
    }

    /** Whether a call would make the counter grow beyond what another one has to see or make. */
    boolean isPassedBy(int call, boolean[] taken) {
        while (first < bySum.size() && taken[bySum.get(first)]) {
            first++;
        }
        KeyState.Value after = state.valueAfter(call);
        if (first == bySum.size() || after == null || bySum.get(first) == call) {
            return false;
        }
        int next = bySum.get(first);
        long sum = state.valueOf(next).number();
        return calls.get(next).kind() == Kind.READ ? sum < after.number() : sum <= after.number();
    }
}
