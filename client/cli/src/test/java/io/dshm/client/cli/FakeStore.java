package io.dshm.client.cli;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.function.UnaryOperator;

/** Answers the requests of {@code dshm bench} as a cluster does, for a {@link FakeNode}; a test may change what it says. */
final class FakeStore implements UnaryOperator<String> {

    private final Map<String, String> values = new HashMap<>();
    private final Map<String, Integer> versions = new HashMap<>();
    private final Map<String, Deque<String>> lists = new HashMap<>();
    private final Map<String, Integer> taken = new HashMap<>();
    private int version;

    static String value(String value) {
        return value(value, "");
    }

    private static String value(String value, String words) {
        return "LEN " + value.length() + words + "\r\n" + value + "\r\nDONE\r\n";
    }

    @Override
    public synchronized String apply(String request) {
        String[] words = request.split(" ", -1);
        String key = words.length > 1 ? words[1] : "";
        String data = words[words.length - 1];
        String found = values.get(key);
        return switch (words[0]) {
            case "PING", "TOUCH" -> "DONE\r\n";
            case "GET" -> found == null ? "ERROR not_found\r\n" : value(found);
            case "FETCH" ->
                found == null ? "ERROR not_found\r\n" : value(found, " type=raw version=" + versions.get(key));
            case "SET" -> {
                store(key, data);
                yield value(data);
            }
            case "PUT" -> {
                String condition = request.replaceAll(".* if=(\\S+) .*", "$1");
                boolean holds = condition.equals("absent")
                        ? found == null
                        : condition.equals(String.valueOf(versions.get(key)));
                if (holds) {
                    store(key, data);
                }
                yield holds ? "DONE version=" + version + "\r\n" : "ERROR exists\r\n";
            }
            case "DELETE" -> {
                values.remove(key);
                yield "DONE\r\n";
            }
            case "INCR" -> {
                store(key, String.valueOf((found == null ? 0 : Integer.parseInt(found)) + 1));
                yield value(values.getOrDefault(key, ""));
            }
            case "TAKE" ->
                "DONE allowed=" + (taken.merge(key, 1, Integer::sum) <= Integer.parseInt(words[3]) ? 1 : 0)
                        + " limit=1 remaining=0 reset=0 retry=0\r\n";
            case "RPUSH" -> {
                Deque<String> list = lists.computeIfAbsent(key, name -> new ArrayDeque<>());
                list.add(data);
                yield value(String.valueOf(list.size()));
            }
            case "LPOP" -> {
                String element =
                        lists.computeIfAbsent(key, name -> new ArrayDeque<>()).poll();
                yield element == null ? "ERROR not_found\r\n" : value(element, " type=string");
            }
            default -> "ERROR malformed_request\r\n";
        };
    }

    private void store(String key, String value) {
        values.put(key, value);
        versions.put(key, ++version);
    }
}
