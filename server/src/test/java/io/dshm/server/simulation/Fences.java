package io.dshm.server.simulation;

import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The fences of permits. The reference does not know their numbers, only whether one is new; what must hold of them is checked here: the
 * same on all nodes, above all that were given before, and for who renews one that was given before.
 */
final class Fences {

    private static final Pattern FENCE = Pattern.compile(" fence=(\\w+)");

    /** Of each effect: that of a repeat is the first time's. */
    private final IdentityHashMap<Reference.Effect, Long> known = new IdentityHashMap<>();

    /** By their order in the log. */
    private final TreeMap<Long, Long> given = new TreeMap<>();

    /** The words without the number of a fence. */
    static String hidden(String words) {
        return FENCE.matcher(words).replaceAll(" fence=?");
    }

    /** Whether words are what is expected, which may leave their end open. */
    static boolean areSame(String wanted, String words) {
        return wanted.endsWith(" ...")
                ? words.startsWith(wanted.substring(0, wanted.length() - 3))
                : hidden(wanted).equals(hidden(words));
    }

    /** Whether a node has found what is expected after that entry. */
    boolean areAsExpected(List<Reference.Effect> expected, List<Reference.Effect> found, long index) {
        boolean good = expected.size() == found.size();
        for (int i = 0; good && i < found.size(); i++) {
            String wanted = expected.get(i).value();
            String words = found.get(i).value();
            Matcher number = FENCE.matcher(words == null ? "" : words);
            if (wanted == null || words == null || !number.find()) {
                good = expected.get(i).kind().equals(found.get(i).kind())
                        && Objects.equals(expected.get(i).number(), found.get(i).number())
                        && (wanted == null ? words == null : words != null && areSame(wanted, words));
            } else {
                good = hidden(wanted).equals(hidden(words))
                        && isGood(expected.get(i), (index << 20) + i, Long.parseLong(number.group(1)));
            }
        }
        return good;
    }

    private boolean isGood(Reference.Effect effect, long place, long fence) {
        Long first = known.putIfAbsent(effect, fence);
        if (first != null) {
            return first == fence;
        }
        if (!String.valueOf(effect.value()).endsWith("new")) {
            return given.headMap(place).containsValue(fence);
        }
        Map.Entry<Long, Long> before = given.lowerEntry(place);
        given.put(place, fence);
        return given.lastKey() == place && (before == null || before.getValue() < fence);
    }
}
