package io.dshm.server.system;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Some nodes, and what can only be said of all of them. */
public final class ClusterProcess {

    private final List<NodeProcess> nodes;

    /** Three nodes on the loopback address, that are not running. */
    ClusterProcess(Path folder) {
        this(folder, "127.0.0.1");
    }

    /** Three nodes on this address, that are not running. */
    ClusterProcess(Path folder, String host) {
        this(Stream.of("n1", "n2", "n3")
                .map(name -> new NodeProcess(name, folder.resolve(name), host))
                .toList());
    }

    /** A cluster of these nodes, that are not running. */
    public ClusterProcess(List<NodeProcess> nodes) {
        this.nodes = nodes;
        String members = nodes.stream().map(NodeProcess::member).collect(Collectors.joining(","));
        with("--members", members);
    }

    /** Options for all nodes, for all starts to come. */
    public ClusterProcess with(String... options) {
        nodes.forEach(node -> node.with(options));
        return this;
    }

    /** Lets all nodes accept Sharedance clients, with these options, for all starts to come. */
    ClusterProcess withSharedance(String... options) {
        nodes.forEach(node -> node.withSharedance(options));
        return this;
    }

    /** Options of all nodes' JVMs, for all starts to come. */
    public ClusterProcess withJvm(String... options) {
        nodes.forEach(node -> node.withJvm(options));
        return this;
    }

    /** Starts all nodes that do not run, and waits until all are healthy. */
    public ClusterProcess start() throws IOException, InterruptedException {
        for (NodeProcess node : nodes) {
            if (!node.isAlive()) {
                node.start();
            }
        }
        for (NodeProcess node : nodes) {
            node.awaitHealthy();
        }
        awaitLeader();
        awaitFormat();
        return this;
    }

    /** Until all nodes use the newest format that all of them read, and so take all verbs of it. */
    private void awaitFormat() throws IOException, InterruptedException {
        long lowest = Long.MAX_VALUE;
        for (NodeProcess node : nodes) {
            lowest = Math.min(lowest, node.statusNumber("formatReads"));
        }
        long readByAll = lowest;
        for (NodeProcess node : nodes) {
            Await.until(node + " uses format " + readByAll, () -> node.statusNumber("format") == readByAll);
        }
    }

    public List<NodeProcess> nodes() {
        return nodes;
    }

    /** The nodes but this one. */
    List<NodeProcess> others(NodeProcess node) {
        return nodes.stream().filter(other -> other != node).toList();
    }

    /** A node that does not lead. */
    NodeProcess follower() throws InterruptedException {
        return others(awaitLeader()).get(0);
    }

    /** The leader, as soon as all nodes that run agree on it. */
    public NodeProcess awaitLeader() throws InterruptedException {
        return Await.value("all nodes agree on a leader", this::leader);
    }

    /** The leader, if all nodes that run agree on it now. */
    private Optional<NodeProcess> leader() throws IOException {
        List<NodeProcess> leaders = new ArrayList<>();
        List<String> named = new ArrayList<>();
        for (NodeProcess node : nodes) {
            if (node.isAlive()) {
                Map<String, String> status = node.status();
                named.add(status.getOrDefault("leader", ""));
                if ("true".equals(status.get("leads"))) {
                    leaders.add(node);
                }
            }
        }
        return leaders.size() == 1 && named.stream().allMatch(leaders.get(0).name()::equals)
                ? Optional.of(leaders.get(0))
                : Optional.empty();
    }

    /** The term of the present leader. */
    long term() throws IOException, InterruptedException {
        return awaitLeader().statusNumber("term");
    }

    /**
     * Waits until all nodes have applied the same log, and asserts that it has led all of them to the same state. Nobody may
     * be writing. Returns the index.
     */
    public long assertEqualDigests() throws InterruptedException {
        List<NodeProcess.Digest> digests = Await.value("all nodes have applied the same index", () -> {
            List<NodeProcess.Digest> read = new ArrayList<>();
            for (NodeProcess node : nodes) {
                read.add(node.digest());
            }
            boolean equal = read.stream()
                            .mapToLong(NodeProcess.Digest::index)
                            .distinct()
                            .count()
                    == 1;
            return equal ? Optional.of(read) : Optional.empty();
        });
        assertEquals(1, digests.stream().distinct().count(), () -> "states differ at the same index: " + digests);
        return digests.get(0).index();
    }
}
