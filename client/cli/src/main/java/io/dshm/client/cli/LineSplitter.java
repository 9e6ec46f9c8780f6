package io.dshm.client.cli;

import java.util.ArrayList;
import java.util.List;

/**
 * Splits a line into words, as a shell does: blanks between words, quotes of both kinds, a backslash before one
 * character.
 */
final class LineSplitter {

    private LineSplitter() {}

    /** The words; none in a line that is blank or begins with {@code #}. */
    static String[] split(String line) throws CliException {
        List<String> words = new ArrayList<>();
        if (line.stripLeading().startsWith("#")) {
            return new String[0];
        }
        StringBuilder word = new StringBuilder();
        boolean inWord = false;
        char quote = 0;
        for (int i = 0; i < line.length(); i++) {
            char c = line.charAt(i);
            if (c == '\\' && quote != '\'' && i + 1 < line.length()) {
                word.append(line.charAt(++i));
                inWord = true;
            } else if (quote != 0 ? c == quote : c == '"' || c == '\'') {
                quote = quote == 0 ? c : 0;
                inWord = true;
            } else if (quote == 0 && Character.isWhitespace(c)) {
                if (inWord) {
                    words.add(word.toString());
                    word.setLength(0);
                    inWord = false;
                }
            } else {
                word.append(c);
                inWord = true;
            }
        }
        if (quote != 0) {
            throw CliException.usage("a quote " + quote + " is not closed: " + line);
        }
        if (inWord) {
            words.add(word.toString());
        }
        return words.toArray(new String[0]);
    }
}
