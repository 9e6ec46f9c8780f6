package io.dshm.server;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The formatter leaves comments as they are. */
class CommentsTest {

    private static final int COLUMNS_MAX = 120;

    /** A line of a comment that can be cut: there is a space in it. */
    private static final Pattern COMMENT = Pattern.compile(" *(//|/?\\*+) .* .*");

    @Test
    void a_line_of_a_comment_has_no_more_columns_than_one_of_code() throws IOException {
        List<String> tooLong = new ArrayList<>();
        for (String module : List.of("proto", "client", "client/cli", "server")) {
            Path sources = Path.of("..", module, "src", "main", "java");
            try (Stream<Path> files = Files.walk(sources)) {
                files.filter(file -> file.toString().endsWith(".java")).forEach(file -> look(file, tooLong));
            }
        }
        assertEquals(List.of(), tooLong);
    }

    private static void look(Path file, List<String> tooLong) {
        try {
            List<String> lines = Files.readAllLines(file);
            for (int i = 0; i < lines.size(); i++) {
                String line = lines.get(i);
                if (line.length() > COLUMNS_MAX && COMMENT.matcher(line).matches()) {
                    tooLong.add(file + ":" + (i + 1));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
