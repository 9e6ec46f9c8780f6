package io.dshm.server.torture;

import io.dshm.server.system.Await;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** What happens in a run from the start of the nodes to the report. */
final class Course {

    /** In which there is only load: before the first fault, to warm the nodes up, and after the last. */
    private static final Duration CALM = Duration.ofSeconds(5);

    private static final Duration PROGRESS = Duration.ofSeconds(10);
    private static final Duration ROUND = Duration.ofSeconds(10);

    /** How long a client waits between two operations, on average. */
    private static final int PAUSE_MILLIS = 40;

    private final TortureRun settings;
    private final Site site;
    private final Machines machines;
    private final Chronicle chronicle;
    private final List<String> leftOut;
    private final Path out;
    private final Findings findings;
    private final Nemesis nemesis;
    private final Tally tally = new Tally();
    private final Load load;
    private final Judge judge;
    private final CountDownLatch ends = new CountDownLatch(1);
    private Map<String, Resources> before = Map.of();
    private Map<String, Resources> after = Map.of();

    /**
     * A run that has not begun.
     *
     * @param faults what is to be injected
     * @param leftOut what was to be injected and cannot
     */
    Course(TortureRun settings, Site site, Chronicle chronicle, List<FaultKind> faults, List<String> leftOut) {
        this.settings = settings;
        this.site = site;
        this.machines = site.machines();
        this.chronicle = chronicle;
        this.leftOut = leftOut;
        this.out = settings.out.resolve("seed-" + settings.seed);
        this.findings =
                new Findings(out, this::circumstances, settings.untilFirstViolation ? ends::countDown : () -> {});
        this.nemesis = new Nemesis(machines, faults, settings.hands, settings.seed, chronicle::add, what -> {
            findings.add(what);
            // Nobody knows any more what state its machines are in.
            ends.countDown();
        });
        Round.Sequence rounds = new Round.Sequence();
        this.load = new Load(machines, settings.workloads, rounds, tally, PAUSE_MILLIS, settings.seed);
        List<Client> readers = machines.all().stream()
                .map(machine -> Client.patient(0, machine))
                .toList();
        RegionLimits limits = new RegionLimits(machines, settings.workloads);
        this.judge = new Judge(rounds, settings.workloads, limits, readers, findings, ROUND.toMillis());
    }

    private List<String> circumstances() {
        List<String> lines = new ArrayList<>();
        lines.add("seed " + settings.seed + ", " + settings.nodes + " nodes, workloads " + settings.workloads
                + ", faults " + settings.faults);
        lines.addAll(chronicle.recent());
        return lines;
    }

    Report run() throws IOException, InterruptedException {
        long started = System.nanoTime();
        try {
            startNodes();
            load.start();
            judge.start();
            underFaults();
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
            site.copyLogs(out);
        }
        return new Report(
                settings.seed,
                Duration.ofNanos(System.nanoTime() - started),
                tally.byKind(),
                nemesis.counts(),
                leftOut,
                machines.availability().longestGap(),
                Duration.ofNanos(machines.availability().longestRecovery()),
                before,
                after,
                findings.all());
    }

    private void startNodes() throws IOException, InterruptedException {
        for (Machine machine : machines.all()) {
            machine.start();
        }
        for (Machine machine : machines.all()) {
            machine.awaitWhole();
        }
        machines.cluster().awaitLeader();
        site.access().begin(machines);
    }

    private void underFaults() throws IOException, InterruptedException {
        Await.pause(CALM);
        before = resources();
        machines.availability().begin();
        nemesis.start();
        watch();
        nemesis.stop();
        if (machines.areWhole()) {
            Await.pause(CALM);
            after = resources();
        }
    }

    /** Lets time pass until the run is over, tells how it goes, and looks after the nodes. */
    private void watch() throws InterruptedException {
        long started = System.nanoTime();
        for (long told = started; System.nanoTime() - started < settings.duration.toNanos(); ) {
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
                chronicle.add(progress());
            }
        }
    }

    private String progress() {
        return String.format(
                Locale.ROOT,
                "%d operations, %d faults, longest gap %d ms, %d violations; now: %s",
                tally.total().all(),
                nemesis.counts().values().stream().mapToInt(n -> n).sum(),
                TimeUnit.NANOSECONDS.toMillis(
                        machines.availability().longestGap().nanos()),
                findings.all().size(),
                nemesis.active());
    }

    private Map<String, Resources> resources() throws IOException, InterruptedException {
        Map<String, Resources> held = new TreeMap<>();
        for (Machine machine : machines.all()) {
            held.put(machine.name(), Resources.of(machine));
        }
        return held;
    }
}
