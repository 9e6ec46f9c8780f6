package io.dshm.server;

import io.dshm.proto.snapshot.BackupReader;
import io.dshm.proto.snapshot.SnapshotException;
import io.dshm.proto.wire.BackupHead;
import io.dshm.server.config.ConfigException;
import io.dshm.server.config.ConfigLoader;
import io.dshm.server.config.Member;
import io.dshm.server.config.ServerConfig;
import io.dshm.server.replication.jraft.RaftGroup;
import io.dshm.server.statemachine.RestoredState;
import io.dshm.server.statemachine.StateSource;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The command {@code dshm restore}: makes the data folder of a node of a new cluster out of a backup. */
@Command(
        name = "dshm restore",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        usageHelpAutoWidth = true,
        description = {
            "Makes the data folder of a node of a new cluster out of a backup.",
            "",
            "Run it for each node of the new cluster, with the same file and the same options but for --node and",
            "--data-dir. The nodes then start as one cluster with the state of the backup. Names, addresses and the number",
            "of nodes need not be those of the old cluster. Nodes of the old cluster cannot join the new one, because its",
            "id is another one.",
            ""
        },
        footer = {
            "",
            "Exit status: 0 if the folder was made, 2 for a wrong option, 3 if the backup or the folder is refused:",
            "nothing was written then."
        })
public final class Restore implements Callable<Integer> {

    private static final String SUFFIX = "-r";
    private static final int CLUSTER_ID_LENGTH_MAX = 64;

    /** What happens to times to live. */
    enum Ttl {
        ABSOLUTE,
        REMAINING
    }

    @Parameters(paramLabel = "FILE", description = "The backup.")
    Path file = Path.of("");

    @Option(
            names = "--members",
            required = true,
            paramLabel = "NAME=HOST:RAFT-PORT",
            description = "All nodes of the new cluster, as in the configuration of each.")
    String members = "";

    @Option(names = "--node", required = true, paramLabel = "NAME", description = "The node that gets the folder.")
    String node = "";

    @Option(
            names = "--data-dir",
            required = true,
            paramLabel = "FOLDER",
            description = "The folder to be made. It must be empty or not exist.")
    Path dataDir = Path.of("");

    @Option(
            names = "--cluster",
            paramLabel = "ID",
            description =
                    "The new cluster's id. Without it, one that depends on the file and the options, so that nodes that"
                            + " were restored in different ways do not talk to each other.")
    @Nullable
    String cluster;

    @Option(
            names = "--regions",
            paramLabel = "REGION",
            split = ",",
            description = "Only these regions; ':' is the default region.")
    @Nullable
    List<String> regions;

    @Option(
            names = "--ttl",
            paramLabel = "WHICH",
            defaultValue = "ABSOLUTE",
            description =
                    "absolute: entries expire when they would have expired in the old cluster, by the wall clock. remaining:"
                            + " they live for as long as they still had to live when the backup was made (default: absolute).")
    Ttl ttl = Ttl.ABSOLUTE;

    @Option(names = "--without-limiters", description = "Do not restore rate limiters: they begin unused.")
    boolean withoutLimiters;

    @Spec
    @Nullable
    CommandSpec spec;

    /** See {@code dshm restore --help}. */
    public static void main(String[] arguments) {
        command().runAndExit(arguments);
    }

    /** Runs the command; its exit status. */
    static int run(PrintWriter out, PrintWriter err, String... arguments) {
        return command().run(out, err, arguments);
    }

    private static OfflineCommand command() {
        return new OfflineCommand("dshm restore", new Restore(), Restore::reason);
    }

    private static String reason(Exception failure) {
        return failure instanceof SnapshotException
                ? String.valueOf(failure.getMessage())
                : StartFailure.reason(failure);
    }

    @Override
    public Integer call() throws IOException {
        ServerConfig config = config("dshm");
        requireEmpty(config.dataDir());
        RestoredState state = RestoredState.verify(this::open, choice());
        BackupHead head = state.head();
        String id = cluster == null
                ? newId(state, config.members())
                : config(cluster).cluster();
        if (id.equals(head.getCluster())) {
            throw new ConfigException("cluster: " + id
                    + " is the id of the cluster that was backed up; a restored cluster needs another one, so that no old node"
                    + " joins it");
        }
        write(config.dataDir(), config.members(), id, node, state);
        PrintWriter out = out();
        out.printf(
                "%s holds %d entries as of index %d of cluster %s, backed up by %s at %s%n",
                config.dataDir(),
                state.entryCount(),
                state.header().getIndex(),
                head.getCluster(),
                head.getNode(),
                Instant.ofEpochMilli(head.getCreatedMillis()));
        out.println("Start the node with these settings, beside your own:");
        out.println("  cluster=" + id);
        out.println("  node=" + node);
        out.println("  members=" + members);
        out.println("  data-dir=" + config.dataDir());
        return OfflineCommand.DONE;
    }

    private PrintWriter out() {
        if (spec == null) {
            throw new IllegalStateException("not run by picocli");
        }
        return spec.commandLine().getOut();
    }

    private BackupReader open() throws IOException {
        return new BackupReader(new BufferedInputStream(Files.newInputStream(file), 1 << 16), file.toString());
    }

    /** The options that the server has, too, as the server reads them. */
    private ServerConfig config(String id) {
        return new ConfigLoader(Map.of(), new Properties(), out())
                .load("--cluster", id, "--members", members, "--node", node, "--data-dir", dataDir.toString())
                .orElseThrow()
                .config();
    }

    private RestoredState.Choice choice() {
        Set<String> chosen = new TreeSet<>();
        for (String region : regions == null ? List.<String>of() : regions) {
            chosen.add(region.endsWith(":") ? region.substring(0, region.length() - 1) : region);
        }
        return new RestoredState.Choice(chosen, !withoutLimiters, ttl == Ttl.REMAINING);
    }

    static void requireEmpty(Path folder) throws IOException {
        if (Files.exists(folder)) {
            try (Stream<Path> inside = Files.list(folder)) {
                if (inside.findAny().isPresent()) {
                    throw new IOException("data-dir: " + folder
                            + " is not empty; nothing is overwritten: name another folder, or move this one away");
                }
            }
        }
    }

    /** An id from the file, the members and the options: the same on all nodes that are restored in the same way. */
    private String newId(RestoredState state, List<Member> all) {
        String decisive = state.checksum() + " " + choice() + " "
                + all.stream().map(Member::text).sorted().collect(Collectors.joining(","));
        CRC32C crc = new CRC32C();
        crc.update(decisive.getBytes(StandardCharsets.UTF_8));
        String old = state.head().getCluster().replaceFirst(SUFFIX + "[0-9a-f]{8}$", "");
        String suffix = SUFFIX + String.format("%08x", crc.getValue());
        return old.substring(0, Math.min(old.length(), CLUSTER_ID_LENGTH_MAX - suffix.length())) + suffix;
    }

    /** Makes the data folder of one node of the new cluster; if that fails, it removes what it has made. */
    static void write(Path folder, List<Member> members, String cluster, String node, StateSource state)
            throws IOException {
        boolean existed = Files.exists(folder);
        boolean whole = false;
        try {
            Files.createDirectories(folder);
            RaftGroup.found(folder, members.stream().map(Member::raftAddress).toList(), state);
            // Last: the server refuses a folder without this file.
            NodeFolder.found(folder, cluster, node);
            whole = true;
        } finally {
            if (!whole) {
                deleteAll(folder, existed);
            }
        }
    }

    private static void deleteAll(Path folder, boolean butForItself) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        List<Path> inside = new ArrayList<>();
        try (Stream<Path> all = Files.walk(folder)) {
            all.sorted(Comparator.reverseOrder()).forEach(inside::add);
        }
        for (Path path : inside) {
            if (!butForItself || !path.equals(folder)) {
                Files.delete(path);
            }
        }
    }
}
