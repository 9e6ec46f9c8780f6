package io.dshm.client.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jline.reader.Candidate;
import org.jline.reader.Completer;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.ParsedLine;
import org.jline.reader.UserInterruptException;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;

/** A prompt on a terminal: history in a file, completion of words and options by the tabulator. */
final class Prompt {

    private static final String PROMPT = "dshm> ";
    private static final int HISTORY_LINES = 1000;

    private final Map<String, String> environment;

    Prompt(Map<String, String> environment) {
        this.environment = environment;
    }

    /** Runs the lines that are typed, until Ctrl-D, {@code quit} or {@code exit}. */
    ExitCode run(Script.Line runner) throws CliException {
        // Without graphemeCluster, it does not ask the terminal what it can do: the answers would be mixed with what is
        // typed already.
        try (Terminal terminal =
                TerminalBuilder.builder().system(true).graphemeCluster(false).build()) {
            LineReader reader = LineReaderBuilder.builder()
                    .terminal(terminal)
                    .appName("dshm")
                    .completer(new WordCompleter())
                    .variable(LineReader.HISTORY_FILE, historyFile())
                    .variable(LineReader.HISTORY_SIZE, HISTORY_LINES)
                    // A line that begins with a blank is not kept; an exclamation mark is nothing special.
                    .option(LineReader.Option.HISTORY_IGNORE_SPACE, true)
                    .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true)
                    .build();
            terminal.writer().println("help shows all words, quit or Ctrl-D ends, the tabulator completes");
            terminal.flush();
            return run(reader, runner);
        } catch (IOException e) {
            throw new CliException(ExitCode.USAGE, "terminal", "the terminal cannot be used: " + e.getMessage());
        }
    }

    private static ExitCode run(LineReader reader, Script.Line runner) {
        while (true) {
            String line;
            try {
                line = reader.readLine(PROMPT);
            } catch (UserInterruptException e) {
                continue; // Ctrl-C: the line is given up
            } catch (EndOfFileException e) {
                return ExitCode.OK;
            }
            if (Script.isEnd(line)) {
                return ExitCode.OK;
            }
            runner.run(line);
        }
    }

    private Path historyFile() {
        String state = environment.get("XDG_STATE_HOME");
        Path folder = state == null || state.isEmpty()
                ? Path.of(environment.getOrDefault("HOME", "."), ".local", "state")
                : Path.of(state);
        return folder.resolve("dshm").resolve("history");
    }

    /** The words, and the options of the word that stands there. */
    static final class WordCompleter implements Completer {

        @Override
        public void complete(LineReader reader, ParsedLine line, List<Candidate> candidates) {
            complete(line.words(), line.wordIndex()).forEach(text -> candidates.add(new Candidate(text)));
        }

        /** What may stand at that place. */
        static List<String> complete(List<String> words, int index) {
            Word word = words.stream()
                    .limit(index)
                    .map(Words::named)
                    .filter(found -> found != null)
                    .findFirst()
                    .orElse(null);
            List<String> texts = new ArrayList<>(Syntax.COMMON_OPTIONS);
            if (word == null) {
                Words.ALL.forEach(each -> texts.add(each.name()));
            } else {
                word.options().forEach(option -> texts.add(option.name()));
                if (word.name().equals("help")) {
                    Words.ALL.forEach(each -> texts.add(each.name()));
                }
            }
            return texts;
        }
    }
}
