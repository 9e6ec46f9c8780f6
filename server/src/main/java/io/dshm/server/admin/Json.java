package io.dshm.server.admin;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Writes JSON: of maps with names as keys, lists, numbers, booleans, and anything else as text. */
final class Json {

    private Json() {}

    /** An object with each field on a line of its own, for people and simple tools. */
    static String lines(Map<String, Object> fields) {
        return fields.entrySet().stream()
                .map(field -> "  " + text(field.getKey()) + ": " + inLines(field.getValue()))
                .collect(Collectors.joining(",\n", "{\n", "\n}\n"));
    }

    private static String inLines(Object value) {
        return value instanceof List<?> list
                ? list.stream().map(Json::line).collect(Collectors.joining(",\n    ", "[\n    ", "\n  ]"))
                : line(value);
    }

    /** The same on one line. */
    static String line(Object value) {
        if (value instanceof List<?> list) {
            return list.stream().map(Json::line).collect(Collectors.joining(", ", "[", "]"));
        }
        if (value instanceof Map<?, ?> map) {
            return map.entrySet().stream()
                    .map(field -> text(String.valueOf(field.getKey())) + ": " + line(field.getValue()))
                    .collect(Collectors.joining(", ", "{", "}"));
        }
        if (value instanceof Double number && !Double.isFinite(number)) {
            return "null";
        }
        return value instanceof Number || value instanceof Boolean ? value.toString() : text(value.toString());
    }

    private static String text(String text) {
        StringBuilder quoted = new StringBuilder(text.length() + 2).append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                quoted.append('\\').append(c);
            } else if (c < ' ' || Character.isSurrogate(c)) {
                quoted.append(String.format("\\u%04x", (int) c));
            } else {
                quoted.append(c);
            }
        }
        return quoted.append('"').toString();
    }
}
