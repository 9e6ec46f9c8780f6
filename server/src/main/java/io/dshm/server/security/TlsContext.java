package io.dshm.server.security;

import io.dshm.proto.Limits;
import io.dshm.proto.PemException;
import io.dshm.server.guard.SeldomLogged;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import io.netty.util.concurrent.FastThreadLocal;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Certificates and keys for new connections. New files are used if they are valid; otherwise the old ones stay.
 * Open connections keep what they began with. Thread-safe.
 *
 * <p>TLS 1.2 or newer, with ciphers that have forward secrecy and integrity: a key that leaks later reveals nothing
 * that was said before, and every changed byte is noticed. Uses the JDK's implementation.
 */
public final class TlsContext {

    private static final Logger LOG = LoggerFactory.getLogger(TlsContext.class);

    private static final List<String> VERSIONS = List.of("TLSv1.3", "TLSv1.2");

    /** AES with 128 bits first: it is the fastest, and enough. */
    private static final List<String> CIPHERS = List.of(
            "TLS_AES_128_GCM_SHA256",
            "TLS_AES_256_GCM_SHA384",
            "TLS_CHACHA20_POLY1305_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
            "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256");

    /** Members' sessions are never resumed: as few as possible are kept, for a second; see {@link #dialing}. */
    private static final int MEMBER_SESSION_SECONDS = 1;

    private static final int MEMBER_SESSIONS = 1;

    private static final Duration EXPIRY_LINE = Duration.ofDays(1);

    /** Makes the contexts from the content of the files. */
    @FunctionalInterface
    private interface Builder {
        Contexts build(TlsMaterial material) throws GeneralSecurityException, IOException;
    }

    /** @param dialing null if nobody makes connections with it */
    private record Contexts(SslContext accepting, @Nullable SslContext dialing) {}

    private record Current(TlsMaterial material, Contexts contexts) {}

    private final String whose;
    private final TlsFiles files;
    private final Builder builder;
    private final @Nullable MemberCertificates members;
    private final Executor handshakes;
    private final Supplier<Instant> clock;
    private final SeldomLogged expiry = new SeldomLogged(System::nanoTime, EXPIRY_LINE);

    /** Of each event loop. */
    private final FastThreadLocal<TlsRoom> rooms;

    /** How many connections this node has made with it. */
    private final AtomicInteger dialed = new AtomicInteger();

    private volatile Current current;

    // Under this object's lock:
    private List<Object> signature;
    private @Nullable String problem;

    private TlsContext(
            String whose,
            TlsFiles files,
            Builder builder,
            @Nullable MemberCertificates members,
            Executor handshakes,
            long roomBytes,
            Supplier<Instant> clock)
            throws IOException {
        this.whose = whose;
        this.files = files;
        this.builder = builder;
        this.members = members;
        this.handshakes = handshakes;
        this.rooms = new FastThreadLocal<>() {
            @Override
            protected TlsRoom initialValue() {
                return new TlsRoom(roomBytes);
            }
        };
        this.clock = clock;
        this.signature = files.signature();
        this.current = load();
        log(current.material);
        String late = TlsMaterial.dateProblem(files, current.material.certificate(), clock.get());
        if (late != null) {
            // The node starts all the same: peers that check the certificate refuse it in any case.
            LOG.warn("{}: {}", whose, late);
        }
    }

    /**
     * For the clients' ports.
     *
     * @param clients whether clients must show a certificate
     * @param handshakes runs the slow parts of handshakes; tasks must not wait for each other
     * @param roomBytes what unfinished records and handshakes of one event loop's connections may hold together
     * @throws PemException if a file cannot be used
     */
    public static TlsContext forClients(
            TlsFiles files, ClientAuth clients, Executor handshakes, long roomBytes, Supplier<Instant> clock)
            throws IOException {
        return new TlsContext(
                "clients' TLS",
                files,
                material -> {
                    SslContextBuilder context = builder(SslContextBuilder.forServer(material.key(), material.chain()))
                            .clientAuth(clients);
                    if (clients != ClientAuth.NONE) {
                        context.trustManager(material.authorities());
                    }
                    return new Contexts(context.build(), null);
                },
                null,
                handshakes,
                roomBytes,
                clock);
    }

    /**
     * For the connections between nodes.
     *
     * @param self this node's name, which its certificate must have as well
     * @param handshakes see {@link #forClients}
     * @param roomBytes see {@link #forClients}
     * @throws PemException if a file cannot be used
     */
    public static TlsContext forMembers(
            TlsFiles files,
            MemberCertificates members,
            String self,
            Executor handshakes,
            long roomBytes,
            Supplier<Instant> clock)
            throws IOException {
        TlsContext made = new TlsContext(
                "TLS between nodes",
                files,
                material -> {
                    if (!members.isFor(material.certificate(), self)) {
                        throw new PemException(files.certificate() + ": the certificate is for "
                                + new TreeSet<>(MemberCertificates.names(material.certificate()))
                                + ", and the other nodes expect one for " + self + " or "
                                + members.hosts().get().get(self));
                    }
                    MemberTrust trust = new MemberTrust(trustIn(material.authorities()), members);
                    return new Contexts(
                            builder(SslContextBuilder.forServer(material.key(), material.chain()))
                                    .clientAuth(ClientAuth.REQUIRE)
                                    .trustManager(trust)
                                    .sessionTimeout(MEMBER_SESSION_SECONDS)
                                    .sessionCacheSize(MEMBER_SESSIONS)
                                    .build(),
                            builder(SslContextBuilder.forClient().keyManager(material.key(), material.chain()))
                                    .trustManager(trust)
                                    .sessionTimeout(MEMBER_SESSION_SECONDS)
                                    .sessionCacheSize(MEMBER_SESSIONS)
                                    .build());
                },
                members,
                handshakes,
                roomBytes,
                clock);
        made.makeFirstHandshake(self);
        return made;
    }

    /** A check at the start that only warns: other nodes report a bad certificate, too. */
    private void makeFirstHandshake(String self) {
        Contexts contexts = current.contexts;
        try {
            FirstHandshake.make(Objects.requireNonNull(contexts.dialing), contexts.accepting, self);
        } catch (SSLException e) {
            LOG.warn("{}: this node's certificate does not pass its own check: {}", whose, TlsFailures.reason(e));
        }
    }

    private static SslContextBuilder builder(SslContextBuilder begun) {
        return begun.sslProvider(SslProvider.JDK).protocols(VERSIONS).ciphers(CIPHERS);
    }

    private static X509TrustManager trustIn(List<X509Certificate> authorities)
            throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        for (int i = 0; i < authorities.size(); i++) {
            store.setCertificateEntry("ca" + i, authorities.get(i));
        }
        TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
        factory.init(store);
        return (X509TrustManager) factory.getTrustManagers()[0];
    }

    /** For a connection that this node has accepted. On its event loop. */
    SslHandler accepting(ByteBufAllocator allocator) {
        return bounded(current.contexts.accepting.newEngine(allocator));
    }

    /**
     * For a connection that this node makes to that member. On its event loop.
     *
     * <p>No session is resumed: they are found by host and port, and the port given here differs each time. There are
     * few such connections, and each one must show its certificate.
     */
    SslHandler dialing(ByteBufAllocator allocator, String node) {
        SslContext dialing = current.contexts.dialing;
        if (dialing == null) {
            throw new IllegalStateException("nobody is dialed with " + whose);
        }
        return bounded(dialing.newEngine(allocator, node, dialed.incrementAndGet()));
    }

    private SslHandler bounded(SSLEngine engine) {
        SslHandler handler = new BoundedTls(engine, handshakes, rooms.get());
        handler.setHandshakeTimeout(Limits.TLS_HANDSHAKE_MILLIS_MAX, TimeUnit.MILLISECONDS);
        return handler;
    }

    /** Null if these certificates are not for members. */
    @Nullable
    MemberCertificates members() {
        return members;
    }

    /** Whole days for which this node's certificate is valid from now on; negative once it has expired. */
    public long daysLeft() {
        return Math.floorDiv(
                Duration.between(clock.get(), current.material.notAfter()).toSeconds(), 24 * 3600L);
    }

    /** What is wrong with the present files, while earlier ones are in use; null if nothing is wrong. */
    public synchronized @Nullable String problem() {
        return problem;
    }

    /** Checks whether the files have changed; blocks while it reads. Logs a problem once for each change. */
    public synchronized void look() {
        try {
            List<Object> now = files.signature();
            if (problem != null || !now.equals(signature)) {
                boolean isNew = !now.equals(signature);
                signature = now;
                String before = problem;
                take();
                if (problem != null && (isNew || !problem.equals(before))) {
                    LOG.warn("{}: the new files cannot be used, the earlier ones stay in use: {}", whose, problem);
                }
            }
        } catch (IOException e) {
            LOG.warn("{}: {}", whose, e.toString());
        }
        long days = daysLeft();
        if (days < Limits.TLS_EXPIRY_WARN_DAYS && expiry.next() > 0) {
            LOG.warn(
                    "{}: the certificate in {} {} (on {}). Put a new one there",
                    whose,
                    files.certificate(),
                    days < 0 ? "has expired" : "expires in " + days + " days",
                    current.material.notAfter());
        }
    }

    /**
     * Reads the files again; blocks.
     *
     * @return a sentence that says what is used now
     * @throws PemException if they cannot be used, and those before them still are
     */
    public synchronized String reload() throws IOException {
        signature = files.signature();
        take();
        if (problem != null) {
            throw new PemException(problem);
        }
        return describe(current.material);
    }

    private void take() {
        try {
            Current loaded = load();
            String late = TlsMaterial.dateProblem(files, loaded.material.certificate(), clock.get());
            if (late != null) {
                problem = late;
                return;
            }
            problem = null;
            current = loaded;
            log(loaded.material);
        } catch (IOException e) {
            problem = String.valueOf(e.getMessage());
        }
    }

    private Current load() throws IOException {
        TlsMaterial material = TlsMaterial.read(files);
        try {
            return new Current(material, builder.build(material));
        } catch (SSLException | GeneralSecurityException e) {
            throw new PemException(files + ": " + e.getMessage());
        }
    }

    private void log(TlsMaterial material) {
        LOG.info("{}: {}", whose, describe(material));
    }

    private String describe(TlsMaterial material) {
        Set<String> names = new TreeSet<>(MemberCertificates.names(material.certificate()));
        return files.certificate() + " is for " + names + ", valid until " + material.notAfter()
                + (material.authorities().isEmpty()
                        ? ""
                        : "; certificates of " + material.authorities().size() + " authorities are believed");
    }
}
