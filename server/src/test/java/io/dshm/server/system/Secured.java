package io.dshm.server.system;

import io.dshm.client.ClientTls;
import io.dshm.client.DshmClientBuilder;
import io.dshm.client.DshmConnection;
import io.dshm.proto.Secrets;
import io.dshm.server.security.Certificates;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * The second way to run the system tests, {@code -Ddshm.system.secure=true}: all nodes take TLS only on all ports (PHP's sessions
 * excepted, whose client speaks none), {@code auth} is on, and whatever connects shows a user and believes one authority. What is here
 * is shared by all tests of a run. Thread-safe.
 */
public final class Secured {

    /** Whether this run is in that way. */
    public static final boolean ON = Boolean.getBoolean("dshm.system.secure");

    /** What a value of 32 MiB may take: a process that has just started encrypts a few megabytes a second. */
    static final String LARGE_VALUE_MILLIS = "30000";

    /** The user that all tests are. It may do everything. */
    static final String USER = "tests";

    static final String SECRET = "5ec2e7".repeat(10) + "5ec2";

    /** A name in the certificates of all nodes, for tests that find out the address themselves. */
    static final String HOST = "dshm.test";

    private static final Path FOLDER = Path.of("target/system/secured").toAbsolutePath();
    private static final Path SECRET_FILE = FOLDER.resolve("user.secret");

    private static final Map<String, String> HOST_BY_NAME = new HashMap<>();
    private static @Nullable Certificates certificates;
    private static @Nullable SSLContext context;

    private Secured() {}

    private static synchronized Certificates certificates() throws IOException {
        Certificates there = certificates;
        if (there != null) {
            return there;
        }
        try {
            // Those of an earlier run may have expired.
            NodeProcess.deleteTree(FOLDER);
            Certificates made = new Certificates(Files.createDirectories(FOLDER));
            Files.writeString(SECRET_FILE, SECRET);
            certificates = made;
            return made;
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
    }

    private static IOException interrupted(InterruptedException e) {
        Thread.currentThread().interrupt();
        return new IOException("interrupted", e);
    }

    /** Options of a node with that name at that host. */
    static synchronized List<String> options(String name, String host) throws IOException {
        Certificates all = certificates();
        if (!host.equals(HOST_BY_NAME.put(name, host))) {
            try {
                all.node(name, host, "localhost", HOST);
            } catch (InterruptedException e) {
                throw interrupted(e);
            }
        }
        return List.of(
                "--tls=on",
                "--peer-tls=on",
                "--tls-certificate=" + all.certificate(name),
                "--tls-key=" + all.key(name),
                "--tls-ca=" + all.authority());
    }

    /** What clients and operators connect with. */
    static synchronized SSLContext context() throws IOException {
        SSLContext there = context;
        if (there == null) {
            try {
                there = certificates().client();
            } catch (GeneralSecurityException e) {
                throw new IOException(e);
            }
            context = there;
        }
        return there;
    }

    /** The same with the certificate of a node that was started: what another node would connect with. */
    static SSLContext contextOf(NodeProcess node) throws IOException {
        try {
            return certificates().client(certificates(), node.name());
        } catch (GeneralSecurityException e) {
            throw new IOException(e);
        }
    }

    /** The authority's certificate, for clients that are no Java. */
    static Path authority() throws IOException {
        return certificates().authority();
    }

    static Path secretFile() throws IOException {
        certificates();
        return SECRET_FILE;
    }

    /** What PHP's session handler connects with for its locks. */
    static Map<String, String> forPhpLocks() throws IOException {
        return Map.of(
                "SESSION_HANDLER_LOCK_CA", authority().toString(),
                "SESSION_HANDLER_LOCK_USER", USER,
                "SESSION_HANDLER_LOCK_SECRET_FILE", secretFile().toString());
    }

    /** Over a connection that was just made; it is closed if that fails. */
    static Socket shakeHands(Socket connected, SSLContext with, String host) throws IOException {
        return ClientTls.of(with).over(connected, host);
    }

    /** Says who the tests are. The connection is closed if that fails. */
    static DshmConnection authenticate(DshmConnection connection) throws IOException {
        try {
            connection.authenticate(USER, SECRET.getBytes(StandardCharsets.US_ASCII));
            return connection;
        } catch (IOException e) {
            connection.close();
            throw e;
        }
    }

    /** The same for a client that is being made, with TLS; nothing if this run is not secured. */
    static DshmClientBuilder login(DshmClientBuilder builder) throws IOException {
        return ON ? builder.tls(ClientTls.of(context())).credentials(USER, SECRET) : builder;
    }

    /** The same on a bare socket. */
    static void authenticate(Socket socket) throws IOException {
        socket.getOutputStream().write(("AUTH " + USER + " " + SECRET + "\r\n").getBytes(StandardCharsets.US_ASCII));
        String reply = new String(socket.getInputStream().readNBytes(6), StandardCharsets.US_ASCII);
        if (!reply.equals("DONE\r\n")) {
            socket.close();
            throw new IOException("AUTH: " + reply);
        }
    }

    /** Makes the user and turns {@code auth} on, unless that is done, through a node that is healthy. Returns when it knows of it. */
    static void secure(NodeProcess node) throws InterruptedException {
        byte[] secret = SECRET.getBytes(StandardCharsets.US_ASCII);
        byte[] salt = Secrets.saltOf(USER, secret);
        String hash = HexFormat.of().formatHex(Secrets.hash(salt, secret));
        String user = "?name=" + USER + "&right=admin:*&salt=" + HexFormat.of().formatHex(salt) + "&hash=" + hash;
        Await.until(node + " knows its users", () -> {
            boolean on = node.http("/users").replace(" ", "").contains("\"auth\":\"on\"");
            if (!on) {
                node.post("/users/add" + user);
                node.post("/users/auth-on");
            }
            return on;
        });
    }
}
