package io.dshm.server.torture;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The command {@code deploy/bin/torture}, whose head says what it does. */
@Command(name = "torture")
final class Torture implements Callable<Integer> {

    @Option(names = "--minutes")
    double minutes = 10;

    @Option(names = "--seed")
    @Nullable
    Long seed;

    @Option(names = "--nodes")
    int nodes = 3;

    @Option(names = "--at-a-time")
    int atATime = 2;

    @Option(names = "--faults", split = ",")
    List<FaultKind> faults = List.of(FaultKind.values());

    @Option(names = "--workloads", split = ",")
    List<Workload> workloads = List.of(Workload.values());

    @Option(names = "--jvm-options", split = ",")
    List<String> jvmOptions = List.of();

    @Option(names = "--election-timeout-millis")
    @Nullable
    Integer electionTimeoutMillis;

    @Option(names = "--tls")
    boolean tls;

    @Option(names = "--auth")
    boolean auth;

    @Option(names = "--plant", split = ",")
    List<String> plant = List.of();

    @Spec
    CommandSpec spec = CommandSpec.create();

    @Option(names = "--out")
    Path out = Path.of("torture-out");

    /** Exit status 0 if nothing was violated, 1 if something was, 2 for a wrong option or a machine that cannot do it. */
    public static void main(String[] arguments) {
        System.exit(new CommandLine(new Torture())
                .registerConverter(FaultKind.class, FaultKind::parse)
                .registerConverter(Workload.class, Workload::parse)
                .execute(arguments));
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        String lacking = TortureRun.lacking().orElse(null);
        if (lacking != null) {
            System.err.println("torture: this machine lacks " + lacking);
            return CommandLine.ExitCode.USAGE;
        }
        long chosen = seed == null ? ThreadLocalRandom.current().nextInt(1_000_000) : seed;
        return plant.isEmpty() ? torture(chosen) : plant(chosen);
    }

    private int torture(long chosen) throws IOException, InterruptedException {
        Report report = newRun(chosen).run();
        System.out.println(report.table());
        return report.violations().isEmpty() ? CommandLine.ExitCode.OK : CommandLine.ExitCode.SOFTWARE;
    }

    private List<PlantedBug> bugs() {
        try {
            return plant.equals(List.of("all"))
                    ? List.of(PlantedBug.values())
                    : plant.stream().map(PlantedBug::parse).toList();
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }

    /** Runs once for each bug, until it is found. */
    private int plant(long chosen) throws IOException, InterruptedException {
        List<String> lines = new ArrayList<>();
        boolean allFound = true;
        for (PlantedBug bug : bugs()) {
            System.out.println("torture: planted " + bug.label() + ": " + bug.description());
            TortureRun run = newRun(chosen)
                    .workloads(bug.workloads())
                    .faults(bug.faults())
                    .classes(bug.compile())
                    .untilFirstViolation();
            bug.electionTimeoutMillis().ifPresent(run::electionTimeoutMillis);
            Report report = run.run();
            Optional<Duration> after = report.toFirstViolation();
            allFound &= after.isPresent();
            lines.add(String.format(
                    Locale.ROOT,
                    "%-20s %s",
                    bug.label(),
                    after.map(found -> "found after " + found.toSeconds() + " s: "
                                    + report.violations().get(0).what())
                            .orElse("NOT FOUND in " + report.took().toSeconds() + " s")));
            System.out.println("torture: " + lines.get(lines.size() - 1));
        }
        System.out.println(String.join("\n", lines));
        return allFound ? CommandLine.ExitCode.OK : CommandLine.ExitCode.SOFTWARE;
    }

    private TortureRun newRun(long chosen) {
        TortureRun run = TortureRun.of(chosen)
                .nodes(nodes)
                .atATime(atATime)
                .duration(Duration.ofSeconds(Math.round(minutes * 60)))
                .out(out)
                .tls(tls)
                .auth(auth)
                .faults(faults.toArray(FaultKind[]::new))
                .workloads(workloads.toArray(Workload[]::new))
                .jvmOptions(jvmOptions.toArray(String[]::new))
                .progress(line -> System.out.println("torture: " + line));
        if (electionTimeoutMillis != null) {
            run.electionTimeoutMillis(electionTimeoutMillis);
        }
        return run;
    }
}
