package io.dshm.proto.text;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A golden conversation: what a client sends, what a decoder makes of it and what a server replies, as one of the files
 * in {@code proto/conversations} has it. The notation of the files is described in {@code proto/README.md}.
 *
 * <p>It can be held in two ways. Against the codec: all that is sent decodes to all that is decoded. Against a live
 * server: step by step, each reply awaited where it stands.
 */
public final class Conversation {

    /** One line of a conversation. */
    public sealed interface Step permits Send, Decoded, Receive, Closed, Pause {}

    /**
     * {@code > }: the client sends these bytes.
     *
     * @param text the bytes as they stand in the file
     */
    public record Send(String text) implements Step {

        /** What is sent where no number was received. */
        public byte[] bytes() {
            return Notation.bytes(text);
        }

        /** What is sent after a number that nobody can foretell was received. */
        public byte[] bytes(String number) {
            return Notation.bytes(text.replace(NUMBER, number));
        }
    }

    /** {@code = }: the decoder makes this of what was sent; a server's replay passes over it. */
    public record Decoded(String request) implements Step {}

    /**
     * {@code < }: the client gets exactly these bytes, but for the numbers that nobody can foretell.
     *
     * @param text the bytes as they stand in the file
     */
    public record Receive(String text) implements Step {

        /** With 1 for the numbers. */
        public byte[] bytes() {
            return Notation.bytes(text);
        }

        /** What stands before, between and after the numbers. */
        public List<byte[]> pieces() {
            return Arrays.stream(text.split(Pattern.quote(NUMBER), -1))
                    .map(Notation::bytes)
                    .toList();
        }
    }

    /** {@code < [closed]}: the server closes the connection. Always the last step. */
    public record Closed() implements Step {}

    /** {@code ~ 1500ms}: a server's replay lets so much time pass; the codec's passes over it. */
    public record Pause(long millis) implements Step {}

    private static final String NUMBER = "\\#";
    private static final String CLOSED = "[closed]";

    private final String name;
    private final List<Step> steps;

    private Conversation(String name, List<Step> steps) {
        this.name = name;
        this.steps = List.copyOf(steps);
    }

    /**
     * All conversations of a directory, in the order of their names.
     *
     * @throws IOException if they cannot be read
     * @throws IllegalArgumentException if one does not follow the notation, or there is none
     */
    public static List<Conversation> loadAll(Path dir) throws IOException {
        List<Path> files;
        try (Stream<Path> all = Files.list(dir)) {
            files = all.filter(file -> file.toString().endsWith(".txt"))
                    .sorted()
                    .toList();
        }
        if (files.isEmpty()) {
            throw new IllegalArgumentException("no conversations in " + dir);
        }
        List<Conversation> conversations = new ArrayList<>();
        for (Path file : files) {
            conversations.add(load(file));
        }
        return conversations;
    }

    private static Conversation load(Path file) throws IOException {
        List<String> lines = Files.readAllLines(file, StandardCharsets.UTF_8);
        List<Step> steps = new ArrayList<>();
        for (int at = 0; at < lines.size(); at++) {
            String line = lines.get(at);
            if (line.isBlank() || line.startsWith("#")) {
                continue;
            }
            try {
                steps.add(step(line));
            } catch (RuntimeException e) {
                throw new IllegalArgumentException(file + ":" + (at + 1) + ": " + line, e);
            }
        }
        return new Conversation(file.getFileName().toString().replace(".txt", ""), steps);
    }

    private static Step step(String line) {
        String rest = line.substring(2);
        return switch (line.substring(0, 2)) {
            case "> " -> new Send(rest);
            case "= " -> new Decoded(rest);
            case "< " -> rest.equals(CLOSED) ? new Closed() : new Receive(rest);
            case "~ " -> new Pause(Long.parseLong(rest.substring(0, rest.indexOf("ms"))));
            default -> throw new IllegalArgumentException("a line begins with one of # > = < ~ and a space");
        };
    }

    /** The name of its file without {@code .txt}. */
    public String name() {
        return name;
    }

    /** Its lines, but for comments and blank ones. */
    public List<Step> steps() {
        return steps;
    }

    @Override
    public String toString() {
        return name;
    }
}
