package io.dshm.server.torture;

import io.dshm.server.system.Await;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One run of real nodes under faults and load, whose histories are checked as it goes. What it is to do is said first:
 *
 * <pre>
 *   Report report = TortureRun.of(seed).faults(KILL, CUT).duration(Duration.ofMinutes(1)).run();
 * </pre>
 */
final class TortureRun {

    /** In which clients only warm the nodes up, before the first fault and after the last. */
    private static final Duration CALM = Duration.ofSeconds(5);

    private static final Duration PROGRESS = Duration.ofSeconds(10);

    private final long seed;
    private int nodes = 3;
    private int hands = 2;
    private int pauseMillis = 40;
    private Duration duration = Duration.ofSeconds(60);
    private Duration round = Duration.ofSeconds(10);
    private List<Workload> workloads = List.of(Workload.values());
    private List<FaultKind> faults = List.of(FaultKind.values());
    private List<String> jvmOptions = List.of();
    private @Nullable Path classes;
    private boolean untilFirstViolation;
    private Path out = Path.of("target/torture").toAbsolutePath();
    private Consumer<String> progress = line -> {};

    private TortureRun(long seed) {
        this.seed = seed;
    }

    static TortureRun of(long seed) {
        return new TortureRun(seed);
    }

    TortureRun nodes(int count) {
        nodes = count;
        return this;
    }

    /** How many faults there may be at a time. */
    TortureRun atATime(int count) {
        hands = count;
        return this;
    }

    TortureRun duration(Duration howLong) {
        duration = howLong;
        return this;
    }

    TortureRun workloads(Workload... some) {
        workloads = List.of(some);
        return this;
    }

    TortureRun faults(FaultKind... some) {
        faults = List.of(some);
        return this;
    }

    /** More options for the nodes' JVMs. */
    TortureRun jvmOptions(String... options) {
        jvmOptions = List.of(options);
        return this;
    }

    /** Other classes for the nodes than those of the jar, where this folder has them. */
    TortureRun classes(Path folder) {
        classes = folder;
        return this;
    }

    /** Ends with the first violation. */
    TortureRun untilFirstViolation() {
        untilFirstViolation = true;
        return this;
    }

    /** Where histories of violations and the nodes' logs of that run are put. */
    TortureRun out(Path folder) {
        out = folder.toAbsolutePath();
        return this;
    }

    /** Who gets a line now and then. */
    TortureRun progress(Consumer<String> listener) {
        progress = listener;
        return this;
    }

    /** What this machine lacks for any run, if anything. */
    static Optional<String> lacking() {
        return Network.lacking();
    }

    /** Does it, and leaves nothing behind but what was found. */
    Report run() throws IOException, InterruptedException {
        List<FaultKind> possible = new ArrayList<>();
        List<String> leftOut = new ArrayList<>();
        for (FaultKind kind : faults) {
            Optional<String> lacking = kind.lacking();
            if (lacking.isEmpty()) {
                possible.add(kind);
            } else {
                leftOut.add(kind.label() + ": this machine lacks " + lacking.get());
            }
        }
        leftOut.forEach(what -> progress.accept("left out: " + what));
        Chronicle chronicle = new Chronicle(progress);
        Site site = Site.build(nodes, Set.copyOf(possible), gap -> chronicle.add(gap.toString()));
        try {
            for (Machine machine : site.machines().all()) {
                machine.node().withJvm(jvmOptions.toArray(String[]::new));
                if (classes != null) {
                    machine.node().withClasses(classes);
                }
            }
            return run(site, chronicle, possible, leftOut);
        } finally {
            site.takeDown();
        }
    }

    private Report run(Site site, Chronicle chronicle, List<FaultKind> possible, List<String> leftOut)
            throws IOException, InterruptedException {
        long started = System.nanoTime();
        Machines machines = site.machines();
        CountDownLatch ends = new CountDownLatch(1);
        Findings findings = new Findings(
                out.resolve("seed-" + seed),
                () -> circumstances(chronicle),
                untilFirstViolation ? ends::countDown : () -> {});
        Nemesis nemesis = new Nemesis(machines, possible, hands, seed, chronicle::add, what -> {
            findings.add(what);
            // Nobody knows any more what state its machines are in.
            ends.countDown();
        });
        Tally tally = new Tally();
        Round.Sequence rounds = new Round.Sequence();
        Load load = new Load(machines, workloads, rounds, tally, pauseMillis, seed);
        Judge judge = new Judge(rounds, workloads, readers(machines), findings, round.toMillis());

        startAll(machines);
        load.start();
        judge.start();
        Map<String, Resources> before = Map.of();
        Map<String, Resources> after = Map.of();
        try {
            Await.pause(CALM);
            before = resources(machines);
            machines.availability().begin();
            nemesis.start();
            watch(machines, findings, chronicle, tally, nemesis, ends);
            nemesis.stop();
            if (machines.areWhole()) {
                Await.pause(CALM);
                after = resources(machines);
            }
        } catch (IOException | AssertionError e) {
            findings.add(e.toString());
        }
        load.stop();
        judge.stop();
        try {
            if (machines.areWhole()) {
                machines.cluster().assertEqualDigests();
            }
        } catch (AssertionError e) {
            findings.add(e.toString());
        }
        if (!findings.all().isEmpty()) {
            site.copyLogs(out.resolve("seed-" + seed));
        }
        return new Report(
                seed,
                Duration.ofNanos(System.nanoTime() - started),
                tally.byKind(),
                nemesis.counts(),
                leftOut,
                machines.availability().longestGap(),
                before,
                after,
                findings.all());
    }

    private List<String> circumstances(Chronicle chronicle) {
        List<String> lines = new ArrayList<>();
        lines.add("seed " + seed + ", " + nodes + " nodes, workloads " + workloads + ", faults " + faults);
        lines.addAll(chronicle.recent());
        return lines;
    }

    private static void startAll(Machines machines) throws IOException, InterruptedException {
        for (Machine machine : machines.all()) {
            machine.start();
        }
        for (Machine machine : machines.all()) {
            machine.awaitWhole();
        }
        machines.cluster().awaitLeader();
    }

    /** Lets time pass until the run is over, tells how it goes, and looks after the nodes. */
    private void watch(
            Machines machines,
            Findings findings,
            Chronicle chronicle,
            Tally tally,
            Nemesis nemesis,
            CountDownLatch ends)
            throws InterruptedException {
        long started = System.nanoTime();
        for (long told = started; System.nanoTime() - started < duration.toNanos(); ) {
            if (ends.await(1, TimeUnit.SECONDS)) {
                return;
            }
            List<Machine> ended = machines.ended();
            if (!ended.isEmpty()) {
                findings.add("nodes have ended by themselves: " + ended);
                return;
            }
            if (System.nanoTime() - told >= PROGRESS.toNanos()) {
                told = System.nanoTime();
                Tally.Count total = tally.total();
                chronicle.add(String.format(
                        Locale.ROOT,
                        "%d operations, %d faults, longest gap %d ms, %d violations; now: %s",
                        total.all(),
                        nemesis.counts().values().stream().mapToInt(n -> n).sum(),
                        TimeUnit.NANOSECONDS.toMillis(
                                machines.availability().longestGap().nanos()),
                        findings.all().size(),
                        nemesis.active()));
            }
        }
    }

    private static List<Client> readers(Machines machines) {
        return machines.all().stream()
                .map(machine -> new Client(0, machine.name(), machine.node().address()))
                .toList();
    }

    private static Map<String, Resources> resources(Machines machines) throws IOException, InterruptedException {
        Map<String, Resources> held = new TreeMap<>();
        for (Machine machine : machines.all()) {
            held.put(machine.name(), Resources.of(machine));
        }
        return held;
    }
}
