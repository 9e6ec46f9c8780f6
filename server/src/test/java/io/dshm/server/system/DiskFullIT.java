package io.dshm.server.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.client.DshmConnection;
import io.dshm.proto.Command;
import io.dshm.proto.ErrorCode;
import io.dshm.proto.Key;
import io.dshm.proto.Reply;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/** Disks fill up to the last byte under nodes that are written to, and get room again. Each node has a small disk of its own. */
@Tag("long")
class DiskFullIT {

    private static final String DISK_SIZE = "size=480m";

    @RegisterExtension
    final Processes processes = Processes.perTest();

    @TempDir(cleanup = CleanupMode.NEVER)
    Path folder;

    private final List<Path> disks = new ArrayList<>();

    private static void run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), said);
    }

    private ClusterProcess startCluster() throws IOException, InterruptedException {
        Assumptions.assumeTrue(
                "root".equals(System.getProperty("user.name")) && Files.isExecutable(Path.of("/bin/mount")),
                "only root can mount disks");
        List<NodeProcess> nodes = new ArrayList<>();
        for (int i = 1; i <= 3; i++) {
            Path home = Files.createDirectories(folder.resolve("n" + i));
            Path disk = Files.createDirectories(home.resolve("disk"));
            run("mount", "-t", "tmpfs", "-o", DISK_SIZE, "tmpfs", disk.toString());
            disks.add(disk);
            NodeProcess.Place place = new NodeProcess.Place(
                    "127.0.0.1",
                    Ports.free(),
                    Ports.free(),
                    Ports.free(),
                    Ports.free(),
                    disk.resolve("dshm-data"),
                    List.of());
            nodes.add(processes.add(new NodeProcess("n" + i, home, place)));
        }
        return new ClusterProcess(nodes)
                .with("--disk-reserve-bytes", "33554432", "--snapshot-log-bytes", "8000000")
                .start();
    }

    @AfterEach
    void unmount() throws IOException, InterruptedException {
        for (Path disk : disks) {
            run("umount", "-l", disk.toString());
        }
    }

    private Path diskOf(NodeProcess node) {
        return folder.resolve(node.name()).resolve("disk");
    }

    private void fill(NodeProcess node) throws IOException {
        FileStore store = Files.getFileStore(diskOf(node));
        byte[] block = new byte[1 << 16];
        try (OutputStream out = Files.newOutputStream(
                diskOf(node).resolve("others"), StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
            while (store.getUsableSpace() > 0) {
                out.write(block, 0, (int) Math.min(block.length, store.getUsableSpace()));
            }
        } catch (IOException e) {
            // That was the last byte: the node takes some, too.
            assertTrue(store.getUsableSpace() < 1 << 20 || node.isAlive(), e::toString);
        }
    }

    private void free(NodeProcess node) throws IOException {
        Files.delete(diskOf(node).resolve("others"));
    }

    private static Reply set(NodeProcess node, String key) throws IOException {
        try (DshmConnection connection = node.connect()) {
            return connection.call(new Command.Set(Key.of(key), 0, new byte[20_000]));
        }
    }

    private static boolean writes(NodeProcess node) throws IOException {
        return set(node, "k") instanceof Reply.Value;
    }

    private static boolean refuses(NodeProcess node) throws IOException {
        return set(node, "k") instanceof Reply.Failure failure && failure.code() == ErrorCode.DISK_FULL;
    }

    @Test
    void when_the_leaders_disk_is_full_then_another_node_leads_and_writes_go_on()
            throws IOException, InterruptedException {
        ClusterProcess cluster = startCluster();
        NodeProcess leader = cluster.awaitLeader();
        assertInstanceOf(Reply.Value.class, set(leader, "before"));
        fill(leader);
        Await.until("another node leads", () -> !"true".equals(leader.status().get("leads")));
        Await.until("writes go on", () -> writes(cluster.others(leader).get(0)));
        Await.until("writes go on by the node whose disk is full", () -> writes(leader));
        for (int i = 0; i < 500; i++) {
            set(leader, "more" + i);
        }
        assertTrue(leader.isAlive());
        assertEquals("true", leader.status().get("diskFull"));
        free(leader);
        Await.until("it has room", () -> "false".equals(leader.status().get("diskFull")));
        cluster.assertEqualDigests();
    }

    @Test
    void a_follower_whose_disk_is_full_waits_for_the_snapshot_that_it_needs() throws IOException, InterruptedException {
        ClusterProcess cluster = startCluster();
        NodeProcess leader = cluster.awaitLeader();
        NodeProcess follower = cluster.others(leader).get(0);
        assertInstanceOf(Reply.Value.class, set(follower, "before"));
        follower.pause();
        fill(follower);
        byte[] value = new byte[100_000];
        Random random = new Random(1);
        try (DshmConnection connection = leader.connect()) {
            // More than the reserve has room for, also as a snapshot, and the log before it is cut off.
            for (int i = 0; i < 500; i++) {
                random.nextBytes(value);
                connection.set("k" + i, value, Duration.ZERO);
            }
        }
        follower.resume();
        Await.until("it knows", () -> "true".equals(follower.status().get("diskFull")));
        for (int i = 0; i < 100; i++) {
            assertInstanceOf(Reply.Value.class, set(leader, "more" + i));
        }
        assertTrue(follower.isAlive());
        assertTrue(follower.statusNumber("appliedIndex") < leader.statusNumber("appliedIndex"));
        free(follower);
        cluster.assertEqualDigests();
        assertTrue(follower.log().contains("snapshot loaded"), "it came by a snapshot");
    }

    @Test
    void when_two_disks_are_full_then_writes_are_refused_and_reads_and_nodes_go_on()
            throws IOException, InterruptedException {
        ClusterProcess cluster = startCluster();
        NodeProcess leader = cluster.awaitLeader();
        assertInstanceOf(Reply.Value.class, set(leader, "before"));
        List<NodeProcess> full = List.of(leader, cluster.others(leader).get(0));
        for (NodeProcess node : full) {
            fill(node);
        }
        for (NodeProcess node : cluster.nodes()) {
            Await.until("writes are refused", () -> refuses(node));
            try (DshmConnection connection = node.connect()) {
                assertEquals(20_000, connection.get("before").orElseThrow().length);
            }
            assertTrue(node.isAlive());
        }
        for (NodeProcess node : full) {
            Await.until("it is not ready", () -> {
                // Also what it has given back meanwhile.
                fill(node);
                return node.http("/readyz").contains("its disk has no room");
            });
        }
        assertEquals("ok\n", cluster.others(leader).get(1).http("/readyz"));
        full.get(1).kill();
        full.get(1).start();
        for (NodeProcess node : full) {
            free(node);
        }
        for (NodeProcess node : cluster.nodes()) {
            Await.until("writes go on", () -> writes(node));
            Await.until("it is ready", () -> node.http("/readyz").equals("ok\n"));
        }
        cluster.assertEqualDigests();
    }
}
