package io.dshm.server;

import io.dshm.server.config.ConfigException;
import io.dshm.server.config.Member;
import io.dshm.server.replication.jraft.OfflineState;
import io.dshm.server.statemachine.ClusterClock;
import io.dshm.server.statemachine.MemoryLimit;
import io.dshm.server.statemachine.RecoveredState;
import io.dshm.server.statemachine.StateMachine;
import io.dshm.server.statemachine.StateRoom;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The command {@code dshm recover}: makes a new cluster of one node out of what a node of a lost majority has. */
@Command(
        name = "dshm recover",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        usageHelpAutoWidth = true,
        description = {
            "Makes a new cluster of one node out of what this node has, after a majority of the nodes has lost its data.",
            "",
            "The node must not run. Its data folder stays as it is; the new cluster gets a folder of its own. With --show it only",
            "says what this node has: compare that between the nodes that are left, and recover the one that has most.",
            ""
        },
        footer = {
            "",
            "Exit status: 0 if it was done, 2 for a wrong option, 3 if the folder is refused or the answer was another one:",
            "nothing was written then."
        })
public final class Recover implements Callable<Integer> {

    @Option(names = "--data-dir", required = true, paramLabel = "FOLDER", description = "The node's data folder.")
    Path dataDir = Path.of("");

    @Option(names = "--show", description = "Only say what this node has.")
    boolean show;

    @Option(
            names = "--to",
            paramLabel = "FOLDER",
            description = "The data folder of the new cluster's node, to be made; it must not exist, or be empty.")
    @Nullable
    Path to;

    @Option(
            names = "--member",
            paramLabel = "NAME=HOST:RAFT-PORT",
            description = "The new cluster's only node, with the address at which others will reach it.")
    @Nullable
    String member;

    @Option(
            names = "--without-its-end",
            description = "Go on although the log lacks entries at its end that this node had kept.")
    boolean withoutItsEnd;

    @Option(
            names = "--confirm",
            paramLabel = "CLUSTER",
            description = "The cluster's id, for scripts; without it, the command asks for it.")
    @Nullable
    String confirm;

    @Spec
    @Nullable
    CommandSpec spec;

    private final long heapBytes;

    /** @param heapBytes the heap that the node's state has to fit into */
    Recover(long heapBytes) {
        this.heapBytes = heapBytes;
    }

    /** See {@code --help}. */
    public static void main(String[] arguments) {
        command().runAndExit(arguments);
    }

    /** The same within this process; the exit status. */
    static int run(PrintWriter out, PrintWriter err, String... arguments) {
        return command().run(out, err, arguments);
    }

    private static OfflineCommand command() {
        return new OfflineCommand(
                "dshm recover", new Recover(Runtime.getRuntime().maxMemory()), StartFailure::reason);
    }

    @Override
    public Integer call() throws IOException {
        Path folder = dataDir.toAbsolutePath().normalize();
        NodeFolder.Owner owner = NodeFolder.ownerOf(folder);
        StateRoom room = StateRoom.ofHeap(heapBytes, 0).withGrowthMax(MemoryLimit.NONE);
        StateMachine stateMachine = new StateMachine(new ClusterClock(System::nanoTime), room);
        try (NodeFolder opened = NodeFolder.open(folder, owner.cluster(), owner.node())) {
            opened.takeOverLog();
            long committed = opened.progress().committed();
            OfflineState.Extent extent = OfflineState.read(folder, stateMachine);
            describe(owner, stateMachine, extent, Math.max(committed, extent.snapshotIndex()));
            long missing = extent.missingUpTo(opened.progress());
            if (missing > 0) {
                out().printf(
                                "The log is damaged: this node had kept entries up to index %d. What clients were told of those behind index %d is lost"
                                        + " here.%n",
                                missing, extent.lastIndex());
            }
            if (show) {
                return OfflineCommand.DONE;
            }
            if (missing > 0 && !withoutItsEnd) {
                throw new IOException(
                        "the log lacks its end, and another node, or a copy of this folder, may have it; nothing was"
                                + " written. If none has, use --without-its-end");
            }
            return recover(owner, stateMachine);
        }
    }

    private PrintWriter out() {
        if (spec == null) {
            throw new IllegalStateException("not run by picocli");
        }
        return spec.commandLine().getOut();
    }

    private void describe(
            NodeFolder.Owner owner, StateMachine stateMachine, OfflineState.Extent extent, long committed) {
        PrintWriter out = out();
        out.printf("%s is the folder of %s of cluster %s%n", dataDir, owner.node(), owner.cluster());
        out.printf(
                "  %d entries, with the log up to index %d, which is of term %d%n",
                stateMachine.store().entryCount(), extent.lastIndex(), extent.lastTerm());
        out.printf("  this node knew everything up to index %d to be committed%n", committed);
        out.printf(
                "Lost are writes that the other nodes acknowledged behind index %d. Of the %d log entries behind index %d some may"
                        + " be there that no client got a reply for.%n",
                extent.lastIndex(), extent.lastIndex() - committed, committed);
        out.println("If another node has a later term, or in the same term a higher index, recover that one.");
    }

    private int recover(NodeFolder.Owner owner, StateMachine stateMachine) throws IOException {
        if (to == null || member == null) {
            throw new ConfigException("to, member: both are needed, but with --show");
        }
        Path target = to.toAbsolutePath().normalize();
        Member alone = Member.parse(member);
        Restore.requireEmpty(target);
        String answer = confirm;
        if (answer == null) {
            out().println();
            out().printf(
                            "The other nodes' data cannot be used any more once this node is a cluster. Type the cluster's id to go on: ");
            out().flush();
            answer = new BufferedReader(new InputStreamReader(System.in, Charset.defaultCharset())).readLine();
        }
        if (!owner.cluster().equals(answer)) {
            throw new IOException("the answer is not the cluster's id, " + owner.cluster() + "; nothing was written");
        }
        try (RecoveredState state = new RecoveredState(stateMachine)) {
            Restore.write(target, List.of(alone), owner.cluster(), alone.name(), state);
        }
        out().println(target + " is made. Start the node with these settings, beside your own:");
        out().println("  cluster=" + owner.cluster());
        out().println("  node=" + alone.name());
        out().println("  members=" + member);
        out().println("  data-dir=" + target);
        out().println("Then add the other nodes, without data: dshm cluster add");
        return OfflineCommand.DONE;
    }
}
