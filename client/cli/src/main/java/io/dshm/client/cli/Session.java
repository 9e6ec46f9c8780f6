package io.dshm.client.cli;

import io.dshm.client.ClientTls;
import io.dshm.client.internal.Endpoint;
import io.dshm.proto.Command;
import io.dshm.proto.Reply;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The cluster that words are about, and where their output goes.
 *
 * @param endpoints the nodes, for clients
 * @param adminPorts their ports for operators
 * @param authorization what these are told of who asks, or null
 * @param tls for both kinds of ports; null for plain connections
 * @param login who asks; null for nobody
 * @param timeout how long a word may take
 */
record Session(
        List<Endpoint> endpoints,
        List<Endpoint> adminPorts,
        @Nullable String authorization,
        @Nullable ClientTls tls,
        @Nullable Login login,
        Duration timeout,
        Nodes nodes,
        Output output)
        implements AutoCloseable {

    private static final int CLIENT_PORT = 4321;
    private static final int ADMIN_PORT = 8321;
    private static final String DEFAULT_ENDPOINTS = "127.0.0.1";
    private static final long TIMEOUT_MILLIS = 10_000;

    /** Options that decide which session a line needs. */
    private static final String[] OPTIONS = {
        "--endpoints",
        "--admin",
        "--admin-token-file",
        "--user",
        "--secret-file",
        "--timeout",
        "--tls",
        "--ca",
        "--cert",
        "--key",
        "--server-name"
    };

    /** The session that options and environment ask for; connects to nobody yet. */
    static Session open(Arguments arguments, Map<String, String> environment, Output output) throws CliException {
        Duration timeout = Duration.ofMillis(Math.max(1, arguments.millis("--timeout", TIMEOUT_MILLIS)));
        String named = arguments.option("--endpoints");
        List<Endpoint> endpoints = endpoints(
                named != null ? named : environment.getOrDefault("DSHM_ENDPOINTS", DEFAULT_ENDPOINTS), CLIENT_PORT);
        String admin = arguments.option("--admin");
        if (admin == null && named == null) {
            admin = environment.get("DSHM_ADMIN");
        }
        List<Endpoint> adminPorts = admin != null
                ? endpoints(admin, ADMIN_PORT)
                : endpoints.stream()
                        .map(node -> node.plus(ADMIN_PORT - CLIENT_PORT))
                        .toList();
        ClientTls tls = Tls.of(arguments, environment);
        Login login = Login.of(arguments, environment);
        String token = adminToken(arguments, environment);
        return new Session(
                endpoints,
                adminPorts,
                token != null ? "Bearer " + token : login == null ? null : login.basic(),
                tls,
                login,
                timeout,
                new Nodes(endpoints, tls, login, timeout),
                output);
    }

    /** The addresses of a list with commas between them; one without a port has this one. */
    static List<Endpoint> endpoints(String list, int defaultPort) throws CliException {
        try {
            return Endpoint.parseAll(list, defaultPort);
        } catch (IllegalArgumentException e) {
            throw CliException.usage(String.valueOf(e.getMessage()));
        }
    }

    private static @Nullable String adminToken(Arguments arguments, Map<String, String> environment)
            throws CliException {
        String option = arguments.option("--admin-token-file");
        String file = option != null ? option : environment.get("DSHM_ADMIN_TOKEN_FILE");
        if (file == null) {
            return null;
        }
        try {
            String token = Files.readString(Path.of(file)).strip();
            if (token.matches("[!-~]+")) {
                return token;
            }
        } catch (IOException | InvalidPathException e) {
            throw new CliException(
                    ExitCode.USAGE, "no_token", "the token's file " + file + " cannot be read: " + e.getMessage());
        }
        throw new CliException(ExitCode.USAGE, "no_token", "in " + file + " there is no token");
    }

    /** The port for operators there. */
    AdminPort adminPort(Endpoint endpoint) {
        return adminPort(endpoint, timeout);
    }

    /** The same with another timeout. */
    AdminPort adminPort(Endpoint endpoint, Duration patience) {
        return new AdminPort(endpoint, tls, patience, authorization);
    }

    /** Whether a line asks for other nodes or another timeout than the session that it is in. */
    static boolean isOther(Arguments line) {
        return line.says(OPTIONS);
    }

    /** The same, with results as JSON or not. */
    Session as(boolean json) {
        return json == output.isJson()
                ? this
                : new Session(endpoints, adminPorts, authorization, tls, login, timeout, nodes, output.as(json));
    }

    /** Sends a command; the reply is no error. */
    Reply call(Command command) throws CliException {
        return Failures.orThrow(nodes.call(command));
    }

    /** Runs a word. */
    ExitCode run(Word word, Arguments arguments) throws CliException {
        if (word.action() instanceof Word.Request request) {
            return request.shape().show(arguments, call(request.builder().build(arguments)), output);
        }
        return ((Word.Tool) word.action()).body().run(arguments, this);
    }

    @Override
    public void close() {
        nodes.close();
    }
}
