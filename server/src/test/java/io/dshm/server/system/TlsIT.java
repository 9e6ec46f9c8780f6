package io.dshm.server.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.client.ClientTls;
import io.dshm.client.DshmConnection;
import io.dshm.server.security.Certificates;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** A cluster changes from plain connections to TLS, and then its authority, while clients count through all nodes. */
@Tag("long")
class TlsIT {

    private static final String KEY = "tls::count";

    @RegisterExtension
    final Processes processes = Processes.perTest();

    @TempDir
    private Path folder;

    private final Map<String, Increments> counting = new TreeMap<>();
    private final List<Increments.Books> books = new ArrayList<>();

    @Test
    void a_cluster_changes_to_tls_and_then_its_authority_without_a_failed_request() throws Exception {
        Certificates old = certificates("old");
        Certificates next = certificates("next");
        SSLContext client = old.client(old, "client");
        ClusterProcess cluster = processes.newCluster();
        // The others have begun to change over.
        NodeProcess last = cluster.nodes().get(2);
        for (NodeProcess node : cluster.nodes()) {
            node.withCertificates(old).with("--tls-client-certificates", "wanted", "--tls-reload-seconds", "0");
            tls(node, node == last ? "off" : "both");
        }
        // Without TLS on any port no client can be asked for a certificate.
        last.withEnvironment("DSHM_ADMIN_TLS", "both");
        cluster.start();

        for (NodeProcess node : cluster.nodes()) {
            count(cluster, node);
        }
        restart(cluster, last, "both", null);
        for (NodeProcess node : cluster.nodes()) {
            restart(cluster, node, "on", client);
        }
        for (NodeProcess node : cluster.nodes()) {
            assertPlainIsRefused(node.port());
            assertPlainIsRefused(node.forwardingPort());
            assertPlainIsRefused(node.adminPort());
        }

        changeAuthority(cluster, old, next);
        assertThrows(
                IOException.class, () -> connect(cluster.nodes().get(0), client).close());
        for (NodeProcess node : cluster.nodes()) {
            assertEquals("364", node.status().get("tlsDaysLeft"));
            assertEquals("364", node.status().get("peerTlsDaysLeft"));
        }
        for (Increments increments : counting.values()) {
            increments.awaitMore(10);
            stop(increments);
        }
        // New connections between nodes, with nothing but what is new.
        cluster.follower().kill();
        cluster.start();
        cluster.assertEqualDigests();
        try (DshmConnection connection = cluster.nodes().get(0).connect()) {
            Increments.Books sum = Increments.Books.sum(books);
            System.out.println("TLS: " + sum.summary());
            sum.assertExact(connection.incr(KEY, 0));
        }
    }

    private Certificates certificates(String name) throws IOException, InterruptedException {
        Certificates made = new Certificates(folder.resolve(name)).node("client");
        for (String node : List.of("n1", "n2", "n3")) {
            made.node(node, "127.0.0.1");
        }
        return made;
    }

    private static void tls(NodeProcess node, String mode) {
        node.withEnvironment("DSHM_TLS", mode).withEnvironment("DSHM_PEER_TLS", mode);
        node.withEnvironment("DSHM_ADMIN_TLS", mode);
    }

    /** Clients of that node begin to count; others' have to go on. */
    private void count(ClusterProcess cluster, NodeProcess node) throws InterruptedException {
        counting.put(node.name(), Increments.start(node, KEY, 2));
        for (NodeProcess each : cluster.nodes()) {
            Increments increments = counting.get(each.name());
            if (increments != null) {
                increments.awaitMore(10);
            }
        }
    }

    private void stop(Increments increments) throws InterruptedException {
        Increments.Books book = increments.stop();
        assertEquals(List.of(), book.failures());
        books.add(book);
    }

    /** Has a node restarted with that mode, whose clients go elsewhere meanwhile. */
    private void restart(ClusterProcess cluster, NodeProcess node, String mode, @Nullable SSLContext client)
            throws IOException, InterruptedException {
        Increments own = counting.remove(node.name());
        if (own != null) {
            stop(own);
        }
        node.terminate();
        node.awaitEnd();
        tls(node, mode);
        node.connectWith(client).start();
        node.awaitHealthy();
        count(cluster, node);
        cluster.awaitLeader();
    }

    private static void assertPlainIsRefused(int port) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(20_000);
            socket.getOutputStream().write("PING\r\n".getBytes(StandardCharsets.US_ASCII));
            String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
            assertTrue(!answer.contains("PONG") && !answer.contains("HTTP"), answer);
        }
    }

    private static DshmConnection connect(NodeProcess node, SSLContext context) throws IOException {
        DshmConnection connection = DshmConnection.connect(
                node.address(), ClientTls.of(context), Duration.ofSeconds(10), Duration.ofSeconds(10));
        connection.get("any");
        return connection;
    }

    /** As the page says: believe both, then show the new certificates, then believe the new one only. */
    private void changeAuthority(ClusterProcess cluster, Certificates used, Certificates next)
            throws IOException, InterruptedException, GeneralSecurityException {
        Files.writeString(used.authority(), Files.readString(next.authority()), StandardOpenOption.APPEND);
        reload(cluster, used);
        SSLContext believesBoth = used.client(used, "client");
        cluster.nodes().forEach(node -> node.connectWith(believesBoth));
        for (NodeProcess node : cluster.nodes()) {
            used.replace(node.name(), next);
        }
        used.replace("client", next);
        reload(cluster, used);
        SSLContext isNew = next.client(next, "client");
        cluster.nodes().forEach(node -> node.connectWith(isNew));
        Files.copy(next.authority(), used.authority(), StandardCopyOption.REPLACE_EXISTING);
        reload(cluster, used);
    }

    private void reload(ClusterProcess cluster, Certificates used) throws IOException, InterruptedException {
        DshmCommand.Ended ended = new DshmCommand(folder)
                .with("DSHM_CA", used.authority().toString())
                .with("DSHM_CERT", used.certificate("client").toString())
                .with("DSHM_KEY", used.key("client").toString())
                .run(cluster.nodes(), "tls", "reload");
        String said = ended.requireStatus(0).out();
        assertEquals(cluster.nodes().size(), said.lines().count(), said);
        assertTrue(said.lines().allMatch(line -> line.contains("valid until")), said);
    }
}
