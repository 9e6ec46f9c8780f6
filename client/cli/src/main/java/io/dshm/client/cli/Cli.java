package io.dshm.client.cli;

import java.io.InputStream;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Runs command lines: that of the process, or those of a prompt or a script. */
final class Cli {

    private final Map<String, String> environment;
    private final InputStream in;
    private final Output output;
    private final boolean terminal;

    /**
     * A command that sees nothing but this.
     *
     * @param terminal whether {@code in} is one, where a person types
     */
    Cli(Map<String, String> environment, InputStream in, boolean terminal, Output output) {
        this.environment = environment;
        this.in = in;
        this.terminal = terminal;
        this.output = output;
    }

    /** Runs the command line of the process. */
    ExitCode run(String... words) {
        // Until the line is understood.
        Output shown = output.as(Arrays.asList(words).contains("--json"));
        try {
            Arguments arguments = Arguments.parse(null, in, words);
            shown = output.as(arguments.has("--json"));
            if (arguments.wantsVersion()) {
                shown.line("dshm "
                        + Objects.requireNonNullElse(Cli.class.getPackage().getImplementationVersion(), "?"));
                return ExitCode.OK;
            }
            Word word = arguments.word();
            if (arguments.wantsHelp()) {
                shown.line(word == null ? Syntax.help() : Syntax.help(word.name()));
                return ExitCode.OK;
            }
            try (Session session = Session.open(arguments, environment, shown)) {
                return word == null ? script(arguments, session) : session.run(word, arguments);
            }
        } catch (CliException e) {
            shown.failure(e);
            return e.exitCode();
        } finally {
            shown.flush();
        }
    }

    private ExitCode script(Arguments outer, Session session) throws CliException {
        return terminal
                ? new Prompt(environment).run(line -> runLine(outer, session, line))
                : Script.run(in, line -> runLine(outer, session, line));
    }

    /** Runs a line of a prompt or a script; null if it has no word, or asks to end. */
    private @Nullable ExitCode runLine(Arguments outer, Session session, String line) {
        Session shown = session;
        try {
            String[] words = LineSplitter.split(line);
            if (words.length == 0) {
                return null;
            }
            Arguments arguments = Arguments.parse(outer, terminal ? in : null, words);
            shown = session.as(arguments.has("--json"));
            Word word = arguments.word();
            if (word == null || arguments.wantsHelp()) {
                shown.output().line(word == null ? Syntax.help() : Syntax.help(word.name()));
                return ExitCode.OK;
            }
            if (!Session.isOther(arguments)) {
                return shown.run(word, arguments);
            }
            try (Session other = Session.open(arguments, environment, shown.output())) {
                return other.run(word, arguments);
            }
        } catch (CliException e) {
            shown.output().failure(e);
            return e.exitCode();
        } finally {
            shown.output().flush();
        }
    }
}
