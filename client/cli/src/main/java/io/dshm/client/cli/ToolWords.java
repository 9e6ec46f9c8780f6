package io.dshm.client.cli;

import io.dshm.client.cli.Word.Option;
import io.dshm.client.cli.Word.Parameter;
import io.dshm.client.cli.Word.Request;
import io.dshm.client.cli.Word.Tool;
import io.dshm.proto.Command;
import java.util.List;
import picocli.AutoComplete;

/** Words about the nodes, and about this command. */
final class ToolWords {

    static final List<Word> ALL = List.of(
            new Word(
                    "status",
                    List.of(),
                    "Shows all nodes in one table.",
                    List.of(),
                    List.of(),
                    new Tool(StatusTable::run)),
            new Word(
                    "top",
                    List.of(),
                    "Shows what all nodes are doing, again and again. Ctrl-C ends it.",
                    List.of(),
                    List.of(
                            new Option("--interval", "TIME", "How often; 1s if it is left out."),
                            new Option("--count", "N", "Ends after so many tables.")),
                    new Tool(Top::run)),
            new Word(
                    "tls",
                    List.of(),
                    "Has all nodes read their certificates and keys again.",
                    List.of(new Parameter("ACTION", "1", "reload")),
                    List.of(),
                    new Tool(TlsCommand::run)),
            new Word(
                    "ping",
                    List.of("PING"),
                    "Asks whether a node answers.",
                    List.of(),
                    List.of(),
                    new Request(a -> Command.Ping.PING, Replies::done)),
            new Word(
                    "info",
                    List.of("INFO"),
                    "Shows which node answers, and which one leads.",
                    List.of(),
                    List.of(),
                    new Request(a -> Command.Info.INFO, Replies::details)),
            new Word(
                    "completion",
                    List.of(),
                    "Shows a script that completes words in a shell.",
                    List.of(new Parameter("SHELL", "1", "bash or zsh: source <(dshm completion bash)")),
                    List.of(),
                    new Tool(ToolWords::completion)),
            new Word(
                    "help",
                    List.of(),
                    "Shows all words, or how one is used.",
                    List.of(new Parameter("WORD", "0..1", "The word.")),
                    List.of(),
                    new Tool(ToolWords::help)));

    private ToolWords() {}

    private static ExitCode completion(Arguments arguments, Session session) throws CliException {
        String shell = arguments.required(0);
        if (!shell.equals("bash") && !shell.equals("zsh")) {
            throw CliException.usage("there is a completion for bash and for zsh, not for '" + shell + "'");
        }
        // One script for both: in zsh, it asks for its emulation of bash's completion.
        session.output().line(AutoComplete.bash("dshm", Syntax.of(Words.ALL)));
        return ExitCode.OK;
    }

    private static ExitCode help(Arguments arguments, Session session) throws CliException {
        String word = arguments.at(0);
        if (word != null && Words.named(word) == null) {
            throw CliException.usage("there is no word '" + word + "'\ndshm help shows all words");
        }
        session.output().line(word == null ? Syntax.help() : Syntax.help(word));
        return ExitCode.OK;
    }
}
