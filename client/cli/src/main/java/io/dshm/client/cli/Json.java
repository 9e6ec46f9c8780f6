package io.dshm.client.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** JSON on one line, of maps, lists, strings, numbers, booleans and null; and such text read again. */
final class Json {

    private Json() {}

    /** The text of a value. */
    static String text(@Nullable Object value) {
        if (value instanceof Map<?, ?> map) {
            return map.entrySet().stream()
                    .map(entry -> quoted(String.valueOf(entry.getKey())) + ":" + text(entry.getValue()))
                    .collect(Collectors.joining(",", "{", "}"));
        }
        if (value instanceof List<?> list) {
            return list.stream().map(Json::text).collect(Collectors.joining(",", "[", "]"));
        }
        return value == null || value instanceof Number || value instanceof Boolean
                ? String.valueOf(value)
                : quoted(value.toString());
    }

    private static String quoted(String text) {
        StringBuilder out = new StringBuilder(text.length() + 2).append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"' -> out.append("\\\"");
                case '\\' -> out.append("\\\\");
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                default -> {
                    if (c < ' ' || c == 0x7F) {
                        out.append(String.format("\\u%04x", (int) c));
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        return out.append('"').toString();
    }

    /**
     * The members of an object; numbers as {@link Long} or {@link Double}.
     *
     * @throws IllegalArgumentException if this is no JSON object
     */
    static Map<String, Object> object(String text) {
        Reader reader = new Reader(text);
        Object value = reader.value();
        reader.end();
        if (!(value instanceof Map<?, ?> map)) {
            throw new IllegalArgumentException("not a JSON object");
        }
        Map<String, Object> members = new LinkedHashMap<>();
        map.forEach((name, member) -> members.put((String) name, member));
        return members;
    }

    /** A position in a text. */
    private static final class Reader {

        private static final int DEPTH_MAX = 32;

        private final String text;
        private int at;
        private int depth;

        Reader(String text) {
            this.text = text;
        }

        private IllegalArgumentException fault() {
            return new IllegalArgumentException("not JSON, from character " + at + " on");
        }

        private char next() {
            while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
                at++;
            }
            if (at == text.length()) {
                throw fault();
            }
            return text.charAt(at);
        }

        private boolean skip(char expected) {
            if (next() != expected) {
                return false;
            }
            at++;
            return true;
        }

        void end() {
            if (!text.substring(at).isBlank()) {
                throw fault();
            }
        }

        Object value() {
            if (++depth > DEPTH_MAX) {
                throw fault();
            }
            char first = next();
            Object value = first == '{' ? members() : first == '[' ? elements() : first == '"' ? string() : literal();
            depth--;
            return value;
        }

        private Map<String, Object> members() {
            Map<String, Object> members = new LinkedHashMap<>();
            at++;
            if (skip('}')) {
                return members;
            }
            do {
                next();
                String name = string();
                if (!skip(':')) {
                    throw fault();
                }
                members.put(name, value());
            } while (skip(','));
            if (!skip('}')) {
                throw fault();
            }
            return members;
        }

        private List<Object> elements() {
            List<Object> elements = new ArrayList<>();
            at++;
            if (skip(']')) {
                return elements;
            }
            do {
                elements.add(value());
            } while (skip(','));
            if (!skip(']')) {
                throw fault();
            }
            return elements;
        }

        private String string() {
            if (text.charAt(at++) != '"') {
                throw fault();
            }
            StringBuilder out = new StringBuilder();
            while (at < text.length()) {
                char c = text.charAt(at++);
                if (c == '"') {
                    return out.toString();
                }
                out.append(c == '\\' ? escaped() : c);
            }
            throw fault();
        }

        private char escaped() {
            if (at == text.length()) {
                throw fault();
            }
            char c = text.charAt(at++);
            return switch (c) {
                case 'n' -> '\n';
                case 'r' -> '\r';
                case 't' -> '\t';
                case 'b' -> '\b';
                case 'f' -> '\f';
                case 'u' -> {
                    if (at + 4 > text.length()) {
                        throw fault();
                    }
                    at += 4;
                    yield (char) Integer.parseInt(text.substring(at - 4, at), 16);
                }
                default -> c;
            };
        }

        private Object literal() {
            int from = at;
            while (at < text.length() && ",]} \t\r\n".indexOf(text.charAt(at)) < 0) {
                at++;
            }
            String word = text.substring(from, at);
            return switch (word) {
                case "true" -> true;
                case "false" -> false;
                case "null" -> "";
                default -> word.matches("-?[0-9]{1,18}") ? (Object) Long.valueOf(word) : Double.valueOf(word);
            };
        }
    }
}
