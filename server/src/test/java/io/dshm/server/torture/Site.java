package io.dshm.server.torture;

import io.dshm.server.system.ClusterProcess;
import io.dshm.server.system.NodeProcess;
import io.dshm.server.system.WallClock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Where a run takes place: a network, disks, and nodes that are not running yet, all of them below one temporary folder
 * with this process's number in its name. It is taken down in any case, also when this process is interrupted; what a
 * process that was killed has left behind is removed by the next one.
 */
final class Site {

    private static final String PREFIX = "dshm-torture-";

    /** A snapshot after so little: about a hundred entries. It is the least that the server takes. */
    private static final String SNAPSHOT_LOG_BYTES = "4096";

    private final Path folder;
    private final Thread hook = new Thread(this::closeOnExit, "take-site-down");
    private final List<Disk> disks = new ArrayList<>();
    private final Map<String, Machine> machines = new LinkedHashMap<>();
    private @Nullable Network network;
    private @Nullable Access access;
    private @Nullable Machines all;
    private boolean closed;

    private Site(Path folder) {
        this.folder = folder;
    }

    /**
     * Builds it.
     *
     * @param faults what will be done to it, so what it has to have
     */
    static Site build(TortureRun settings, Set<FaultKind> faults, Consumer<Availability.Gap> onGap)
            throws IOException, InterruptedException {
        removeLeftovers();
        Site site = new Site(
                Files.createTempDirectory(PREFIX + ProcessHandle.current().pid() + "-"));
        Runtime.getRuntime().addShutdownHook(site.hook);
        try {
            site.construct(settings, faults, onGap);
            return site;
        } catch (IOException | InterruptedException e) {
            site.takeDown();
            throw e;
        }
    }

    private synchronized void construct(TortureRun settings, Set<FaultKind> faults, Consumer<Availability.Gap> onGap)
            throws IOException, InterruptedException {
        List<String> names =
                IntStream.rangeClosed(1, settings.nodes).mapToObj(i -> "n" + i).toList();
        network = Network.create(names);
        Availability availability = new Availability(names, network::isWhole, System::nanoTime, onGap);
        Access way = Access.of(settings.tls, settings.auth, folder.resolve("certificates"));
        access = way;
        for (String name : names) {
            Path home = Files.createDirectories(folder.resolve(name));
            Disk disk = faults.stream().anyMatch(FaultKind::needsDisk) ? Disk.create(home.resolve("disk")) : null;
            if (disk != null) {
                disks.add(disk);
            }
            Path data = home.resolve("disk").resolve("dshm-data");
            NodeProcess node = new NodeProcess(name, home, network.place(name, data));
            node.with("--cluster", "torture", "--snapshot-log-bytes", SNAPSHOT_LOG_BYTES);
            if (faults.contains(FaultKind.MEMORY_FULL)) {
                node.with("--memory-bytes", "" + MemoryFaults.MEMORY_BYTES);
            }
            way.prepare(node);
            WallClock clock = faults.contains(FaultKind.CLOCK) ? WallClock.of(node, home.resolve("clock")) : null;
            machines.put(name, new Machine(node, home, disk, clock, way, availability));
        }
        ClusterProcess cluster =
                new ClusterProcess(machines.values().stream().map(Machine::node).toList());
        all = new Machines(List.copyOf(machines.values()), network, availability, cluster);
    }

    Machines machines() {
        if (all == null) {
            throw new IllegalStateException("not built");
        }
        return all;
    }

    /** How its nodes are reached. */
    Access access() {
        if (access == null) {
            throw new IllegalStateException("not built");
        }
        return access;
    }

    /** Copies what the nodes have logged. */
    void copyLogs(Path to) throws IOException {
        Files.createDirectories(to);
        for (Machine machine : machines.values()) {
            Path log = machine.folder().resolve("node.log");
            if (Files.exists(log)) {
                Files.copy(log, to.resolve(machine.name() + ".log"), StandardCopyOption.REPLACE_EXISTING);
            }
        }
    }

    private void closeOnExit() {
        try {
            takeDown();
        } catch (IOException | InterruptedException e) {
            System.err.println("could not take everything down: " + e);
        }
    }

    /** Ends all nodes, and removes everything. */
    synchronized void takeDown() throws IOException, InterruptedException {
        if (closed) {
            return;
        }
        closed = true;
        for (Machine machine : machines.values()) {
            machine.switchOff();
        }
        for (Disk disk : disks) {
            disk.takeDown();
        }
        if (network != null) {
            network.takeDown();
        }
        NodeProcess.deleteTree(folder);
        if (Thread.currentThread() != hook) {
            Runtime.getRuntime().removeShutdownHook(hook);
        }
    }

    private static void removeLeftovers() throws IOException, InterruptedException {
        Network.removeLeftovers();
        Path temporary = Path.of(System.getProperty("java.io.tmpdir"));
        List<Path> folders;
        try (Stream<Path> files = Files.list(temporary)) {
            folders = files.filter(file -> file.getFileName().toString().matches(PREFIX + "\\d+-.*"))
                    .filter(file -> ProcessHandle.of(
                                    Long.parseLong(file.getFileName().toString().split("-", -1)[2]))
                            .isEmpty())
                    .toList();
        }
        for (Path folder : folders) {
            Disk.unmountBelow(folder);
            NodeProcess.deleteTree(folder);
        }
    }
}
