package io.dshm.server.torture;

import java.io.File;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/**
 * Bugs that are planted into a copy of the server's classes, to see whether the harness finds them. Each is a change of
 * its source by text: who reads it sees what is wrong, and when the source has moved on, {@link #compile} fails. Nothing
 * of it is in what is shipped: a node gets these classes by its class path, from a test only.
 */
@SuppressWarnings("ImmutableEnumChecker") // lists made by List.of do not change
enum PlantedBug {
    LEASE_READ(
            "a leader answers linearizable reads because it believes that it leads, instead of asking a majority",
            List.of(Workload.REGISTERS, Workload.COUNTERS),
            List.of(FaultKind.PAUSE, FaultKind.CUT)) {
        @Override
        void plant(Edits edits) {
            edits.replace(
                    "replication/jraft/Rounds.java",
                    "node.get().readIndex(",
                    "if (node.get().isLeader(false)) { once.accept(Status.OK()); return; } node.get().readIndex(");
        }
    },
    NO_FSYNC(
            "appended entries are acknowledged before they are on the disk",
            List.of(Workload.COUNTERS, Workload.REGISTERS),
            List.of(FaultKind.POWER)) {
        @Override
        void plant(Edits edits) {
            edits.replace(
                    "replication/log/SegmentedLog.java",
                    "        flush();\n        current.file.sync();\n",
                    "        flush();\n");
        }
    },
    RETRY_AS_NEW(
            "\"leader stepped down\" counts as proof that nothing was appended, and what is sent again is a new command",
            List.of(Workload.COUNTERS, Workload.MIXED),
            List.of(FaultKind.CUT, FaultKind.PAUSE, FaultKind.ONE_WAY)) {
        @Override
        void plant(Edits edits) {
            edits.replace(
                    "replication/jraft/ProposalFailures.java",
                    "return message.startsWith(\"Is not leader\")",
                    "return message.startsWith(\"Leader stepped down\") || message.startsWith(\"Is not leader\")");
            edits.replace(
                    "replication/writes/Outbox.java",
                    "pending.openAttempts--;",
                    "take(sequence); submit(pendingRecord(pending).toBuilder(), pending, pending.deadlineNanos);");
        }
    },
    LIVE_SNAPSHOT(
            "a snapshot is written from the live table, without a view of one moment",
            List.of(Workload.COUNTERS, Workload.MIXED),
            List.of(FaultKind.KILL)) {
        @Override
        void plant(Edits edits) {
            edits.replace("store/View.java", "&& cursor.version() <= version) {", "&& cursor.version() > 0) {");
            edits.replace(
                    "store/View.java",
                    "if (there.version() <= version && Table.numberOf(there.hash()) >= segmentsDone) {",
                    "if (there.version() < 0) {");
        }
    },
    FORGETFUL_SNAPSHOT(
            "a snapshot lacks the outcomes of commands that may be repeated",
            List.of(Workload.COUNTERS),
            List.of(FaultKind.KILL, FaultKind.CUT, FaultKind.DATA_LOST)) {
        @Override
        void plant(Edits edits) {
            edits.replace("statemachine/Outcomes.java", "piece.addResults(result);", "");
        }
    },
    WALL_CLOCK("the state machine looks at the wall clock", List.of(Workload.TTLS), List.of(FaultKind.CLOCK)) {
        @Override
        void plant(Edits edits) {
            edits.replace(
                    "statemachine/StateMachine.java",
                    "clockMillis = Math.max(clockMillis, decoded.getStampMillis());",
                    "clockMillis = Math.max(clockMillis, System.currentTimeMillis());");
        }
    },
    TTL_RESTARTS(
            "a new leader's clock begins three seconds back, so that an election restarts times to live",
            List.of(Workload.TTLS),
            List.of(FaultKind.KILL, FaultKind.CUT)) {
        @Override
        void plant(Edits edits) {
            edits.replace(
                    "statemachine/ClusterClock.java",
                    "leading = true;",
                    "leading = true; reading = new Reading(stampMillis() - 3_000, monotonicMillis(), 0, term);");
        }
    },
    FORGOTTEN_TERM(
            "a node that lost its data acknowledges entries of a leader that it had helped to replace",
            List.of(Workload.COUNTERS, Workload.REGISTERS),
            List.of(FaultKind.FORGOTTEN_TERM)) {
        @Override
        void plant(Edits edits) {
            edits.replace(
                    "replication/jraft/RaftGroup.java",
                    "long termMin = votes ? 0 : start.joiningTerm();",
                    "long termMin = 0;");
        }

        @Override
        OptionalInt electionTimeoutMillis() {
            return OptionalInt.of(ForgottenTerm.LONG_MILLIS);
        }
    },
    HASTY_LOCAL_READ(
            "a local read does not wait for the write that its node has acknowledged",
            List.of(Workload.COUNTERS),
            List.of(FaultKind.PAUSE)) {
        @Override
        void plant(Edits edits) {
            edits.replace(
                    "replication/reads/LocalReads.java", "return isApplied(indexFor(read)) &&", "return caughtUp &&");
        }
    },
    SHARE_AFTER_ITS_LIFE("a node uses a share that is over", List.of(Workload.SHARES), List.of(FaultKind.PAUSE)) {
        @Override
        void plant(Edits edits) {
            edits.replace("shares/Share.java", "return nowNanos - endNanos >= 0;", "return false;");
            edits.replace("shares/Shares.java", "cluster.after(share.endNanos() - now, () -> atEnd(key, share));", "");
        }
    },
    SHARE_WITH_A_WRONG_MARGIN(
            "a node uses its share for nearly half as long again as its life, in place of somewhat shorter",
            List.of(Workload.SHARES),
            List.of(FaultKind.PAUSE)) {
        @Override
        void plant(Edits edits) {
            edits.replace(
                    "shares/Share.java",
                    "lifeMillis * NANOS_PER_MILLI / USED * USED_OF - BootTime",
                    "lifeMillis * NANOS_PER_MILLI / USED_OF * USED / USED_OF * USED + BootTime");
        }
    },
    SHARE_GIVEN_TWICE("the tokens of a share are there twice", List.of(Workload.SHARES), List.of(FaultKind.PAUSE)) {
        @Override
        void plant(Edits edits) {
            edits.replace("shares/Granted.java", "number(words, \"granted=\")", "2 * number(words, \"granted=\")");
        }
    },
    RETURN_COUNTED_TWICE(
            "what a node gives back of its share is counted twice",
            List.of(Workload.SHARES),
            List.of(FaultKind.PAUSE)) {
        @Override
        void plant(Edits edits) {
            edits.replace(
                    "shares/Shares.java",
                    "new Command.Return(key.take().key(), holder, tokens)",
                    "new Command.Return(key.take().key(), holder, 2 * tokens)");
        }
    },
    LIMITER_EVICTED(
            "a limiter is evicted as if it were a value", List.of(Workload.EVICTIONS), List.of(FaultKind.PAUSE)) {
        @Override
        void plant(Edits edits) {
            edits.replace(
                    "store/Entry.java",
                    "return isPlain() || (isTyped() && !(typed().held() instanceof Boolean && hasDeadline()));",
                    "return true;");
        }
    },
    REFUSED_AND_DONE(
            "a long value is refused with out_of_memory, and stored all the same",
            List.of(Workload.FULL),
            List.of(FaultKind.PAUSE)) {
        @Override
        void plant(Edits edits) {
            edits.replace(
                    "statemachine/StateMachine.java",
                    "case SET -> writes.set(record.getSet(), clockMillis);",
                    "case SET -> { Outcome done = writes.set(record.getSet(), clockMillis);"
                            + " yield record.getSet().getValue().size() > 1_500 ? Outcome.OUT_OF_MEMORY : done; }");
        }
    },
    HOLLOW_VALUE(
            "a large value is published before all of its pieces are there",
            List.of(Workload.LARGE),
            List.of(FaultKind.PAUSE)) {
        @Override
        void plant(Edits edits) {
            edits.replace(
                    "replication/writes/LargeValues.java",
                    "boolean publishes = offset == value.length;",
                    "boolean publishes = offset > 0;");
            edits.replace(
                    "statemachine/PendingUploads.java",
                    "if (upload == null || upload.received != length || upload.length != length) {",
                    "if (upload == null) {");
        }
    };

    private static final Path SOURCES = Path.of("src/main/java/io/dshm/server").toAbsolutePath();
    private static final Path DISTRIBUTION = Path.of("target/dshm").toAbsolutePath();
    private static final Path PLANTED = Path.of("target/planted").toAbsolutePath();

    private final String description;
    private final List<Workload> workloads;
    private final List<FaultKind> faults;

    PlantedBug(String description, List<Workload> workloads, List<FaultKind> faults) {
        this.description = description;
        this.workloads = workloads;
        this.faults = faults;
    }

    /** What clients do that brings it to light soonest. */
    Workload[] workloads() {
        return workloads.toArray(Workload[]::new);
    }

    /** What is done to nodes that brings it to light soonest. */
    FaultKind[] faults() {
        return faults.toArray(FaultKind[]::new);
    }

    /** The nodes' election timeout, if it comes to light with one that is not the usual one. */
    OptionalInt electionTimeoutMillis() {
        return OptionalInt.empty();
    }

    /** Says what is wrong. */
    String description() {
        return description;
    }

    /** The name as a user types it, for example {@code no-fsync}. */
    String label() {
        return Labels.of(this);
    }

    static PlantedBug parse(String label) {
        return Labels.parse(values(), "planted bug", label);
    }

    abstract void plant(Edits edits);

    /**
     * Compiles the changed sources.
     *
     * @return the folder with the classes, for the front of a node's class path
     * @throws IOException if a source does not contain what is to be changed, or the result does not compile
     */
    Path compile() throws IOException {
        Edits edits = new Edits();
        plant(edits);
        Path folder = PLANTED.resolve(label());
        Path sources = folder.resolve("sources");
        Path classes = Files.createDirectories(folder.resolve("classes"));
        List<File> files = new ArrayList<>();
        for (Map.Entry<String, String> changed : edits.sources.entrySet()) {
            Path file = sources.resolve(changed.getKey());
            Files.createDirectories(file.getParent());
            files.add(Files.writeString(file, changed.getValue()).toFile());
        }
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        if (compiler == null) {
            throw new IOException("this is no JDK: there is no compiler");
        }
        StringWriter messages = new StringWriter();
        List<String> options =
                List.of("-cp", classPath(), "-d", classes.toString(), "-proc:none", "-nowarn", "--release", "17");
        try (StandardJavaFileManager manager = compiler.getStandardFileManager(null, null, null)) {
            if (!compiler.getTask(messages, manager, null, options, null, manager.getJavaFileObjectsFromFiles(files))
                    .call()) {
                throw new IOException(label() + " does not compile: " + messages);
            }
        }
        return classes;
    }

    /** The server's classes as the build has them, packaged or not. */
    private static String classPath() throws IOException {
        return System.getProperty("java.class.path")
                + File.pathSeparator
                + jars(DISTRIBUTION)
                + jars(DISTRIBUTION.resolve("lib"));
    }

    private static String jars(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            return "";
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file + File.pathSeparator).collect(Collectors.joining());
        }
    }

    /** Sources on their way to be changed, by their paths. */
    static final class Edits {

        private final Map<String, String> sources = new LinkedHashMap<>();

        void replace(String path, String before, String after) {
            String source = sources.computeIfAbsent(path, Edits::read);
            int at = source.indexOf(before);
            if (at < 0 || source.indexOf(before, at + 1) >= 0) {
                throw new IllegalStateException("there is not exactly one place in " + path + " that reads " + before);
            }
            sources.put(path, source.substring(0, at) + after + source.substring(at + before.length()));
        }

        private static String read(String path) {
            try {
                return Files.readString(SOURCES.resolve(path));
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        }
    }
}
