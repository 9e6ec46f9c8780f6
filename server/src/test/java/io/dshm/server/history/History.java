package io.dshm.server.history;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * What the clients of one run saw. Thread-safe: any client may record at any time.
 *
 * <p>As text it has a comment line, {@code # ...}, for each note (the seed, a fault), and then one line an operation, in the
 * order in which they were invoked. What is written is read back as it was.
 */
public final class History {

    private final List<String> notes = new ArrayList<>();
    private final List<Operation> operations = new ArrayList<>();

    /** Records an operation. Those of one client that were invoked at the same instant, in the order in which it sent them. */
    public synchronized void add(Operation operation) {
        operations.add(operation);
    }

    /** Records something for people to know: one line. */
    public synchronized void note(String note) {
        if (note.lines().count() > 1) {
            throw new IllegalArgumentException("more than one line: " + note);
        }
        notes.add(note);
    }

    /** All notes so far. */
    public synchronized List<String> notes() {
        return List.copyOf(notes);
    }

    /** All operations so far, by their invocation. */
    public synchronized List<Operation> operations() {
        return operations.stream()
                .sorted(Comparator.comparingLong(Operation::invokedNanos))
                .toList();
    }

    /**
     * The operations that concern each key, by their invocation: its own, and the flushes of its region. Sorted by key; a
     * region that is only flushed has none.
     */
    public Map<String, List<Operation>> byKey() {
        List<Operation> all = operations();
        Map<String, List<Operation>> byKey = new TreeMap<>();
        Map<String, List<String>> keysOfRegion = new HashMap<>();
        for (Operation operation : all) {
            String key = operation.action().key();
            if (!(operation.action() instanceof Action.Flush) && byKey.putIfAbsent(key, new ArrayList<>()) == null) {
                keysOfRegion
                        .computeIfAbsent(region(key), region -> new ArrayList<>())
                        .add(key);
            }
        }
        for (Operation operation : all) {
            String key = operation.action().key();
            List<String> concerned = operation.action() instanceof Action.Flush
                    ? keysOfRegion.getOrDefault(key, List.of())
                    : List.of(key);
            concerned.forEach(each ->
                    byKey.computeIfAbsent(each, unknown -> new ArrayList<>()).add(operation));
        }
        return byKey;
    }

    private static String region(String key) {
        int colon = key.indexOf(':');
        return colon < 0 ? "" : key.substring(0, colon);
    }

    /** The history as text. */
    public List<String> lines() {
        return Stream.concat(
                        notes().stream().map(note -> "# " + note),
                        operations().stream().map(OperationText::write))
                .toList();
    }

    /**
     * A history from its text.
     *
     * @throws IllegalArgumentException if a line is neither blank, nor a comment, nor an operation
     */
    public static History read(List<String> lines) {
        History history = new History();
        for (String line : lines) {
            if (line.startsWith("#")) {
                history.note(line.substring(line.startsWith("# ") ? 2 : 1));
            } else if (!line.isBlank()) {
                history.add(OperationText.read(line));
            }
        }
        return history;
    }

    /** Writes it to a file, over whatever was there. */
    public void write(Path file) throws IOException {
        Files.write(file, lines());
    }

    /** Reads what {@link #write} wrote. */
    public static History read(Path file) throws IOException {
        return read(Files.readAllLines(file));
    }
}
