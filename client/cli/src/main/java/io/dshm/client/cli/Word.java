package io.dshm.client.cli;

import io.dshm.proto.Command;
import io.dshm.proto.Reply;
import java.util.List;

/**
 * A word of the command line: what it takes, and what it does.
 *
 * @param name what is typed
 * @param verbs of the protocol, for those who know them; none for a word that is no request
 * @param summary one line
 * @param parameters in their order
 * @param options of this word alone, beside those of all
 */
record Word(
        String name,
        List<String> verbs,
        String summary,
        List<Parameter> parameters,
        List<Option> options,
        Action action) {

    /**
     * A parameter.
     *
     * @param arity as picocli says it: {@code 1}, {@code 0..1}
     */
    record Parameter(String label, String arity, String description) {}

    /**
     * An option.
     *
     * @param label of its value; empty if it has none
     */
    record Option(String name, String label, String description) {}

    /** What a word does. */
    sealed interface Action permits Request, Tool {}

    /** Sends one command, and shows the reply. */
    record Request(Builder builder, Shape shape) implements Action {}

    /** Does something else. */
    record Tool(Body body) implements Action {}

    /** Makes a command of arguments. */
    @FunctionalInterface
    interface Builder {
        Command build(Arguments arguments) throws CliException;
    }

    /** Shows a reply that is no error. */
    @FunctionalInterface
    interface Shape {
        ExitCode show(Arguments arguments, Reply reply, Output output) throws CliException;
    }

    /** What a tool does. */
    @FunctionalInterface
    interface Body {
        ExitCode run(Arguments arguments, Session session) throws CliException;
    }
}
