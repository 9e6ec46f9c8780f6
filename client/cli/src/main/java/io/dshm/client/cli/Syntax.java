package io.dshm.client.cli;

import io.dshm.proto.ReadMode;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/**
 * The words as picocli knows them. Built by hand: reading annotations by reflection would take longer than a request.
 */
final class Syntax {

    /** The options that all words have. */
    static final List<String> COMMON_OPTIONS = List.of(
            "--endpoints",
            "--admin",
            "--admin-token-file",
            "--user",
            "--secret-file",
            "--tls",
            "--ca",
            "--cert",
            "--key",
            "--server-name",
            "--region",
            "--read",
            "--timeout",
            "--json",
            "--help");

    private static final String READ_MODES =
            Arrays.stream(ReadMode.values()).map(ReadMode::wireName).collect(Collectors.joining(", "));

    private Syntax() {}

    /** Parses a line with only the word that it seems to have, which is quicker; with all words if that was wrong. */
    static ParseResult parse(String... arguments) throws CliException {
        Optional<Word> likely = Arrays.stream(arguments)
                .map(Words::named)
                .filter(Objects::nonNull)
                .findFirst();
        if (likely.isPresent()) {
            try {
                return of(List.of(likely.get())).parseArgs(arguments);
            } catch (ParameterException e) {
                // What is wrong, if anything, is said by the parser that knows all words.
                return parseWithAll(arguments);
            }
        }
        return parseWithAll(arguments);
    }

    private static ParseResult parseWithAll(String... arguments) throws CliException {
        try {
            return of(Words.ALL).parseArgs(arguments);
        } catch (ParameterException e) {
            throw CliException.usage(explain(e));
        }
    }

    /** A parser that knows these words. */
    static CommandLine of(List<Word> words) {
        CommandSpec top = CommandSpec.create().name("dshm");
        addCommonOptions(top, false);
        top.addOption(OptionSpec.builder("-V", "--version")
                .versionHelp(true)
                .description("Shows the version.")
                .build());
        top.usageMessage()
                .synopsisHeading("Usage: ")
                .customSynopsis("dshm [OPTIONS] WORD [ARGUMENTS]")
                .header("Asks a DSHM cluster: data, counters, limits, and what its nodes are doing.", "")
                .optionListHeading("%nOptions, before or after the word:%n")
                .commandListHeading("%nWords (dshm WORD --help says more):%n")
                .sortOptions(false)
                .footer(
                        "",
                        "Without a word: a prompt on a terminal, else commands from stdin, one a line.",
                        "",
                        "Examples:",
                        "  dshm set greeting hello --ttl 30m",
                        "  dshm incr visits",
                        "  dshm --endpoints 10.0.0.1,10.0.0.2,10.0.0.3 status",
                        "",
                        "Exit status: 0 done; 1 no (not found, condition not met, no token left, a",
                        "node is not well); 2 wrong usage; 3 refused, nothing changed; 4 no node could",
                        "do it, nothing changed, try again; 5 outcome unknown.");
        // @FILE is a value from a file here, not one with more arguments.
        CommandLine line = new CommandLine(top).setExpandAtFiles(false);
        words.forEach(word -> line.addSubcommand(word.name(), spec(word)));
        return line;
    }

    private static CommandSpec spec(Word word) {
        CommandSpec spec = CommandSpec.create().name(word.name());
        String verbs = word.verbs().isEmpty() ? "" : " (" + String.join(", ", word.verbs()) + ")";
        spec.usageMessage()
                .description(word.summary() + verbs)
                .sortOptions(false)
                .footer("", "Options of all words: dshm --help");
        for (Word.Parameter parameter : word.parameters()) {
            spec.addPositional(PositionalParamSpec.builder()
                    .index(String.valueOf(spec.positionalParameters().size()))
                    .paramLabel(parameter.label())
                    .arity(parameter.arity())
                    .required(!parameter.arity().startsWith("0"))
                    .type(String.class)
                    .description(parameter.description())
                    .build());
        }
        for (Word.Option option : word.options()) {
            spec.addOption(option(option.name(), option.label(), option.description(), false));
        }
        addCommonOptions(spec, true);
        return spec;
    }

    /** What all words understand; before the word and after it. */
    private static void addCommonOptions(CommandSpec spec, boolean hidden) {
        spec.addOption(OptionSpec.builder("-e", "--endpoints", "--endpoint")
                .paramLabel("HOST:PORT,...")
                .type(String.class)
                .hidden(hidden)
                .description(
                        "Nodes to ask, the next one where one does not answer; or the environment's DSHM_ENDPOINTS. "
                                + "Default: 127.0.0.1:4321.")
                .build());
        spec.addOption(option(
                "--admin",
                "HOST:PORT,...",
                "The nodes' admin ports; or DSHM_ADMIN. Default: each node's port + 4000.",
                hidden));
        spec.addOption(option(
                "--admin-token-file",
                "FILE",
                "The secret that the admin ports ask for; or DSHM_ADMIN_TOKEN_FILE.",
                hidden));
        spec.addOption(option("--user", "NAME", "As which user of the cluster; or DSHM_USER.", hidden));
        spec.addOption(option(
                "--secret-file",
                "FILE",
                "Where the user's secret is; or DSHM_SECRET_FILE. It is never given itself: others see command lines.",
                hidden));
        spec.addOption(
                option("--tls", "", "Connects with TLS; or DSHM_TLS=1. The next four ask for it as well.", hidden));
        spec.addOption(option(
                "--ca",
                "FILE",
                "Authorities to believe, as PEM; or DSHM_CA. Default: those that Java believes.",
                hidden));
        spec.addOption(option("--cert", "FILE", "This client's certificate, as PEM; or DSHM_CERT.", hidden));
        spec.addOption(option("--key", "FILE", "Its key; or DSHM_KEY.", hidden));
        spec.addOption(option(
                "--server-name",
                "NAME",
                "What the nodes' certificates are for; or DSHM_SERVER_NAME. Default: the host that is connected to.",
                hidden));
        spec.addOption(option("--region", "REGION", "Puts REGION:: before each key.", hidden));
        spec.addOption(option(
                "--read", "MODE", "How fresh a read is: " + READ_MODES + ". Default: as the node is set.", hidden));
        spec.addOption(option("--timeout", "TIME", "How long it may take, repeats included. Default: 10s.", hidden));
        spec.addOption(option("--json", "", "Results and errors as JSON, one object a line.", hidden));
        spec.addOption(OptionSpec.builder("-h", "--help")
                .usageHelp(true)
                .description("Shows this help.")
                .build());
    }

    private static OptionSpec option(String name, String label, String description, boolean hidden) {
        OptionSpec.Builder builder =
                OptionSpec.builder(name).description(description).hidden(hidden);
        return label.isEmpty()
                ? builder.arity("0").type(boolean.class).build()
                : builder.paramLabel(label).arity("1").type(String.class).build();
    }

    /** The help of the whole. */
    static String help() {
        return of(Words.ALL).getUsageMessage(CommandLine.Help.Ansi.OFF).stripTrailing();
    }

    /** The help of a word. */
    static String help(String word) {
        return Objects.requireNonNull(of(Words.ALL).getSubcommands().get(word))
                .getUsageMessage(CommandLine.Help.Ansi.OFF)
                .stripTrailing();
    }

    /** What is wrong with a line, and how to go on. */
    private static String explain(ParameterException e) {
        String name = e.getCommandLine().getCommandName();
        String help = name.equals("dshm") ? "dshm --help" : "dshm " + name + " --help";
        String message = String.valueOf(e.getMessage()).replace(String.valueOf(Arguments.NUMBER_MARK), "");
        if (e instanceof CommandLine.UnmatchedArgumentException unmatched) {
            String first = unmatched.getUnmatched().get(0).replace(String.valueOf(Arguments.NUMBER_MARK), "");
            message = first.startsWith("-")
                    ? "there is no option " + first + "; before a value that begins with -, write --"
                    : name.equals("dshm")
                            ? "there is no word '" + first + "'"
                            : "'" + first + "' is one word too many; quote a value that has spaces";
        }
        return message + "\n" + help + " shows how it is used";
    }
}
