package io.dshm.server;

import io.dshm.proto.Limits;
import io.dshm.server.admin.RefusedException;
import io.dshm.server.config.ClientCertificates;
import io.dshm.server.config.ServerConfig;
import io.dshm.server.config.TlsMode;
import io.dshm.server.guard.Guard;
import io.dshm.server.guard.GuardedPool;
import io.dshm.server.network.DialedEncryption;
import io.dshm.server.network.Encryption;
import io.dshm.server.network.RefusalLog;
import io.dshm.server.security.MemberCertificates;
import io.dshm.server.security.TlsContext;
import io.dshm.server.security.TlsDialing;
import io.dshm.server.security.TlsFiles;
import io.dshm.server.security.TlsPort;
import io.netty.handler.ssl.ClientAuth;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The TLS of one node: which ports have it, and its files, which are looked at in regular intervals. Thread-safe. */
final class NodeTls implements AutoCloseable {

    /**
     * For the arithmetic of handshakes, so that many of them take no event loop away from those that are connected.
     * Clients and members have so many each: when all clients come at once, the nodes do not wait behind them.
     */
    private static final int HANDSHAKE_THREADS = 2;

    private final ServerConfig.Tls settings;
    private final @Nullable TlsContext clients;
    private final @Nullable TlsContext members;
    private final GuardedPool clientHandshakes = handshakes("tls-client");
    private final GuardedPool memberHandshakes = handshakes("tls-member");
    private final ScheduledThreadPoolExecutor looking =
            new ScheduledThreadPoolExecutor(1, new DefaultThreadFactory("tls-files", true));

    /**
     * Reads the files.
     *
     * @param loops how many event loops have the connections of clients and members
     * @param hosts the members' hosts by their names, as they are at the moment of a call
     * @throws IOException if one of them cannot be used; the message is for operators
     */
    NodeTls(ServerConfig.Tls settings, int loops, String self, Supplier<Map<String, String>> hosts) throws IOException {
        long roomBytes = Math.max(
                Limits.TLS_UNFINISHED_BYTES_MIN, Limits.processMemoryBytes() / Limits.TLS_UNFINISHED_PARTS / loops);
        this.settings = settings;
        this.clients = settings.clientFiles() == null
                ? null
                : TlsContext.forClients(
                        files(settings.clientFiles()),
                        auth(settings.clientCertificates()),
                        clientHandshakes,
                        roomBytes,
                        Instant::now);
        this.members = settings.peerFiles() == null
                ? null
                : TlsContext.forMembers(
                        files(settings.peerFiles()),
                        new MemberCertificates(hosts),
                        self,
                        memberHandshakes,
                        roomBytes,
                        Instant::now);
        int seconds = settings.reloadSeconds();
        if (seconds > 0) {
            contexts()
                    .forEach(context -> looking.scheduleWithFixedDelay(
                            Guard.of("looking at certificates", context::look), seconds, seconds, TimeUnit.SECONDS));
        }
    }

    private static GuardedPool handshakes(String name) {
        return new GuardedPool(
                name,
                HANDSHAKE_THREADS,
                new LinkedBlockingQueue<>(Limits.TLS_STEPS_WAITING_MAX),
                new DefaultThreadFactory(name, true));
    }

    private static TlsFiles files(ServerConfig.Pem files) {
        return new TlsFiles(files.certificate(), files.key(), files.authorities());
    }

    private static ClientAuth auth(ClientCertificates certificates) {
        return switch (certificates) {
            case OFF -> ClientAuth.NONE;
            case WANTED -> ClientAuth.OPTIONAL;
            case NEEDED -> ClientAuth.REQUIRE;
        };
    }

    private Stream<TlsContext> contexts() {
        return Stream.of(clients, members).filter(Objects::nonNull).map(Objects::requireNonNull);
    }

    Encryption clients() {
        return port(settings.clients(), clients, "clients' port");
    }

    Encryption sharedance() {
        return port(settings.sharedance(), clients, "Sharedance port");
    }

    Encryption admin() {
        return port(settings.admin(), clients, "admin port");
    }

    Encryption peers() {
        return port(settings.peers(), members, "forwarding port");
    }

    DialedEncryption dialing() {
        return members == null
                ? DialedEncryption.NONE
                : new TlsDialing(
                        members,
                        settings.peers() == TlsMode.BOTH,
                        new RefusalLog("TLS to other nodes", System::nanoTime));
    }

    private static Encryption port(TlsMode mode, @Nullable TlsContext context, String name) {
        return mode == TlsMode.OFF || context == null
                ? Encryption.NONE
                : new TlsPort(context, mode == TlsMode.BOTH, new RefusalLog(name, System::nanoTime));
    }

    /** Reads the files again; blocks. See {@link io.dshm.server.admin.NodeInfo#reloadTls}. */
    String reload() throws RefusedException {
        List<TlsContext> all = contexts().toList();
        if (all.isEmpty()) {
            throw new RefusedException(RefusedException.REFUSED, "this node uses no TLS; see tls and peer-tls");
        }
        List<String> used = new ArrayList<>();
        for (TlsContext context : all) {
            try {
                used.add(context.reload());
            } catch (IOException e) {
                throw new RefusedException(
                        RefusedException.REFUSED,
                        "the files are not used, those before them still are: " + e.getMessage());
            }
        }
        return used.stream().distinct().collect(Collectors.joining("; "));
    }

    /** For operators: for how many days the certificates are valid, and what is wrong with new files. */
    Map<String, Object> status() {
        Map<String, Object> fields = new LinkedHashMap<>();
        if (clients != null) {
            fields.put("tlsDaysLeft", clients.daysLeft());
        }
        if (members != null) {
            fields.put("peerTlsDaysLeft", members.daysLeft());
        }
        String problem = contexts()
                .map(TlsContext::problem)
                .filter(Objects::nonNull)
                .distinct()
                .collect(Collectors.joining("; "));
        if (!problem.isEmpty()) {
            fields.put("tlsProblem", problem);
        }
        return fields;
    }

    @Override
    public void close() {
        looking.shutdownNow();
    }
}
