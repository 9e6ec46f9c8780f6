package io.dshm.client.cli;

import io.dshm.client.cli.bench.Distribution;
import io.dshm.client.cli.bench.Limit;
import io.dshm.client.cli.bench.Mix;
import io.dshm.client.cli.bench.Plan;
import io.dshm.client.cli.bench.Result;
import io.dshm.client.cli.bench.Target;
import io.dshm.client.cli.bench.Trial;
import io.dshm.proto.Limits;
import io.dshm.proto.ReadMode;
import java.io.IOException;
import java.time.Duration;
import java.util.Locale;
import java.util.Objects;

/** {@code dshm bench}: what its options ask for, and what is shown of it. */
final class BenchCommand {

    private static final int CONNECTIONS_MAX = 60_000;
    private static final int PIPELINE_MAX = 10_000;
    private static final int THREADS_MAX = 256;
    private static final int KEYS_MAX = 100_000_000;
    private static final long RATE_MAX = 100_000_000;
    private static final long TOKENS_MAX = 1_000_000_000_000L;
    private static final long DURATION_MILLIS = 10_000;
    private static final long WARM_UP_MILLIS = 2_000;

    private BenchCommand() {}

    static ExitCode run(Arguments arguments, Session session) throws CliException {
        if (session.tls() != null) {
            throw CliException.usage("dshm bench speaks no TLS: give it plain ports");
        }
        Plan plan;
        try {
            plan = plan(arguments, session);
        } catch (IllegalArgumentException e) {
            throw CliException.usage(String.valueOf(e.getMessage()));
        }
        Target target = new Target(
                "DSHM",
                Target.Kind.DSHM,
                session.endpoints().stream().map(Endpoint::resolve).toList());
        Output output = session.output();
        try {
            Result result = Trial.run(plan, target, second -> BenchReport.live(output, second));
            BenchReport.show(output, plan, result);
            return exitCode(result);
        } catch (IOException e) {
            throw new CliException(
                    ExitCode.UNAVAILABLE,
                    "unreachable",
                    "it cannot begin: " + e.getMessage() + "\ndshm status shows the nodes");
        }
    }

    private static ExitCode exitCode(Result result) {
        if (result.violationCount() > 0) {
            return ExitCode.NO;
        }
        boolean nothing = result.requests() == result.failed() + result.neverSent();
        return nothing || !result.unchecked().isEmpty() ? ExitCode.UNAVAILABLE : ExitCode.OK;
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
