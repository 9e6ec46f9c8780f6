package io.dshm.server.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.client.DshmConnection;
import io.dshm.proto.ReadMode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Members come and go, by {@code dshm cluster} as an operator types it, and each increment is counted once. */
class MembersIT {

    private static final String PATIENCE = "90s";
    private static final int FATAL = 70;

    @RegisterExtension
    final Processes processes = Processes.perTest();

    @TempDir
    Path temporary;

    /** Those that run, or have run, in the order in which they came. */
    private final List<NodeProcess> nodes = new ArrayList<>();

    private DshmCommand.Ended dshm(int status, String... words) throws IOException, InterruptedException {
        List<NodeProcess> running = nodes.stream().filter(NodeProcess::isAlive).toList();
        return new DshmCommand(temporary).run(running, words).requireStatus(status);
    }

    private NodeProcess newNode(String name) {
        NodeProcess node = processes.add(new NodeProcess(
                name,
                Path.of("target/system/MembersIT", temporary.getFileName().toString(), name)
                        .toAbsolutePath()));
        nodes.add(node);
        return node;
    }

    private static String members(List<NodeProcess> all) {
        return all.stream().map(NodeProcess::member).collect(Collectors.joining(","));
    }

    private static NodeProcess startWith(NodeProcess node, List<NodeProcess> members) throws IOException {
        node.with("--members", members(members)).start();
        return node;
    }

    /** A cluster of nodes with these names, founded together. */
    private void found(String... names) throws IOException, InterruptedException {
        for (String name : names) {
            newNode(name);
        }
        for (NodeProcess node : List.copyOf(nodes)) {
            startWith(node, nodes);
        }
        for (NodeProcess node : nodes) {
            node.awaitHealthy();
        }
        awaitId();
    }

    private void awaitId() throws InterruptedException {
        Await.until(
                "the cluster has an id",
                () -> nodes.stream()
                        .filter(NodeProcess::isAlive)
                        .allMatch(node -> idOf(node).matches("[0-9a-f]{16}")
                                && !idOf(node).matches("0+")));
    }

    private static String idOf(NodeProcess node) {
        try {
            return node.status().getOrDefault("clusterId", "");
        } catch (IOException e) {
            return "";
        }
    }

    /** Adds a node, starts it, and lets it vote. */
    private NodeProcess grow(String name) throws IOException, InterruptedException {
        List<NodeProcess> before = nodes.stream().filter(NodeProcess::isAlive).toList();
        NodeProcess added = newNode(name);
        dshm(0, "cluster", "add", added.member());
        List<NodeProcess> now = new ArrayList<>(before);
        now.add(added);
        startWith(added, now);
        assertTrue(
                dshm(0, "cluster", "promote", name, "--timeout", PATIENCE).out().contains(name + " votes"));
        added.awaitHealthy();
        return added;
    }

    private void remove(String name) throws IOException, InterruptedException {
        dshm(0, "cluster", "remove", name, "--timeout", PATIENCE);
    }

    private NodeProcess leader() throws InterruptedException {
        return Await.value("somebody leads", () -> {
            for (NodeProcess node : nodes) {
                if (node.isAlive() && "true".equals(node.status().get("leads"))) {
                    return Optional.of(node);
                }
            }
            return Optional.empty();
        });
    }

    private static long sum(NodeProcess node, String key) throws IOException {
        try (DshmConnection connection = node.connect()) {
            return Long.parseLong(
                    new String(connection.get(key, ReadMode.LINEARIZABLE).orElseThrow(), StandardCharsets.UTF_8));
        }
    }

    /** The roles by the members' names, as the table of {@code dshm cluster status} shows them. */
    private Map<String, String> roles() throws IOException, InterruptedException {
        return new DshmCommand(temporary)
                .run(nodes.stream().filter(NodeProcess::isAlive).toList(), "cluster", "status")
                .out()
                .lines()
                .skip(1)
                .map(line -> line.split(" +"))
                .filter(cells -> !cells[2].equals("removed"))
                .collect(Collectors.toMap(cells -> cells[0], cells -> cells[2]));
    }

    @Test
    void one_node_becomes_three_and_five_and_three_again_and_nobody_notices() throws IOException, InterruptedException {
        found("n1");
        try (Increments load = Increments.start(nodes.get(0), "visits", 4)) {
            load.awaitMore(100);
            grow("n2");
            load.awaitMore(100);
            for (int number : IntStream.rangeClosed(3, 5).toArray()) {
                grow("n" + number);
                load.awaitMore(100);
            }
            assertEquals(5, roles().size());
            remove("n4");
            remove("n5");
            load.awaitMore(100);
            Increments.Books books = load.stop();
            books.assertExact(sum(nodes.get(0), "visits"));
            assertEquals(List.of(), books.failures());
        }
        assertEquals(
                List.of("n1", "n2", "n3"), roles().keySet().stream().sorted().toList());
        assertFalse(roles().containsValue("learner"));
        new ClusterProcess(nodes.subList(0, 3)).assertEqualDigests();
    }

    @Test
    void a_dead_node_is_replaced_the_leader_is_removed_and_what_would_do_harm_is_refused()
            throws IOException, InterruptedException {
        found("n1", "n2", "n3");
        try (DshmConnection connection = nodes.get(0).connect()) {
            connection.incr("visits", 7);
        }
        NodeProcess dead = nodes.get(2);
        dead.kill();
        leader();
        NodeProcess fourth = newNode("n4");
        NodeProcess fifth = newNode("n5");
        dshm(0, "cluster", "add", fourth.member());
        String second = dshm(3, "cluster", "add", fifth.member()).err();
        assertTrue(second.contains("n4 was added, and does not vote yet"), second);
        String other = dshm(3, "cluster", "remove", "n2", "--timeout", PATIENCE).err();
        assertTrue(other.contains("the cluster would stand still"), other);
        String nobody = dshm(3, "cluster", "remove", "n9").err();
        assertTrue(nobody.contains("no member has the name n9"), nobody);
        String waiting = dshm(4, "cluster", "promote", "n4", "--timeout", "1s").err();
        assertTrue(waiting.contains("n4 does not answer"), waiting);
        startWith(fourth, List.of(nodes.get(0), nodes.get(1), fourth));
        dshm(0, "cluster", "replace", "n3", fourth.member(), "--timeout", PATIENCE);
        assertEquals(
                List.of("n1", "n2", "n4"), roles().keySet().stream().sorted().toList());

        // The dead one comes back with its data, and does not know that it was removed.
        dead.start();
        Await.until(
                "n3 is told",
                () -> dead.log().contains("n3 was removed from the cluster: n1 and n2 said that it is no member"));
        assertEquals("true", dead.status().get("removed"));
        DshmCommand operator = new DshmCommand(temporary);
        if (dead.isSecured()) {
            // A node that has never had a leader since its start knows no users; the token is always good.
            operator.with("DSHM_ADMIN_TOKEN_FILE", dead.adminTokenFile().toString());
        }
        String status = operator.run(nodes.stream().filter(NodeProcess::isAlive).toList(), "cluster", "status")
                .out();
        assertTrue(status.lines().anyMatch(line -> line.matches("n3 .* removed .* n3 was removed .*")), status);
        dead.kill();

        removeTheLeaderUnderLoad(fourth);
    }

    /** Writes go on meanwhile, through a node that stays. */
    private void removeTheLeaderUnderLoad(NodeProcess stays) throws IOException, InterruptedException {
        NodeProcess leader = leader();
        if (leader.equals(stays)) {
            dshm(0, "cluster", "transfer-leader", "n1", "--timeout", PATIENCE);
            leader =
                    Await.value("another one leads", () -> Optional.of(leader()).filter(other -> !other.equals(stays)));
        }
        try (Increments load = Increments.start(stays, "steps", 4)) {
            load.awaitMore(100);
            dshm(0, "cluster", "remove", leader.name(), "--timeout", PATIENCE);
            load.awaitMore(100);
            assertFalse(roles().containsKey(leader.name()));
            leader.kill();
            load.awaitMore(100);
            load.stop().assertExact(sum(stays, "steps"));
        }
    }

    @Test
    void after_the_loss_of_a_majority_one_node_s_data_become_a_new_cluster() throws IOException, InterruptedException {
        found("n1", "n2", "n3");
        NodeProcess left = nodes.get(2);
        try (DshmConnection connection = left.connect()) {
            connection.incr("visits", 7);
            assertTrue(connection.get("visits").isPresent(), "it has applied it itself");
        }
        String oldId = idOf(left);
        nodes.get(0).kill();
        nodes.get(1).kill();
        nodes.get(0).deleteData();
        nodes.get(1).deleteData();
        left.kill();
        Path made = temporary.resolve("made");
        List<String> recover = List.of("recover", "--data-dir", left.data().toString(), "--to", made.toString());
        NodeProcess alone = newNode("m1");
        String[] words = Stream.concat(recover.stream(), Stream.of("--member", alone.member(), "--confirm", "no"))
                .toArray(String[]::new);
        String refused = dshm(3, words).err();
        assertTrue(refused.contains("the answer is not the cluster's id"), refused);
        assertFalse(Files.exists(made));
        words[words.length - 1] = "dshm";
        String done = dshm(0, words).out();
        assertTrue(done.contains("Lost are writes that the other nodes acknowledged behind index"), done);
        Files.createDirectories(alone.data().getParent());
        Files.move(made, alone.data());
        startWith(alone, List.of(alone)).awaitHealthy();
        awaitId();
        assertNotEquals(oldId, idOf(alone));
        try (DshmConnection connection = alone.connect()) {
            assertEquals(8, connection.incr("visits", 1));
        }
        grow("m2");
        assertEquals(List.of("m1", "m2"), roles().keySet().stream().sorted().toList());
    }

    @Test
    void a_node_with_the_data_of_another_cluster_of_the_same_name_stops_and_keeps_them()
            throws IOException, InterruptedException {
        found("n1", "n2", "n3");
        NodeProcess third = nodes.get(2);
        String oldId = idOf(third);
        for (NodeProcess node : nodes) {
            node.kill();
        }
        Path kept = Files.move(third.data(), temporary.resolve("kept"));
        nodes.get(0).deleteData();
        nodes.get(1).deleteData();
        for (NodeProcess node : nodes) {
            node.start();
        }
        awaitId();
        assertNotEquals(oldId, idOf(third));
        // Some elections and entries, so that the new cluster has come further than the old one.
        for (int round = 0; round < 3; round++) {
            NodeProcess leader = leader();
            leader.kill();
            leader();
            leader.start();
            leader.awaitHealthy();
        }
        third.kill();
        third.deleteData();
        Files.move(kept, third.data());
        third.start();
        assertEquals(FATAL, third.awaitEnd());
        assertTrue(third.log().contains("of the cluster with the id " + oldId), third.log());
        assertTrue(Files.readString(third.data().resolve("node.properties")).contains(oldId.replaceFirst("^0+", "")));
        assertEquals(2, nodes.stream().filter(NodeProcess::isAlive).count());
    }
}
