package io.dshm.server.history;

import io.dshm.server.history.Call.Kind;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Calls that may have taken effect, in groups that do the same. Of a group the first unused one goes first, so that how
 * many are used up says which.
 */
final class OptionalCalls {

    private final List<List<Integer>> groups = new ArrayList<>();
    private final Map<Integer, Integer> groupOf = new HashMap<>();
    private final int[] used;

    /**
     * @param calls by the instant from which on they can have taken effect
     * @param first the number of the first optional one; all behind it are
     */
    OptionalCalls(List<Call> calls, int first) {
        Map<Object, Integer> known = new HashMap<>();
        for (int number = first; number < calls.size(); number++) {
            Call call = calls.get(number);
            boolean alike = call.kind() == Kind.REMOVE || call.kind() == Kind.TOUCH;
            Object same = alike ? call.kind() : call.operation().action();
            int group = known.computeIfAbsent(same, absent -> known.size());
            if (group == groups.size()) {
                groups.add(new ArrayList<>());
            }
            groups.get(group).add(number);
            groupOf.put(number, group);
        }
        used = new int[groups.size()];
    }

    /** The first unused call of each group. */
    List<Integer> next() {
        List<Integer> next = new ArrayList<>();
        for (int group = 0; group < used.length; group++) {
            if (used[group] < groups.get(group).size()) {
                next.add(groups.get(group).get(used[group]));
            }
        }
        return next;
    }

    void use(int call) {
        used[groupOf(call)]++;
    }

    /** Undoes the last {@link #use} of its group. */
    void putBack(int call) {
        used[groupOf(call)]--;
    }

    private int groupOf(int call) {
        Integer group = groupOf.get(call);
        if (group == null) {
            throw new IllegalArgumentException("not optional: " + call);
        }
        return group;
    }

    /** How many of each group are used up; not to be changed. */
    int[] used() {
        return used;
    }
}
