package io.dshm.server.torture;

import io.dshm.server.replication.log.LogDamage;
import io.dshm.server.system.Damage;
import io.dshm.server.system.NodeProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;

/** A node's files are lost, or no longer what it wrote: it comes back with nothing, and gets everything from the others. */
final class DataFaults {

    private static final String SNAPSHOT = "snapshot_";

    private DataFaults() {}

    /** A fault that leaves a machine without data, so that it gets all from the others. */
    private abstract static class Spoilt implements Fault {

        private final Machines machines;
        private final Machine victim;

        Spoilt(Machines machines, Machine victim) {
            this.machines = machines;
            this.victim = victim;
        }

        /** Starts the node with what is left of its files: it has to end by itself. Returns what it says meanwhile. */
        final String startInVain() throws IOException, InterruptedException {
            NodeProcess node = victim.node();
            int said = node.log().length();
            node.start();
            victim.assertEnded(Machine.FATAL);
            return node.log().substring(said);
        }

        @Override
        public final void heal() throws IOException, InterruptedException {
            victim.start();
            victim.awaitWhole();
            machines.release(List.of(victim));
        }
    }

    /** The data folder is gone. */
    static Optional<Fault> lost(Machines machines, Random random) throws InterruptedException {
        return machines.takeToDamage(random).map(victim -> new Spoilt(machines, victim) {

            @Override
            public void inject() throws IOException, InterruptedException {
                victim.impair();
                victim.node().kill();
                victim.node().deleteData();
            }

            @Override
            public String toString() {
                return victim + " loses its data";
            }
        });
    }

    /** The folder of the snapshot that a node starts with, if it has one: earlier and unfinished ones do not count. */
    private static Path lastSnapshot(NodeProcess node) throws IOException {
        Path all = node.data().resolve("snapshot");
        try (Stream<Path> folders = Files.list(all)) {
            return folders.filter(folder -> folder.getFileName().toString().startsWith(SNAPSHOT))
                    .max(Comparator.comparingLong(folder ->
                            Long.parseLong(folder.getFileName().toString().substring(SNAPSHOT.length()))))
                    .orElse(all.resolve("none"));
        }
    }

    /** What a node cannot do without, once it has started. */
    private static final List<String> PARTS =
            List.of("raft-segments", "meta", "snapshot", "progress", "node.properties", "meta/raft_meta");

    /** A part of the data folder is gone, or several are: the node must not start with the rest. */
    static Optional<Fault> halved(Machines machines, Random random) throws InterruptedException {
        List<String> parts = new ArrayList<>(PARTS);
        Collections.shuffle(parts, random);
        // Never all: that would be a node that has lost its data, and starts.
        List<String> gone = parts.subList(0, 1 + random.nextInt(2));
        return machines.takeToDamage(random).map(victim -> new Spoilt(machines, victim) {

            @Override
            public void inject() throws IOException, InterruptedException {
                victim.impair();
                NodeProcess node = victim.node();
                node.kill();
                for (String part : gone) {
                    NodeProcess.deleteTree(node.data().resolve(part));
                }
                String reason = startInVain();
                if (gone.stream()
                        .noneMatch(part -> reason.contains(
                                node.data().resolve(Path.of(part).getName(0)).toString()))) {
                    throw new AssertionError(victim + " has not started without " + gone + ", but names none of them");
                }
                node.deleteData();
            }

            @Override
            public String toString() {
                return victim + " loses " + gone + " of its data";
            }
        });
    }

    /** A bit in a log or snapshot is not what it was: the node must not start with it. */
    static Optional<Fault> flipped(Machines machines, Random random) throws InterruptedException {
        boolean snapshot = random.nextBoolean();
        return machines.takeToDamage(random).map(victim -> new Spoilt(machines, victim) {

            @Override
            public void inject() throws IOException, InterruptedException {
                victim.impair();
                NodeProcess node = victim.node();
                node.kill();
                Optional<Path> file = snapshot
                        ? Damage.largest(lastSnapshot(node), ".dshm")
                        : LogDamage.flipByte(node.data().resolve("raft-segments"));
                if (file.isEmpty()) {
                    return;
                }
                if (snapshot) {
                    Damage.flipByte(file.get());
                }
                Path named = snapshot ? file.get() : node.data().resolve("raft-segments");
                if (!startInVain().contains(named.toString())) {
                    throw new AssertionError(
                            victim + " has not started with a damaged file, but does not name " + named);
                }
                node.deleteData();
            }

            @Override
            public String toString() {
                return "a bit flips in a " + (snapshot ? "snapshot" : "log") + " of " + victim;
            }
        });
    }
}
