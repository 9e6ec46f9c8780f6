package io.dshm.server.torture;

import io.dshm.server.system.Secured;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
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

    /** Nodes that live for some seconds do not get back what the second compiler costs. */
    private static final String YOUNG = "-XX:TieredStopAtLevel=1";

    final long seed;
    int nodes = 3;
    int hands = 2;
    Duration duration = Duration.ofSeconds(60);
    List<Workload> workloads = List.of(Workload.values());
    List<FaultKind> faults = List.of(FaultKind.values());
    boolean untilFirstViolation;
    boolean tls = Secured.ON;
    boolean auth = Secured.ON;
    Path out = Path.of("target/torture").toAbsolutePath();
    private List<String> jvmOptions = List.of();
    private OptionalInt electionTimeoutMillis = OptionalInt.empty();
    private @Nullable Path classes;
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

    /** The nodes' election timeout, instead of the usual one. */
    TortureRun electionTimeoutMillis(int millis) {
        electionTimeoutMillis = OptionalInt.of(millis);
        return this;
    }

    /** Whether all connections are with TLS, those between nodes and operators' too. */
    TortureRun tls(boolean whether) {
        tls = whether;
        return this;
    }

    /** Whether clients have to say who they are. */
    TortureRun auth(boolean whether) {
        auth = whether;
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
    static Optional<String> lacking() throws InterruptedException {
        return Network.lacking();
    }

    /** Does it, and leaves nothing behind but what was found. */
    Report run() throws IOException, InterruptedException {
        List<FaultKind> possible = new ArrayList<>();
        List<String> leftOut = new ArrayList<>();
        for (FaultKind kind : faults) {
            if (kind.needsTls() && !tls) {
                continue;
            }
            Optional<String> lacking = kind.lacking();
            if (lacking.isEmpty()) {
                possible.add(kind);
            } else {
                leftOut.add(kind.label() + ": this machine lacks " + lacking.get());
            }
        }
        leftOut.forEach(what -> progress.accept("left out: " + what));
        Chronicle chronicle = new Chronicle(progress);
        Site site = Site.build(this, Set.copyOf(possible), gap -> chronicle.add(gap.toString()));
        try {
            for (Machine machine : site.machines().all()) {
                machine.node().withJvm(YOUNG).withJvm(jvmOptions.toArray(String[]::new));
                electionTimeoutMillis.ifPresent(machine::electionTimeoutMillis);
                if (classes != null) {
                    machine.node().withClasses(classes);
                }
            }
            return new Course(this, site, chronicle, possible, leftOut).run();
        } finally {
            site.takeDown();
        }
    }
}
