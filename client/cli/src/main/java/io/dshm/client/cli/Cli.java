package io.dshm.client.cli;

import io.dshm.proto.Reply;
import java.io.InputStream;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/** Runs one command line. */
final class Cli {

    private static final int CLIENT_PORT = 4321;
    private static final int ADMIN_PORT = 8321;
    private static final String DEFAULT_ENDPOINTS = "127.0.0.1";
    private static final String ENDPOINTS_VARIABLE = "DSHM_ENDPOINTS";
    private static final String ADMIN_VARIABLE = "DSHM_ADMIN";
    private static final long TIMEOUT_MILLIS = 10_000;

    private final Map<String, String> environment;
    private final InputStream in;
    private final PrintStream out;
    private final PrintStream err;

    Cli(Map<String, String> environment, InputStream in, PrintStream out, PrintStream err) {
        this.environment = environment;
        this.in = in;
        this.out = out;
        this.err = err;
    }

    /** Runs a command line. */
    ExitCode run(String... arguments) {
        Output output = new Output(out, err, Arrays.asList(arguments).contains("--json"));
        try {
            return run(parse(Arguments.marked(arguments)), output);
        } catch (CliException e) {
            output.failure(e);
            return e.exitCode();
        } finally {
            output.flush();
        }
    }

    /** Parses a line with only the word that it seems to have, which is quicker; with all words if that was wrong. */
    private static ParseResult parse(String... arguments) throws CliException {
        List<Word> likely = new ArrayList<>();
        for (String argument : arguments) {
            Word word = Words.named(argument);
            if (word != null) {
                likely.add(word);
                break;
            }
        }
        try {
            if (!likely.isEmpty()) {
                return Syntax.of(likely).parseArgs(arguments);
            }
        } catch (ParameterException e) {
            // The second attempt says what is wrong.
            likely.clear();
        }
        try {
            return Syntax.of(Words.ALL).parseArgs(arguments);
        } catch (ParameterException e) {
            throw CliException.usage(Syntax.explain(e));
        }
    }

    private ExitCode run(ParseResult all, Output output) throws CliException {
        ParseResult own = all.hasSubcommand() ? all.subcommand() : all;
        if (all.isUsageHelpRequested() || own.isUsageHelpRequested() || (own == all && !all.isVersionHelpRequested())) {
            output.line(
                    own == all ? Syntax.help() : Syntax.help(own.commandSpec().name()));
            return ExitCode.OK;
        }
        if (all.isVersionHelpRequested()) {
            output.line(
                    "dshm " + Objects.requireNonNullElse(Cli.class.getPackage().getImplementationVersion(), "?"));
            return ExitCode.OK;
        }
        Word word = Objects.requireNonNull(Words.named(own.commandSpec().name()));
        Arguments arguments = new Arguments(all, own, in);
        Duration timeout = Duration.ofMillis(Math.max(1, arguments.millis("--timeout", TIMEOUT_MILLIS)));
        List<Endpoint> endpoints =
                Endpoint.parseAll(setting(arguments, "--endpoints", ENDPOINTS_VARIABLE), CLIENT_PORT);
        try (Nodes nodes = new Nodes(endpoints, timeout)) {
            return run(
                    word, arguments, new Session(endpoints, adminPorts(arguments, endpoints), timeout, nodes, output));
        }
    }

    private String setting(Arguments arguments, String option, String variable) {
        String value = arguments.option(option);
        return value != null ? value : environment.getOrDefault(variable, DEFAULT_ENDPOINTS);
    }

    /** Where nothing else is said, as far from the clients' port as in the documentation. */
    private List<Endpoint> adminPorts(Arguments arguments, List<Endpoint> endpoints) throws CliException {
        @Nullable String named = arguments.option("--admin");
        String list =
                named != null || arguments.option("--endpoints") != null ? named : environment.get(ADMIN_VARIABLE);
        if (list != null) {
            return Endpoint.parseAll(list, ADMIN_PORT);
        }
        return endpoints.stream()
                .map(node -> new Endpoint(node.host(), node.port() + (ADMIN_PORT - CLIENT_PORT)))
                .toList();
    }

    private static ExitCode run(Word word, Arguments arguments, Session session) throws CliException {
        if (word.action() instanceof Word.Tool tool) {
            return tool.body().run(arguments, session);
        }
        Word.Request request = (Word.Request) word.action();
        Reply reply = session.nodes().call(request.builder().build(arguments));
        if (reply instanceof Reply.Failure failure) {
            throw new CliException(ExitCode.of(failure.code()), failure.code().wireName(), Nodes.text(failure));
        }
        return request.shape().show(arguments, reply, session.output());
    }
}
