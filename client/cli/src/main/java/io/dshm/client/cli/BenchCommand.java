package io.dshm.client.cli;

import io.dshm.client.ClientTls;
import io.dshm.client.cli.bench.Distribution;
import io.dshm.client.cli.bench.Limit;
import io.dshm.client.cli.bench.Mix;
import io.dshm.client.cli.bench.Plan;
import io.dshm.client.cli.bench.Result;
import io.dshm.client.cli.bench.Security;
import io.dshm.client.cli.bench.Target;
import io.dshm.client.internal.Endpoint;
import io.dshm.proto.Limits;
import io.dshm.proto.ReadMode;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import javax.net.ssl.SSLEngine;
import org.jspecify.annotations.Nullable;

/** {@code dshm bench}: what its options ask for, and what is shown of it. */
final class BenchCommand {

    private static final int CONNECTIONS_MAX = 60_000;
    private static final int PIPELINE_MAX = 10_000;
    private static final int THREADS_MAX = 256;
    private static final int KEYS_MAX = 100_000_000;
    private static final int ROUNDS_MAX = 1000;
    private static final long RATE_MAX = 100_000_000;
    private static final long TOKENS_MAX = 1_000_000_000_000L;
    private static final long DURATION_MILLIS = 10_000;
    private static final long WARM_UP_MILLIS = 2_000;

    private BenchCommand() {}

    static ExitCode run(Arguments arguments, Session session) throws CliException {
        Plan plan;
        List<Target> targets;
        try {
            plan = plan(arguments, session);
            targets = targets(arguments, session, plan);
        } catch (IllegalArgumentException e) {
            throw CliException.usage(String.valueOf(e.getMessage()));
        }
        Output output = session.output();
        Path page = page(arguments);
        try {
            BenchTurns turns = BenchTurns.run(
                    plan, targets, number(arguments, "--rounds", targets.size() > 1 ? 3 : 1, ROUNDS_MAX), output);
            BenchReport.show(output, plan, turns);
            if (page != null) {
                Files.writeString(page, BenchPage.of(BenchReport.lines(plan, turns), turns.middle()));
            }
            return exitCode(turns.all());
        } catch (IOException e) {
            throw new CliException(
                    ExitCode.UNAVAILABLE,
                    "unreachable",
                    "it cannot go on: " + e.getMessage() + "\ndshm status shows the nodes");
        }
    }

    private static List<Target> targets(Arguments arguments, Session session, Plan plan) throws CliException {
        List<Target> targets = new ArrayList<>();
        String own = arguments.option("--target");
        targets.add(
                own == null
                        ? new Target("DSHM", Target.Kind.DSHM, resolved(session.endpoints()), security(session))
                        : target("--target", own, session));
        String other = arguments.option("--compare");
        if (other != null) {
            targets.add(target("--compare", other, session));
        }
        targets.forEach(target -> target.require(plan));
        return targets;
    }

    private static Target target(String option, String url, Session session) throws CliException {
        int colon = url.indexOf("://");
        Target.Kind kind = colon < 0 ? null : Target.kind(url.substring(0, colon));
        if (kind == null) {
            throw CliException.usage(option + " is redis://HOST:PORT, memcached://HOST:PORT, etcd://HOST:PORT,... or"
                    + " dshm://HOST:PORT,..., not '" + url + "'");
        }
        String addresses = url.substring(colon + 3).replaceFirst("/$", "");
        return new Target(
                url.substring(0, colon),
                kind,
                resolved(Session.endpoints(addresses, kind.port())),
                kind == Target.Kind.DSHM ? security(session) : Security.NONE);
    }

    private static Security security(Session session) {
        Login login = session.login();
        return new Security(
                session.tls() == null ? null : new Tls(session.tls()),
                login == null
                        ? null
                        : new Security.Login(login.user().getBytes(StandardCharsets.UTF_8), login.secret()));
    }

    private record Tls(ClientTls tls) implements Security.Tls {
        @Override
        public SSLEngine engine(String host, int port) {
            return tls.engine(host, port);
        }

        @Override
        public Socket over(Socket connected, String host) throws IOException {
            return tls.over(connected, host);
        }
    }

    private static List<InetSocketAddress> resolved(List<Endpoint> endpoints) throws CliException {
        List<InetSocketAddress> addresses =
                endpoints.stream().map(Endpoint::resolve).toList();
        for (InetSocketAddress address : addresses) {
            if (address.isUnresolved()) {
                throw new CliException(
                        ExitCode.UNAVAILABLE, "unreachable", "the name " + address.getHostString() + " is not known");
            }
        }
        return addresses;
    }

    /** Where the page goes; it is made now, so that nobody waits for a run whose page cannot be written. */
    private static @Nullable Path page(Arguments arguments) throws CliException {
        String name = arguments.option("--html");
        if (name == null) {
            return null;
        }
        try {
            Path page = Path.of(name);
            Files.writeString(page, "");
            return page;
        } catch (IOException | InvalidPathException e) {
            throw CliException.usage("--html: " + name + " cannot be written: " + e.getMessage());
        }
    }

    private static ExitCode exitCode(List<Result> results) {
        if (results.stream().anyMatch(result -> result.violationCount() > 0)) {
            return ExitCode.NO;
        }
        boolean all = results.stream()
                .allMatch(result ->
                        result.unchecked().isEmpty() && result.requests() > result.failed() + result.neverSent());
        return all ? ExitCode.OK : ExitCode.UNAVAILABLE;
    }

    private static Plan plan(Arguments arguments, Session session) throws CliException {
        String[] sizes = option(arguments, "--value-size", "64").split("-", 2);
        int sizeMin = size(sizes[0]);
        int sizeMax = size(sizes[sizes.length - 1]);
        int connections = number(arguments, "--connections", 48, CONNECTIONS_MAX);
        int threads = number(arguments, "--threads", 1, THREADS_MAX);
        int keys = number(arguments, "--keys", 1000, KEYS_MAX);
        if (sizeMin > sizeMax) {
            throw CliException.usage("--value-size is a range from the smaller to the larger, as in 16-1024");
        }
        if (threads > connections || threads > keys) {
            throw CliException.usage("--threads: each has a connection and a key of its own, so there are no more than "
                    + Math.min(connections, keys));
        }
        ReadMode read = arguments.readMode();
        return new Plan(
                Mix.parse(option(arguments, "--mix", "get=80,incr=20")),
                Distribution.parse(option(arguments, "--distribution", "uniform")),
                keys,
                sizeMin,
                sizeMax,
                connections,
                number(arguments, "--pipeline", 1, PIPELINE_MAX),
                threads,
                arguments.count("--rate", 0, RATE_MAX),
                Duration.ofMillis(arguments.millis("--warm-up", WARM_UP_MILLIS)),
                Duration.ofMillis(Math.max(1, arguments.millis("--duration", DURATION_MILLIS))),
                arguments.count("--count", Long.MAX_VALUE, Long.MAX_VALUE),
                arguments.integer("--seed", 1),
                limit(arguments),
                read == null ? "" : read.wireName().toLowerCase(Locale.ROOT),
                session.timeout(),
                option(arguments, "--region", "bench"));
    }

    private static Limit limit(Arguments arguments) throws CliException {
        String[] parts = option(arguments, "--limit", "100/1s").split("/", -1);
        if (parts.length != 2 || !parts[0].matches("[0-9]{1,13}") || Long.parseLong(parts[0]) > TOKENS_MAX) {
            throw CliException.usage("--limit is a number and a time, as in 100/1s");
        }
        return Limit.of(
                option(arguments, "--algorithm", "log"),
                Math.max(1, Long.parseLong(parts[0])),
                Math.max(1, Arguments.millis(parts[1], "--limit")));
    }

    private static String option(Arguments arguments, String name, String otherwise) {
        return Objects.requireNonNullElse(arguments.option(name), otherwise);
    }

    private static int number(Arguments arguments, String name, int otherwise, int max) throws CliException {
        int number = (int) arguments.count(name, otherwise, max);
        if (number < 1) {
            throw CliException.usage(name + " is 1 to " + max + ", not " + number);
        }
        return number;
    }

    private static int size(String text) throws CliException {
        if (!text.matches("[0-9]{1,9}")
                || Integer.parseInt(text) < Plan.SIZE_MIN
                || Integer.parseInt(text) > Limits.VALUE_BYTES_MAX) {
            throw CliException.usage("--value-size is " + Plan.SIZE_MIN + " to " + Limits.VALUE_BYTES_MAX
                    + " bytes, or a range as in 16-1024; a value begins with the number of the write that it is of");
        }
        return Integer.parseInt(text);
    }
}
