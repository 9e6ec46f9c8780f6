package io.dshm.server;

import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.server.counters.Printable;
import io.dshm.server.frontend.ClientListener;
import io.dshm.server.frontend.HotKeys;
import io.dshm.server.frontend.Refusals;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Which keys a node's clients name most, and which limits refuse them most, as operators see it. */
final class KeyUse {

    private static final int KEY_CHARACTERS_MAX = 256;

    private KeyUse() {}

    /**
     * As names and values, in the order in which they are to be shown.
     *
     * @param ports of the clients
     * @param nowNanos as {@link System#nanoTime}
     */
    static Map<String, Object> of(String node, List<ClientListener> ports, long nowNanos) {
        return of(
                node,
                HotKeys.most(
                        ports.stream().flatMap(port -> port.hotKeys().stream()).toList(), nowNanos),
                ports.stream().flatMap(port -> port.refusals().stream()).toList());
    }

    /** The same, of what event loops remember. */
    static Map<String, Object> of(String node, List<HotKeys.HotKey> hottest, List<Refusals> loops) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("node", node);
        fields.put("keys", hottest.stream().map(KeyUse::of).toList());
        Map<Key, Long> refused = new HashMap<>();
        for (Refusals loop : loops) {
            loop.keys().forEach(key -> refused.merge(key, loop.count(key), Long::sum));
        }
        fields.put(
                "refused",
                refused.entrySet().stream()
                        .sorted(Map.Entry.comparingByValue(Comparator.reverseOrder()))
                        .limit(Limits.HOT_KEYS_SHOWN_MAX)
                        .map(key -> refused(key.getKey(), key.getValue()))
                        .toList());
        return fields;
    }

    private static Map<String, Object> of(HotKeys.HotKey hot) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("key", name(hot.key()));
        fields.put("perSecond", hot.perSecond());
        fields.put("share", hot.share());
        return fields;
    }

    private static Map<String, Object> refused(Key key, long times) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("key", name(key));
        fields.put("refused", times);
        return fields;
    }

    private static String name(Key key) {
        return Printable.of(key.bytes(), KEY_CHARACTERS_MAX);
    }
}
