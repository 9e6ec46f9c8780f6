package io.dshm.server.torture;

import io.dshm.client.ClientTls;
import io.dshm.client.DshmConnection;
import io.dshm.proto.Pem;
import io.dshm.proto.Secrets;
import io.dshm.server.security.Certificates;
import io.dshm.server.system.Await;
import io.dshm.server.system.NodeProcess;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.Certificate;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/** How nodes, clients and the test reach nodes: plainly or with TLS, as everybody or as a user with rights. Thread-safe. */
final class Access {

    private static final String USER = "torture";
    private static final String[] RIGHTS = {"read:*", "write:*", "take:*", "admin:*"};
    private static final Duration DONE = Duration.ofSeconds(60);
    private static final Duration CONNECT = Duration.ofSeconds(2);

    private final @Nullable Certificates certificates;
    private final @Nullable SSLContext context;
    private final byte @Nullable [] secret;

    private Access(@Nullable Certificates certificates, @Nullable SSLContext context, byte @Nullable [] secret) {
        this.certificates = certificates;
        this.context = context;
        this.secret = secret;
    }

    /**
     * Access to nodes that are not there yet.
     *
     * @param tls whether all ports ask for it
     * @param auth whether clients have to say who they are
     * @param folder for certificates
     */
    static Access of(boolean tls, boolean auth, Path folder) throws IOException, InterruptedException {
        byte[] secret = auth ? Secrets.random().getBytes(StandardCharsets.UTF_8) : null;
        if (!tls) {
            return new Access(null, null, secret);
        }
        Certificates certificates = new Certificates(Files.createDirectories(folder)).node("client");
        try {
            return new Access(certificates, certificates.client(certificates, "client"), secret);
        } catch (GeneralSecurityException e) {
            throw new IOException(e);
        }
    }

    /** Prepares a node for its first start. */
    void prepare(NodeProcess node) throws IOException, InterruptedException {
        node.unsecured();
        if (certificates != null) {
            certificates.node(node.name(), node.address().getHostString());
            node.withCertificates(certificates)
                    .with("--tls-client-certificates", "needed", "--tls-reload-seconds", "1")
                    .withEnvironment("DSHM_TLS", "on")
                    .withEnvironment("DSHM_PEER_TLS", "on")
                    .connectWith(context);
        }
    }

    /** Makes the user of all clients, and has everybody be asked who he is, if that is wanted. There must be a leader. */
    void begin(Machines machines) throws InterruptedException {
        if (secret == null) {
            return;
        }
        byte[] salt = Secrets.saltOf(USER, secret);
        StringBuilder add = new StringBuilder("/users/add?name=" + USER)
                .append("&salt=" + HexFormat.of().formatHex(salt))
                .append("&hash=" + HexFormat.of().formatHex(Secrets.hash(salt, secret)));
        for (String right : RIGHTS) {
            add.append("&right=").append(URLEncoder.encode(right, StandardCharsets.UTF_8));
        }
        for (String path : List.of(add.toString(), "/users/auth-on")) {
            Await.until("it is done: " + path, DONE, () -> {
                String answer = machines.all().get(0).ask(path);
                // By an attempt whose answer was lost.
                return Machine.isDone(answer) || answer.contains("exists");
            });
        }
    }

    /** A new connection as a client has it. */
    DshmConnection connect(InetSocketAddress address, Duration timeout, Duration patience) throws IOException {
        DshmConnection connection =
                DshmConnection.connect(address, context == null ? null : ClientTls.of(context), timeout, patience);
        if (secret != null) {
            try {
                connection.authenticate(USER, secret);
            } catch (IOException e) {
                connection.close();
                throw e;
            }
        }
        return connection;
    }

    /** Gives a node another certificate and key, while it runs. */
    void rotate(NodeProcess node) throws IOException, InterruptedException {
        certificates().node(node.name(), node.address().getHostString());
    }

    /** Whether a node shows clients the certificate that it was given last. */
    boolean isInUse(NodeProcess node) throws IOException {
        SSLContext tls = context;
        if (tls == null) {
            throw new IllegalStateException("without TLS");
        }
        try (SSLSocket socket = (SSLSocket) tls.getSocketFactory().createSocket()) {
            socket.connect(node.address(), (int) CONNECT.toMillis());
            socket.setSoTimeout((int) CONNECT.toMillis());
            socket.startHandshake();
            Certificate shown = socket.getSession().getPeerCertificates()[0];
            return Pem.certificates(certificates().certificate(node.name()))
                    .get(0)
                    .equals(shown);
        }
    }

    private Certificates certificates() {
        if (certificates == null) {
            throw new IllegalStateException("without TLS");
        }
        return certificates;
    }
}
