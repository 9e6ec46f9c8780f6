package io.dshm.server.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.client.DshmConnection;
import io.dshm.server.security.Certificates;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A node that cannot start says why and ends; and what clients and operators may open does not keep it from its files. */
class StartIT {

    /** More than a node itself needs, and less than it and the clients of the test would. */
    private static final int DESCRIPTORS = 400;

    @RegisterExtension
    final Processes processes = Processes.perTest();

    @TempDir
    Path folder;

    private NodeProcess node(Path data, String... launcher) {
        NodeProcess node = new NodeProcess(
                "n1",
                folder.resolve("n1"),
                new NodeProcess.Place(
                        "127.0.0.1", Ports.free(), Ports.free(), Ports.free(), Ports.free(), data, List.of(launcher)));
        return processes.add(node);
    }

    @Test
    void a_file_system_from_which_nothing_can_be_executed_is_good_for_the_data()
            throws IOException, InterruptedException {
        Path mounted = Files.createDirectory(folder.resolve("noexec"));
        Assumptions.assumeTrue(
                run("mount", "-t", "tmpfs", "-o", "noexec,size=256m", "tmpfs", mounted.toString()) == 0,
                "only root may mount a file system");
        try {
            NodeProcess node = node(mounted.resolve("data"));
            node.start();
            node.awaitHealthy();
            try (DshmConnection client = node.connect()) {
                client.set("start::k", new byte[] {'v'}, Duration.ZERO);
            }
            node.terminate();
            assertEquals(0, node.awaitEnd());
        } finally {
            assertEquals(0, run("umount", mounted.toString()));
        }
    }

    @Test
    void when_the_data_folder_is_a_file_then_its_path_and_the_reason_are_said()
            throws IOException, InterruptedException {
        Path file = Files.writeString(folder.resolve("file"), "not a folder");
        NodeProcess node = node(file);
        node.start();
        assertEquals(1, node.awaitEnd());
        assertTrue(
                node.log()
                        .contains("cannot start: data-dir: cannot use " + file + ": " + file
                                + ": is a file, not a folder"),
                node.log());
    }

    @Test
    void when_the_log_folder_cannot_be_written_then_the_setting_and_the_reason_are_said()
            throws IOException, InterruptedException {
        Path file = Files.writeString(folder.resolve("file"), "not a folder");
        Path logs = file.resolve("logs");
        NodeProcess node = node(folder.resolve("data")).with("--log-dir", logs.toString());
        node.start();
        assertEquals(2, node.awaitEnd());
        assertTrue(node.log().contains("dshm-server: log-dir: cannot write to " + logs + ": "), node.log());
    }

    @Test
    void when_the_disk_is_full_then_the_folder_and_what_to_do_are_said() throws IOException, InterruptedException {
        Path mounted = Files.createDirectory(folder.resolve("full"));
        Assumptions.assumeTrue(
                run("mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", mounted.toString()) == 0,
                "only root may mount a file system");
        try {
            Path data = mounted.resolve("data");
            NodeProcess node = node(data);
            node.start();
            node.awaitHealthy();
            node.terminate();
            assertEquals(0, node.awaitEnd());
            // Ends with an error when there is no room left.
            run("dd", "if=/dev/zero", "of=" + mounted.resolve("filler"), "bs=64k");
            node.start();
            assertEquals(1, node.awaitEnd());
            assertTrue(node.log().contains("cannot start: data-dir: the disk of " + data + " is full ("), node.log());
            Files.delete(mounted.resolve("filler"));
            node.start();
            node.awaitHealthy();
            node.terminate();
            assertEquals(0, node.awaitEnd());
        } finally {
            assertEquals(0, run("umount", mounted.toString()));
        }
    }

    @Test
    void when_the_process_may_open_hardly_any_file_then_it_says_what_to_raise()
            throws IOException, InterruptedException {
        NodeProcess node = node(folder.resolve("data"), "prlimit", "--nofile=150:150");
        node.start();
        assertEquals(1, node.awaitEnd());
        assertTrue(node.log().contains("cannot start: this process may open only 150 files"), node.log());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void clients_never_get_the_descriptors_that_snapshots_need(boolean tls)
            throws IOException, InterruptedException, GeneralSecurityException {
        NodeProcess node = node(folder.resolve("data"), "prlimit", "--nofile=" + DESCRIPTORS + ":" + DESCRIPTORS)
                .with("--snapshot-log-bytes", "16384");
        if (tls) {
            // Those that are too many never begin the handshake after which they would be told so.
            Certificates certificates = new Certificates(folder.resolve("certificates")).node("n1", "127.0.0.1");
            node.withCertificates(certificates)
                    .withEnvironment("DSHM_TLS", "on")
                    .connectWith(certificates.client());
        }
        node.start();
        node.awaitHealthy();
        List<Socket> clients = new ArrayList<>();
        try (DshmConnection honest = node.connect()) {
            for (int i = 0; i < DESCRIPTORS; i++) {
                clients.add(new Socket(node.address().getAddress(), node.port()));
            }
            byte[] value = "x".repeat(1000).getBytes(StandardCharsets.US_ASCII);
            // None begins while another is being written, so how many writes it takes depends on the disk.
            Await.until("snapshots are written", () -> {
                for (int i = 0; i < 100; i++) {
                    honest.set("start::k" + i, value, Duration.ZERO);
                }
                return RecoveryIT.count(node.log(), "snapshot written") >= 3;
            });
            assertTrue(node.log().contains("clients on each port instead of connections-max"), node.log());
        } finally {
            clients.forEach(StartIT::close);
        }
        assertTrue(node.isAlive());
    }

    @Test
    void a_node_that_may_open_no_file_any_more_says_so_and_is_to_be_started_again()
            throws IOException, InterruptedException {
        NodeProcess node = node(folder.resolve("data")).with("--snapshot-log-bytes", "16384");
        node.start();
        node.awaitHealthy();
        try (DshmConnection client = node.connect()) {
            assertEquals(0, run("prlimit", "--pid", "" + node.pid(), "--nofile=10:10"));
            byte[] value = new byte[1000];
            // The first snapshot that fails is no reason to end.
            assertThrows(IOException.class, () -> {
                for (int i = 0; i < 10_000; i++) {
                    client.set("start::k", value, Duration.ZERO);
                }
            });
            assertEquals(1, node.awaitEnd());
        }
        assertTrue(node.log().contains("this node stops, no file descriptor is left"), node.log());
        node.start();
        node.awaitHealthy();
    }

    @Test
    void when_clients_of_the_admin_port_stand_still_then_others_are_answered()
            throws IOException, InterruptedException {
        NodeProcess node = processes.newNode();
        node.start();
        node.awaitHealthy();
        List<Socket> stalled = new ArrayList<>();
        try {
            for (int i = 0; i < 100; i++) {
                Socket socket = node.connectBareToAdmin().socket();
                socket.getOutputStream().write("GET /health HT".getBytes(StandardCharsets.US_ASCII));
                stalled.add(socket);
            }
            assertEquals("ok\n", node.http("/health"));
            assertTrue(node.http("/").contains("/status"));
            assertTrue(node.http("/healthxyz").startsWith("there is no /healthxyz"));
        } finally {
            stalled.forEach(StartIT::close);
        }
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static int run(String... command) throws IOException, InterruptedException {
        return new ProcessBuilder(command).redirectErrorStream(true).start().waitFor();
    }
}
