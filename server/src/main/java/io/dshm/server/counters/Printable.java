package io.dshm.server.counters;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/**
 * Names that clients have chosen, as they may stand in metrics and on pages: bounded, and without control characters.
 */
public final class Printable {

    private Printable() {}

    /** That name; bytes that are no text, or not printable, become {@code \xNN}. */
    public static String of(byte[] name, int charactersMax) {
        String text;
        try {
            text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(name))
                    .toString();
        } catch (CharacterCodingException e) {
            text = new String(name, StandardCharsets.ISO_8859_1);
        }
        StringBuilder printable = new StringBuilder();
        for (int i = 0; i < text.length() && printable.length() < charactersMax; i++) {
            char next = text.charAt(i);
            boolean plain = next >= ' ' && next < 0x7F && next != '"' && next != '\\';
            if (plain || Character.isLetterOrDigit(next)) {
                printable.append(next);
            } else {
                printable.append(String.format("\\x%02x", (int) next));
            }
        }
        return printable.toString();
    }
}
