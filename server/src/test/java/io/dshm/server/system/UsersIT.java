package io.dshm.server.system;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.client.ClientTls;
import io.dshm.client.CommandFailedException;
import io.dshm.client.DshmConnection;
import io.dshm.proto.ErrorCode;
import io.dshm.server.security.Certificates;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** Users and their rights on three real nodes with TLS, by the {@code dshm} command, as {@code deploy/HARDENING.md} says it. */
@Tag("long")
class UsersIT {

    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final int CLIENTS_A_NODE = 2;
    private static final int WRONG_SECRETS = 20;

    @RegisterExtension
    final Processes processes = Processes.perTest();

    @TempDir
    Path folder;

    private ClusterProcess cluster;
    private DshmCommand byToken;
    private DshmCommand byUser;

    @BeforeEach
    void startNodes() throws IOException, InterruptedException {
        cluster = processes.newCluster();
        cluster.nodes().forEach(NodeProcess::securedWithoutUsers);
        cluster.withSharedance("--sharedance-user", "php", "--sharedance-clients", "127.0.0.1,127.0.0.2")
                .start();
        byToken = new DshmCommand(Files.createDirectory(folder.resolve("token")))
                .with(
                        "DSHM_ADMIN_TOKEN_FILE",
                        cluster.nodes().get(0).adminTokenFile().toString());
        byUser = new DshmCommand(Files.createDirectory(folder.resolve("user")));
        // The bootstrap secret is the admin port's; it makes the first user, who does the rest.
        dshm(byToken, 0, "user", "add", Secured.USER, "--rights", "admin:*", "--new-secret-file", secretFileOfTests());
    }

    private static String secretFileOfTests() throws IOException {
        return Secured.secretFile().toString();
    }

    private String dshm(DshmCommand command, int status, String... words) throws IOException, InterruptedException {
        DshmCommand.Ended ended = command.run(
                cluster.nodes().stream().filter(NodeProcess::isAlive).toList(), words);
        return ended.requireStatus(status).out() + ended.err();
    }

    private String operator(String... words) throws IOException, InterruptedException {
        return dshm(byUser, 0, words);
    }

    private Path secretOf(String user) {
        return folder.resolve(user + ".secret");
    }

    private void add(String user, String rights) throws IOException, InterruptedException {
        operator(
                "user",
                "add",
                user,
                "--rights",
                rights,
                "--new-secret-file",
                secretOf(user).toString());
    }

    private DshmConnection connectAs(NodeProcess node, String user) throws IOException {
        return connectAs(node, user, secretOf(user));
    }

    private static DshmConnection connectAs(NodeProcess node, String user, Path secretFile) throws IOException {
        DshmConnection connection =
                DshmConnection.connect(node.address(), ClientTls.of(Secured.context()), PATIENCE, PATIENCE);
        try {
            connection.authenticate(user, Files.readString(secretFile).strip().getBytes(US_ASCII));
            return connection;
        } catch (IOException e) {
            connection.close();
            throw e;
        }
    }

    private static void assertRefused(ErrorCode code, Executable command) {
        assertEquals(code, assertThrows(CommandFailedException.class, command).code());
    }

    @Test
    void from_the_bootstrap_secret_to_a_replaced_secret_under_load_and_a_node_that_was_away() throws Exception {
        NodeProcess node = cluster.awaitLeader();
        add("app", "write:app,read:app");
        add("other", "write:app");
        add("gone", "read:app");
        String listed = operator("user", "list");
        assertTrue(listed.contains("app") && listed.contains("write:app"), listed);

        operator("auth", "on");
        awaitAuthOn();
        nobodyMayDoAnything(node);
        eachMayDoWhatItsRightsSay(node);
        theAdminPortAsksForAnAdministrator(node);
        aSecretIsReplacedUnderLoad();
        whatChangedWhileANodeWasAwayHoldsThereToo(node);
        operator("auth", "off");
        Await.until("auth is off", () -> {
            try (BareConnection nobody = node.connectBareAsNobody()) {
                return ask(nobody, "GET app::k").startsWith("LEN ");
            }
        });
    }

    private void awaitAuthOn() throws InterruptedException {
        for (NodeProcess each : cluster.nodes()) {
            Await.until(each + " requires a user", () -> {
                try (BareConnection nobody = each.connectBareAsNobody()) {
                    return ask(nobody, "GET app::k").startsWith("ERROR auth_required");
                }
            });
        }
    }

    private static String ask(BareConnection connection, String line) throws IOException {
        send(connection, line);
        return reply(connection);
    }

    private static void send(BareConnection connection, String line) throws IOException {
        connection.socket().getOutputStream().write((line + "\r\n").getBytes(US_ASCII));
    }

    /** The first line of the reply. */
    private static String reply(BareConnection connection) throws IOException {
        StringBuilder reply = new StringBuilder();
        InputStream in = connection.socket().getInputStream();
        for (int next = in.read(); next >= 0 && next != '\n'; next = in.read()) {
            reply.append((char) next);
        }
        return reply.toString().strip();
    }

    private static void nobodyMayDoAnything(NodeProcess node) throws IOException {
        List<BareConnection> nobodies = new ArrayList<>();
        try {
            for (int i = 0; i < WRONG_SECRETS; i++) {
                nobodies.add(node.connectBareAsNobody());
            }
            for (BareConnection nobody : nobodies) {
                assertEquals("DONE", ask(nobody, "PING"));
                assertTrue(ask(nobody, "INCR app::k 1 0").startsWith("ERROR auth_required"));
                send(nobody, "AUTH app " + "0".repeat(64));
            }
            for (BareConnection nobody : nobodies) {
                assertTrue(reply(nobody).startsWith("ERROR denied"));
            }
        } finally {
            for (BareConnection nobody : nobodies) {
                nobody.close();
            }
        }
        HostilePeersIT.assertSeldomLogged(node, "wrong user or secret");
        assertFalse(node.log().contains("0".repeat(64)), "no secret is logged");
    }

    private void eachMayDoWhatItsRightsSay(NodeProcess node) throws IOException {
        try (DshmConnection app = connectAs(node, "app");
                DshmConnection gone = connectAs(node, "gone")) {
            assertEquals(1, app.incr("app::k", 1));
            assertRefused(ErrorCode.DENIED, () -> app.incr("elsewhere::k", 1));
            assertEquals(2, app.incr("app::k", 1), "the connection goes on");
            assertTrue(gone.get("app::k").isPresent());
            assertRefused(ErrorCode.DENIED, () -> gone.incr("app::k", 1));
        }
    }

    private void theAdminPortAsksForAnAdministrator(NodeProcess node) throws IOException, InterruptedException {
        DshmCommand app = new DshmCommand(Files.createDirectory(folder.resolve("app")))
                .with("DSHM_USER", "app")
                .with("DSHM_SECRET_FILE", secretOf("app").toString());
        DshmCommand.Ended refused = app.run(List.of(node), "user", "list");
        assertNotEquals(0, refused.status(), refused.out());
        assertTrue(!refused.out().contains("read:app"), refused.out());
        operator("user", "grant", "app", "--rights", "admin:*");
        Await.until(
                "it is an administrator",
                () -> app.run(List.of(node), "user", "list").status() == 0);
        operator("user", "revoke", "app", "--rights", "admin:*");
        Await.until(
                "it is none any more",
                () -> app.run(List.of(node), "user", "list").status() != 0);
    }

    private Increments loadWith(NodeProcess node, Path secret) {
        return Increments.start(
                () -> {
                    DshmConnection connection = connectAs(node, "app", secret);
                    return new Increments.Counter() {
                        @Override
                        public long increment() throws IOException {
                            return connection.incr("app::count", 1);
                        }

                        @Override
                        public void close() throws IOException {
                            connection.close();
                        }
                    };
                },
                CLIENTS_A_NODE);
    }

    private void aSecretIsReplacedUnderLoad() throws IOException, InterruptedException {
        List<Increments> old = new ArrayList<>();
        for (NodeProcess each : cluster.nodes()) {
            old.add(loadWith(each, secretOf("app")));
        }
        for (Increments load : old) {
            load.awaitMore(20);
        }
        Path next = folder.resolve("app.next");
        operator("user", "rotate", "app", "--new-secret-file", next.toString());
        awaitKnown("app", next);
        List<Increments> all = new ArrayList<>();
        for (NodeProcess each : cluster.nodes()) {
            all.add(loadWith(each, next));
        }
        List<Increments.Books> books = new ArrayList<>();
        for (Increments load : old) {
            load.awaitMore(20);
            books.add(load.stop());
        }
        try (BareConnection idle = cluster.nodes().get(1).connectBareAsNobody()) {
            assertEquals(
                    "DONE",
                    ask(idle, "AUTH app " + Files.readString(secretOf("app")).strip()));
            operator("user", "rotate", "app", "--finish");
            assertEquals(
                    -1, idle.socket().getInputStream().read(), "who came with the old secret is ended, idle or not");
        }
        assertRefused(
                ErrorCode.DENIED, () -> connectAs(cluster.nodes().get(1), "app").close());
        for (Increments load : all) {
            load.awaitMore(20);
            books.add(load.stop());
        }
        Increments.Books sum = Increments.Books.sum(books);
        assertEquals(List.of(), sum.failures());
        try (DshmConnection tests = cluster.nodes().get(0).connect()) {
            sum.assertExact(tests.incr("app::count", 0));
        }
        Files.move(next, secretOf("app"), StandardCopyOption.REPLACE_EXISTING);
    }

    private void awaitKnown(String user, Path secret) throws InterruptedException {
        for (NodeProcess each : cluster.nodes()) {
            Await.until(each + " knows the secret of " + user, () -> {
                connectAs(each, user, secret).close();
                return true;
            });
        }
    }

    private void whatChangedWhileANodeWasAwayHoldsThereToo(NodeProcess node) throws IOException, InterruptedException {
        NodeProcess away = cluster.others(node).get(0);
        away.kill();
        cluster.awaitLeader();
        NodeProcess there = cluster.others(away).get(0);
        try (DshmConnection gone = connectAs(there, "gone");
                DshmConnection other = connectAs(there, "other")) {
            assertTrue(gone.get("app::k").isPresent());
            operator("user", "remove", "gone");
            operator("user", "revoke", "other", "--rights", "write:app");
            Await.until("it may write no more", () -> {
                try {
                    other.incr("app::k", 1);
                    return false;
                } catch (CommandFailedException e) {
                    return e.code() == ErrorCode.DENIED;
                }
            });
            assertThrows(IOException.class, () -> {
                gone.get("app::k");
                gone.get("app::k");
            });
        }
        away.start();
        away.awaitHealthy();
        assertRefused(ErrorCode.DENIED, () -> connectAs(away, "gone").close());
        try (DshmConnection other = connectAs(away, "other")) {
            assertRefused(ErrorCode.DENIED, () -> other.incr("app::k", 1));
        }
        cluster.assertEqualDigests();
    }

    @Test
    void php_and_nginx_come_with_users_over_tls() throws Exception {
        add("php", "read:sharedance,write:sharedance,read:sharedance-leases,write:sharedance-leases");
        operator("auth", "on");
        awaitAuthOn();
        phpStoresAsTheUserOfTheListenerAndFromItsAddresses();
        phpAsksLimitsOverTlsAndBelievesOneAuthority();
        aSessionIsLockedOverTls();
        nginxKeepsSessionsOverTls();
    }

    private void phpStoresAsTheUserOfTheListenerAndFromItsAddresses() throws IOException, InterruptedException {
        int port = cluster.nodes().get(0).sharedancePort();
        Await.until(
                "it is stored",
                () -> Sharedance.ask(port, Sharedance.store("k", "v")).equals("OK\n"));
        assertEquals("", askFrom(3, port, Sharedance.fetch("k")), "an address that is not named");
        Await.until(
                "an address that is named is served",
                () -> askFrom(2, port, Sharedance.fetch("k")).equals("v"));
        operator("user", "revoke", "php", "--rights", "write:sharedance");
        Await.until(
                "it may store no more",
                () -> !Sharedance.ask(port, Sharedance.store("k", "w")).equals("OK\n"));
        operator("user", "grant", "php", "--rights", "write:sharedance");
        Await.until(
                "it may again",
                () -> Sharedance.ask(port, Sharedance.store("k", "w")).equals("OK\n"));
    }

    /** What is replied to who comes from 127.0.0.N; nothing also if the connection is reset. */
    private static String askFrom(int last, int port, byte[] request) throws IOException {
        try (Socket socket = new Socket(
                InetAddress.getLoopbackAddress(),
                port,
                InetAddress.getByAddress(new byte[] {127, 0, 0, (byte) last}),
                0)) {
            socket.getOutputStream().write(request);
            String reply = Sharedance.rest(socket);
            return reply.equals("reset") ? "" : reply;
        }
    }

    private void phpAsksLimitsOverTlsAndBelievesOneAuthority() throws IOException, InterruptedException {
        String hosts = cluster.nodes().stream()
                .map(member -> "127.0.0.1:" + member.port())
                .collect(Collectors.joining(","));
        String script = "test/limiter_live_test.php";
        PhpServer.Ended well =
                PhpServer.run(script, hosts, Secured.authority().toString(), Secured.USER, secretFileOfTests());
        assertEquals(0, well.status(), well.output());
        String foreign = new Certificates(folder.resolve("foreign")).authority().toString();
        PhpServer.Ended refused = PhpServer.run(script, hosts, foreign, Secured.USER, secretFileOfTests());
        assertNotEquals(0, refused.status(), refused.output());
        assertTrue(refused.output().contains("certificate verify failed"), refused.output());
        PhpServer.Ended wrong =
                PhpServer.run(script, hosts, Secured.authority().toString(), "php", secretFileOfTests());
        assertNotEquals(0, wrong.status(), wrong.output());
    }

    private void aSessionIsLockedOverTls() throws Exception {
        Map<String, String> environment = new HashMap<>(Secured.forPhpLocks());
        environment.put(
                "SESSION_HANDLER_HOST", "127.0.0.1:" + cluster.nodes().get(0).sharedancePort());
        environment.put(
                "SESSION_HANDLER_LOCK_HOST",
                "127.0.0.1:" + cluster.nodes().get(0).port());
        environment.put("SESSION_HANDLER_LOCK_SECONDS", "30");
        PhpServer php = processes.startPhp(environment);
        Browser browser = new Browser();
        assertEquals("ada 0", browser.get(php, "do=login&user=ada"));
        assertEquals("ada 1", browser.get(php, "do=count"));
    }

    private void nginxKeepsSessionsOverTls() throws IOException, InterruptedException {
        NginxProcess nginx = processes.startNginx(
                cluster.nodes().get(0), List.of(cluster.nodes().get(1)));
        for (String storage : List.of("v3", "v4")) {
            for (int count = 1; count <= 3; count++) {
                URI uri = URI.create(
                        "http://127.0.0.1:" + nginx.port() + "/session?storage=" + storage + "&id=users-it-" + storage);
                try (InputStream body = uri.toURL().openStream()) {
                    assertEquals("" + count, new String(body.readAllBytes(), StandardCharsets.US_ASCII));
                }
            }
        }
    }
}
