package io.dshm.proto.text;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/**
 * Bytes as readable text and back: printable ASCII stands for itself, {@code \r \n \t \\ \"} for what they mean in Java,
 * {@code \xHH} for any byte, {@code \{n*text}} for n times what the text stands for, and {@code \#} for a number that is
 * known only where there is a server: {@code 1} here.
 */
final class Notation {

    /** From this many equal bytes in a row on they are written as a repetition. */
    private static final int REPETITION_MIN = 32;

    private Notation() {}

    /** The bytes that a text stands for; a character beyond ASCII stands for its UTF-8 bytes. */
    static byte[] bytes(String text) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (int at = 0; at < text.length(); ) {
            at = readOne(text, at, out);
        }
        return out.toByteArray();
    }

    /** The one way in which these bytes are written. */
    static String text(byte[] bytes) {
        StringBuilder out = new StringBuilder();
        for (int at = 0; at < bytes.length; ) {
            int end = at + 1;
            while (end < bytes.length && bytes[end] == bytes[at]) {
                end++;
            }
            if (end - at >= REPETITION_MIN) {
                out.append("\\{").append(end - at).append('*');
                appendOne(bytes[at], out);
                out.append('}');
                at = end;
            } else {
                appendOne(bytes[at], out);
                at++;
            }
        }
        return out.toString();
    }

    private static int readOne(String text, int at, ByteArrayOutputStream out) {
        int character = text.codePointAt(at);
        if (character != '\\') {
            out.writeBytes(Character.toString(character).getBytes(StandardCharsets.UTF_8));
            return at + Character.charCount(character);
        }
        char escaped = text.charAt(at + 1);
        switch (escaped) {
            case 'r' -> out.write('\r');
            case 'n' -> out.write('\n');
            case 't' -> out.write('\t');
            case '\\', '"' -> out.write(escaped);
            case '#' -> out.write('1');
            case 'x' -> {
                out.write(Integer.parseInt(text.substring(at + 2, at + 4), 16));
                return at + 4;
            }
            case '{' -> {
                int star = text.indexOf('*', at);
                int end = text.indexOf('}', star);
                byte[] unit = bytes(text.substring(star + 1, end));
                int times = Integer.parseInt(text.substring(at + 2, star));
                out.writeBytes(repeated(unit, times));
                return end + 1;
            }
            default -> throw new IllegalArgumentException("no such escape: \\" + escaped);
        }
        return at + 2;
    }

    private static byte[] repeated(byte[] unit, int times) {
        byte[] all = new byte[unit.length * times];
        for (int at = 0; at < all.length; at++) {
            all[at] = unit[at % unit.length];
        }
        return all;
    }

    private static void appendOne(byte value, StringBuilder out) {
        switch (value) {
            case '\r' -> out.append("\\r");
            case '\n' -> out.append("\\n");
            case '\t' -> out.append("\\t");
            case '\\' -> out.append("\\\\");
            case '"' -> out.append("\\\"");
            default -> {
                if (value >= ' ' && value <= '~') {
                    out.append((char) value);
                } else {
                    out.append(String.format("\\x%02X", value & 0xFF));
                }
            }
        }
    }
}
