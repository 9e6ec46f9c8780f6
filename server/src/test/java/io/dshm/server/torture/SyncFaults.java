package io.dshm.server.torture;

import io.dshm.server.system.Await;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** What fsync does on a bad disk: strace comes between the node and the kernel. */
final class SyncFaults {

    private static final String SYNCS = "fsync,fdatasync,sync_file_range,msync";
    private static final Duration ATTACH = Duration.ofSeconds(20);

    /** How long a node may live on after an fsync that failed. */
    private static final Duration STOP = Duration.ofSeconds(10);

    private static final int DELAY_MILLIS_MIN = 20;
    private static final int DELAY_MILLIS_MAX = 400;

    private SyncFaults() {}

    /** What this machine lacks, if anything. */
    static Optional<String> lacking() throws InterruptedException {
        Optional<String> tool = Shell.missing("strace");
        if (tool.isEmpty()) {
            try {
                Shell.run("strace", "-o", "/dev/null", "-e", "inject=" + SYNCS + ":error=EIO", "true");
            } catch (IOException e) {
                return Optional.of("an strace that may inject: " + e.getMessage());
            }
        }
        return tool;
    }

    /** Every fsync fails: the node has to stop, and not to try again. */
    static Optional<Fault> failing(Machines machines, Random random) throws InterruptedException {
        return machines.takeToDamage(random).map(victim -> new Fault() {
            private final Tracer tracer = new Tracer(victim, "error=EIO");

            @Override
            public void inject() throws IOException, InterruptedException {
                victim.impair();
                tracer.attach();
            }

            @Override
            public void heal() throws IOException, InterruptedException {
                if (tracer.hasInjected()) {
                    Await.until(
                            victim + " stops after a failed fsync",
                            STOP,
                            () -> !victim.node().isAlive());
                }
                tracer.detach();
                victim.awaitWholeOrRestart();
                machines.release(List.of(victim));
            }

            @Override
            public String toString() {
                return "fsync fails on " + victim;
            }
        });
    }

    /** Every fsync takes its time. */
    static Optional<Fault> slow(Machines machines, Random random) {
        int millis = random.nextInt(DELAY_MILLIS_MIN, DELAY_MILLIS_MAX);
        return machines.take(1, random).map(victims -> new Fault() {
            private final Machine victim = victims.get(0);
            private final Tracer tracer = new Tracer(victim, "delay_exit=" + TimeUnit.MILLISECONDS.toMicros(millis));

            @Override
            public void inject() throws IOException, InterruptedException {
                victim.impair();
                tracer.attach();
            }

            @Override
            public void heal() throws IOException, InterruptedException {
                tracer.detach();
                victim.awaitWhole();
                machines.release(victims);
            }

            @Override
            public String toString() {
                return "fsync takes " + millis + " ms more on " + victim;
            }
        });
    }

    /** An strace that is attached to a node. */
    private static final class Tracer {

        private final Machine victim;
        private final String injection;
        private final Path output;
        private @Nullable Process process;

        Tracer(Machine victim, String injection) {
            this.victim = victim;
            this.injection = injection;
            this.output = victim.folder().resolve("strace");
        }

        void attach() throws IOException, InterruptedException {
            Path said = victim.folder().resolve("strace-said");
            process = new ProcessBuilder(
                            "strace",
                            "-f",
                            "-y",
                            "-e",
                            "trace=" + SYNCS,
                            "-e",
                            "signal=none",
                            "-e",
                            "inject=" + SYNCS + ":" + injection,
                            "-o",
                            output.toString(),
                            "-p",
                            "" + victim.node().pid())
                    .redirectErrorStream(true)
                    .redirectOutput(said.toFile())
                    .start();
            Process strace = process;
            Await.until("strace is attached", ATTACH, () -> {
                if (!strace.isAlive()) {
                    throw new IOException("strace: " + Files.readString(said));
                }
                return Files.readString(said).contains("attached");
            });
        }

        /** Whether a sync of the log or the votes has failed. One of a snapshot only costs that snapshot. */
        boolean hasInjected() throws IOException {
            return Files.exists(output)
                    && Files.readString(output)
                            .lines()
                            .anyMatch(line -> line.contains("(INJECTED)") && !line.contains("/snapshot/"));
        }

        /** SIGTERM lets strace give its process free. */
        void detach() throws InterruptedException {
            if (process != null) {
                process.destroy();
                process.waitFor();
            }
        }
    }
}
