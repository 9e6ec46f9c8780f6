package io.dshm.server.torture;

import io.dshm.server.system.NodeProcess;
import java.io.IOException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A network of this process's own: each node in a network namespace with an address of its own, all of them on a bridge in
 * one more namespace, which this process is connected to as well. What nodes drop of each other's packets is decided by
 * nftables in their namespaces, where the packets arrive.
 *
 * <p>Names have this process's number in them, so that two networks do not collide; what dead processes have left behind
 * is removed when a new one is made. Thread-safe.
 */
final class Network {

    /** What every node finds on its own machine, so all have the same ports. */
    private static final int PORT = 4321;

    private static final int RAFT_PORT = 7321;
    private static final int FORWARDING_PORT = 7331;
    private static final int ADMIN_PORT = 8321;

    private static final String PREFIX = "dshm-";
    private static final Path NAMESPACES = Path.of("/run/netns");
    private static final long PID = ProcessHandle.current().pid();
    private static final String HUB = PREFIX + PID + "-hub";
    private static final String UPLINK = "dshm" + PID;
    private static final int SUBNETS = 256;

    private final String subnet;
    private final Map<String, Integer> numbers = new LinkedHashMap<>();
    private final List<Cut> cuts = new ArrayList<>();

    /** The clients, which are in this process, where a node's name is asked for. */
    static final String CLIENTS = "clients";

    /** Packets from one to another that do not arrive, all or some, until it is healed. */
    final class Cut {
        final String from;
        final String to;
        private int percent;

        private Cut(String from, String to, int percent) {
            this.from = from;
            this.to = to;
            this.percent = percent;
        }

        /** How many of a hundred are lost from now on; it stays a cut if none is. */
        void lose(int percentLost) throws IOException, InterruptedException {
            synchronized (Network.this) {
                percent = percentLost;
                apply(to);
            }
        }

        void heal() throws IOException, InterruptedException {
            synchronized (Network.this) {
                cuts.remove(this);
                apply(to);
            }
        }
    }

    private Network(String subnet) {
        this.subnet = subnet;
    }

    /** What this machine lacks for a network, if anything. */
    static Optional<String> lacking() throws InterruptedException {
        Optional<String> tools = Shell.missing("ip", "nft", "nsenter");
        if (tools.isPresent() || !isRoot()) {
            return tools.or(() -> Optional.of("root's rights"));
        }
        String probe = namespace("probe");
        try {
            Shell.run("ip", "netns", "add", probe);
            try {
                Shell.run("nsenter", "--net=" + NAMESPACES.resolve(probe), "nft", "list", "ruleset");
            } finally {
                Shell.run("ip", "netns", "delete", probe);
            }
            return Optional.empty();
        } catch (IOException e) {
            // Root in a container is not what root is elsewhere.
            return Optional.of("network namespaces: " + e.getMessage());
        }
    }

    static boolean isRoot() {
        return "root".equals(System.getProperty("user.name"));
    }

    /** Makes a network of these nodes. */
    static Network create(List<String> nodes) throws IOException, InterruptedException {
        Network network = new Network(freeSubnet());
        try {
            network.build(nodes);
            return network;
        } catch (IOException | InterruptedException e) {
            network.takeDown();
            throw e;
        }
    }

    private void build(List<String> nodes) throws IOException, InterruptedException {
        Shell.run("ip", "netns", "add", HUB);
        Shell.run("ip", "-n", HUB, "link", "add", "hub", "type", "bridge");
        Shell.run("ip", "-n", HUB, "link", "set", "dev", "hub", "up");
        Shell.run("ip", "link", "add", UPLINK, "type", "veth", "peer", "name", CLIENTS, "netns", HUB);
        Shell.run("ip", "addr", "add", address(CLIENTS) + "/24", "dev", UPLINK);
        Shell.run("ip", "link", "set", "dev", UPLINK, "up");
        plug(CLIENTS);
        for (String node : nodes) {
            numbers.put(node, 11 + numbers.size());
            String namespace = namespace(node);
            Shell.run("ip", "netns", "add", namespace);
            Shell.run("ip", "-n", namespace, "link", "add", "eth0", "type", "veth", "peer", "name", node, "netns", HUB);
            Shell.run("ip", "-n", namespace, "addr", "add", address(node) + "/24", "dev", "eth0");
            Shell.run("ip", "-n", namespace, "link", "set", "dev", "lo", "up");
            Shell.run("ip", "-n", namespace, "link", "set", "dev", "eth0", "up");
            plug(node);
        }
    }

    private static void plug(String port) throws IOException, InterruptedException {
        Shell.run("ip", "-n", HUB, "link", "set", "dev", port, "master", "hub", "up");
    }

    /** Where a node of this network lives, with its data in this folder. */
    NodeProcess.Place place(String node, Path data) {
        return new NodeProcess.Place(
                address(node),
                PORT,
                RAFT_PORT,
                FORWARDING_PORT,
                ADMIN_PORT,
                data,
                // Not ip netns exec, which also gives it a file system name space: old mounts would live on in there.
                List.of("nsenter", "--net=" + NAMESPACES.resolve(namespace(node))));
    }

    private String address(String node) {
        return subnet + (node.equals(CLIENTS) ? 1 : Objects.requireNonNull(numbers.get(node), node));
    }

    private static String namespace(String node) {
        return PREFIX + PID + "-" + node;
    }

    /** From now on so many of a hundred packets from one to the other are lost. */
    synchronized Cut cut(String from, String to, int percent) throws IOException, InterruptedException {
        Cut cut = new Cut(from, to, percent);
        cuts.add(cut);
        apply(to);
        return cut;
    }

    /** Whether nothing is cut between these two, in either direction. */
    synchronized boolean isWhole(String one, String other) {
        return cuts.stream()
                .noneMatch(cut -> (cut.from.equals(one) && cut.to.equals(other))
                        || (cut.from.equals(other) && cut.to.equals(one)));
    }

    /** Puts into a node's namespace, in one step, what is to be dropped there. */
    private void apply(String node) throws IOException, InterruptedException {
        String rules = cuts.stream()
                .filter(cut -> cut.to.equals(node) && cut.percent > 0)
                .map(cut -> "ip saddr " + address(cut.from)
                        + (cut.percent < 100 ? " numgen random mod 100 < " + cut.percent : "") + " drop")
                .collect(Collectors.joining("\n"));
        Shell.feed("""
                table ip torture
                delete table ip torture
                table ip torture {
                chain input {
                type filter hook input priority 0; policy accept;
                %s
                }
                }
                """.formatted(rules), "nsenter", "--net=" + NAMESPACES.resolve(namespace(node)), "nft", "-f", "-");
    }

    private static String freeSubnet() throws IOException {
        for (int i = 0; i < SUBNETS; i++) {
            String subnet = "10.213." + (PID + i) % SUBNETS + ".";
            if (NetworkInterface.getByInetAddress(InetAddress.getByName(subnet + 1)) == null) {
                return subnet;
            }
        }
        throw new IOException("no subnet of 10.213.0.0/16 is free");
    }

    /** Removes what processes that are dead have left behind, the nodes that run in there included. */
    static void removeLeftovers() throws IOException, InterruptedException {
        if (!Files.exists(NAMESPACES)) {
            return;
        }
        List<String> names;
        try (Stream<Path> all = Files.list(NAMESPACES)) {
            names = all.map(path -> path.getFileName().toString())
                    .filter(name -> name.matches(PREFIX + "\\d+-.*"))
                    .toList();
        }
        for (String name : names) {
            long pid = Long.parseLong(name.split("-", -1)[1]);
            if (ProcessHandle.of(pid).isEmpty()) {
                for (String left : Shell.run("ip", "netns", "pids", name).split("\\s+", -1)) {
                    ProcessHandle.of(left.isEmpty() ? -1 : Long.parseLong(left))
                            .ifPresent(ProcessHandle::destroyForcibly);
                }
                Shell.run("ip", "netns", "delete", name);
            }
        }
    }

    /** Removes it. No process may run in it any more. */
    synchronized void takeDown() throws IOException, InterruptedException {
        if (NetworkInterface.getByName(UPLINK) != null) {
            Shell.run("ip", "link", "delete", "dev", UPLINK);
        }
        List<String> namespaces = new ArrayList<>(
                numbers.keySet().stream().map(Network::namespace).toList());
        namespaces.add(HUB);
        for (String namespace : namespaces) {
            if (Files.exists(NAMESPACES.resolve(namespace))) {
                Shell.run("ip", "netns", "delete", namespace);
            }
        }
    }
}
