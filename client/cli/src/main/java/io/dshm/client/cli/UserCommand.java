package io.dshm.client.cli;

import io.dshm.client.cli.AdminPort.Page;
import io.dshm.client.internal.Endpoint;
import io.dshm.client.internal.Reasons;
import io.dshm.proto.ErrorCode;
import io.dshm.proto.Limits;
import io.dshm.proto.Secrets;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URLEncoder;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * {@code dshm user} and {@code dshm auth}: they go to the admin port of any node that answers. A secret is made here,
 * and only its hash is sent. To ask for the same change again changes nothing, so that the next node is asked whatever
 * became of the first.
 */
final class UserCommand {

    private static final int OK = 200;
    private static final int CONFLICT = 409;
    private static final int SERVER_ERROR = 500;
    private static final List<String> HEADINGS = List.of("USER", "SECRETS", "RIGHTS");

    private final Session session;

    private UserCommand(Session session) {
        this.session = session;
    }

    static ExitCode run(Arguments arguments, Session session) throws CliException {
        UserCommand command = new UserCommand(session);
        String action = arguments.required(0);
        if (action.equals("list")) {
            return command.list();
        }
        String name = arguments.at(1);
        if (name == null) {
            throw CliException.usage("user " + action + " needs the user's name");
        }
        String query = "?name=" + encoded(name) + rights(arguments);
        return switch (action) {
            case "add" -> command.withSecret("add", name, query, arguments);
            case "rotate" -> command.rotate(name, query, arguments);
            case "grant", "revoke", "remove" -> command.done(action + query, null);
            default ->
                throw CliException.usage(
                        "there is no 'user " + action + "', but add, list, grant, revoke, rotate and remove");
        };
    }

    /** {@code dshm auth on|off}. */
    static ExitCode auth(Arguments arguments, Session session) throws CliException {
        UserCommand command = new UserCommand(session);
        return switch (arguments.required(0)) {
            case "on" -> command.done("auth-on", null);
            case "off" -> command.done("auth-off", null);
            default -> throw CliException.usage("auth is on or off");
        };
    }

    private static String rights(Arguments arguments) {
        String rights = arguments.option("--rights");
        if (rights == null) {
            return "";
        }
        StringBuilder query = new StringBuilder();
        for (String right : rights.split(",", -1)) {
            query.append("&right=").append(encoded(right.strip()));
        }
        return query.toString();
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    private ExitCode rotate(String name, String query, Arguments arguments) throws CliException {
        if (arguments.has("--finish")) {
            return done("finish-rotation" + query, null);
        }
        return withSecret(arguments.has("--at-once") ? "replace-secret" : "rotate", name, query, arguments);
    }

    private ExitCode withSecret(String action, String name, String query, Arguments arguments) throws CliException {
        String file = arguments.option("--new-secret-file");
        String shown = null;
        byte[] secret;
        if (file != null && Files.exists(path(file))) {
            secret = Login.secretIn(file);
            if (!Secrets.isLongEnough(secret)) {
                throw CliException.usage("a secret has " + Limits.SECRET_BYTES_MIN + " to " + Limits.SECRET_BYTES_MAX
                        + " bytes, and is random: 'openssl rand -hex 32' makes one");
            }
        } else {
            String random = Secrets.random();
            secret = random.getBytes(StandardCharsets.US_ASCII);
            if (file == null) {
                shown = random;
            } else {
                write(file, random);
            }
        }
        byte[] salt = Secrets.saltOf(name, secret);
        String hashed = "&salt=" + HexFormat.of().formatHex(salt) + "&hash="
                + HexFormat.of().formatHex(Secrets.hash(salt, secret));
        return done(action + query + hashed, shown);
    }

    private static Path path(String file) throws CliException {
        try {
            return Path.of(file);
        } catch (InvalidPathException e) {
            throw CliException.usage(String.valueOf(e.getMessage()));
        }
    }

    /** Before the node is asked: a secret that nobody has is of no use. */
    private static void write(String file, String secret) throws CliException {
        try {
            Path path = Files.createFile(
                    path(file), PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            Files.writeString(path, secret + "\n", StandardOpenOption.WRITE);
        } catch (IOException e) {
            throw new CliException(ExitCode.USAGE, "no_secret", file + " cannot be written: " + e.getMessage());
        }
    }

    /** @param secret one that was made for this and stands nowhere else; null for none */
    private ExitCode done(String path, @Nullable String secret) throws CliException {
        String message = change("/users/" + path, secret);
        if (session.output().isJson()) {
            Map<String, Object> fields = new LinkedHashMap<>();
            fields.put("message", message);
            if (secret != null) {
                fields.put("secret", secret);
            }
            session.output().object(fields);
        } else {
            session.output().line(message);
            if (secret != null) {
                session.output().line("its secret, which is shown this once: " + secret);
            }
        }
        return ExitCode.OK;
    }

    private ExitCode list() throws CliException {
        Map<String, Object> said = Json.object(users().body());
        if (session.output().isJson()) {
            session.output().object(said);
            return ExitCode.OK;
        }
        List<List<String>> rows = new ArrayList<>();
        rows.add(HEADINGS);
        for (Object user : said.get("users") instanceof List<?> all ? all : List.of()) {
            Map<?, ?> fields = (Map<?, ?>) user;
            List<String> rights = fields.get("rights") instanceof List<?> list
                    ? list.stream().map(String::valueOf).toList()
                    : List.of();
            rows.add(List.of(
                    String.valueOf(fields.get("user")),
                    String.valueOf(fields.get("secrets")),
                    rights.isEmpty() ? "-" : String.join(",", rights)));
        }
        session.output().line("auth is " + said.get("auth"));
        StatusTable.aligned(rows).forEach(session.output()::line);
        return ExitCode.OK;
    }

    private Page users() throws CliException {
        String last = "";
        for (Endpoint endpoint : session.adminPorts()) {
            try {
                Page page = session.adminPort(endpoint).get("/users");
                if (page.status() == OK) {
                    return page;
                }
                last = endpoint + ": " + page.body().strip();
            } catch (IOException e) {
                last = endpoint + ": " + Reasons.of(e);
            }
        }
        throw new CliException(ExitCode.UNAVAILABLE, "unavailable", last + "\ndshm status shows what is wrong");
    }

    /** Asks one node after the other for a change, and returns what the one says that has made it. */
    private String change(String path, @Nullable String secret) throws CliException {
        String last = "";
        boolean unknown = false;
        for (Endpoint endpoint : session.adminPorts()) {
            try {
                Page page = session.adminPort(endpoint).post(path);
                if (page.status() == OK) {
                    return String.valueOf(Json.object(page.body()).get("message"));
                }
                if (page.status() == CONFLICT) {
                    return refused(path, Json.object(page.body()), unknown);
                }
                last = endpoint + ": " + page.body().strip();
                unknown |= page.status() >= SERVER_ERROR;
            } catch (IOException e) {
                last = endpoint + ": " + Reasons.of(e);
                unknown |= !(e instanceof ConnectException || e instanceof UnknownHostException);
            }
        }
        if (!unknown) {
            throw new CliException(
                    ExitCode.UNAVAILABLE,
                    "unavailable",
                    last + "\nnothing was changed; dshm status shows what is wrong");
        }
        throw new CliException(
                ExitCode.UNKNOWN,
                "unknown_outcome",
                last + "\nit may be done, or may still be; to ask for the same again does no harm"
                        + (secret == null
                                ? ""
                                : "\nthe secret would be " + secret
                                        + "; write it to a file, and ask again with --new-secret-file FILE"));
    }

    /** @param unknown whether a node that was asked before may have done it */
    private static String refused(String path, Map<String, Object> fields, boolean unknown) throws CliException {
        String message = String.valueOf(fields.get("message"));
        if (unknown && path.startsWith("/users/remove") && message.startsWith(ErrorCode.NOT_FOUND.wireName())) {
            return "the user is gone";
        }
        throw new CliException(ExitCode.REFUSED, String.valueOf(fields.get("error")), message);
    }
}
