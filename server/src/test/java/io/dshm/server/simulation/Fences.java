package io.dshm.server.simulation;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The fences of permits. The reference does not know their numbers, only whether one is new; what must hold of them is checked here: the
 * same on all nodes, above all that were given before, and for who renews one that was given before.
 */
final class Fences {

    private static final Pattern FENCE = Pattern.compile(" fence=(\\w+)");

    /** By their order in the log. */
    private final TreeMap<Long, Long> given = new TreeMap<>();

    /** The words without the number of a fence. */
    static String hidden(String words) {
        return FENCE.matcher(words).replaceAll(" fence=?");
    }

    /** Whether a node has found what is expected after that entry. */
    boolean areAsExpected(List<Reference.Effect> expected, List<Reference.Effect> found, long index) {
        boolean good = expected.size() == found.size();
        for (int i = 0; good && i < found.size(); i++) {
            String wanted = expected.get(i).value();
            String words = found.get(i).value();
            Matcher number = FENCE.matcher(words == null ? "" : words);
            if (wanted == null || words == null || !number.find()) {
                good = expected.get(i).equals(found.get(i));
            } else {
                good = hidden(wanted).equals(hidden(words))
                        && isGood(wanted.endsWith("new"), (index << 20) + i, Long.parseLong(number.group(1)));
            }
        }
        return good;
    }

    private boolean isGood(boolean isNew, long place, long fence) {
        if (!isNew) {
            return given.headMap(place).containsValue(fence);
        }
        Map.Entry<Long, Long> before = given.lowerEntry(place);
        Map.Entry<Long, Long> after = given.higherEntry(place);
        Long known = given.putIfAbsent(place, fence);
        return (known == null || known == fence)
                && (before == null || before.getValue() < fence)
                && (after == null || after.getValue() > fence);
    }
}
