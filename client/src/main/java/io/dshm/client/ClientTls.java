package io.dshm.client;

import io.dshm.proto.Pem;
import java.io.IOException;
import java.net.Socket;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.List;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/**
 * How a client connects with TLS, at least 1.2. The node's certificate has to be of an authority that is believed, and
 * for the host that is connected to, or for {@link #withServerName another name}. Thread-safe.
 */
public final class ClientTls {

    private static final String[] VERSIONS = {"TLSv1.3", "TLSv1.2"};

    private final SSLContext context;
    private final @Nullable String serverName;

    private ClientTls(SSLContext context, @Nullable String serverName) {
        this.context = context;
        this.serverName = serverName;
    }

    /** With a context of the caller's own. */
    public static ClientTls of(SSLContext context) {
        return new ClientTls(context, null);
    }

    /**
     * With certificates and a key from PEM files, which are read once.
     *
     * @param authorities whose certificates are believed; null for those that the JVM believes
     * @param certificate of this client; null if it shows none, and then {@code key} as well
     * @throws IOException if a file cannot be used; a {@link io.dshm.proto.PemException} says which one and why
     */
    public static ClientTls ofPem(@Nullable Path authorities, @Nullable Path certificate, @Nullable Path key)
            throws IOException {
        if ((certificate == null) != (key == null)) {
            throw new IllegalArgumentException("a certificate and its key go together");
        }
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(
                    certificate == null || key == null ? null : shown(Pem.identity(certificate, key)),
                    authorities == null ? null : believed(Pem.certificates(authorities)),
                    null);
            return new ClientTls(context, null);
        } catch (GeneralSecurityException e) {
            throw new IOException("TLS cannot be used: " + e.getMessage(), e);
        }
    }

    private static TrustManager[] believed(List<X509Certificate> authorities)
            throws GeneralSecurityException, IOException {
        KeyStore store = emptyStore();
        for (int i = 0; i < authorities.size(); i++) {
            store.setCertificateEntry("ca" + i, authorities.get(i));
        }
        TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
        factory.init(store);
        return factory.getTrustManagers();
    }

    private static KeyManager[] shown(Pem.Identity identity) throws GeneralSecurityException, IOException {
        KeyStore store = emptyStore();
        store.setKeyEntry("own", identity.key(), new char[0], identity.chain().toArray(new X509Certificate[0]));
        KeyManagerFactory factory = KeyManagerFactory.getInstance("PKIX");
        factory.init(store, new char[0]);
        return factory.getKeyManagers();
    }

    private static KeyStore emptyStore() throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        return store;
    }

    /**
     * For a connection whose sockets a program reads and writes itself.
     *
     * @param host that is connected to, as it was named
     */
    public SSLEngine engine(String host, int port) {
        SSLEngine engine = context.createSSLEngine(serverName == null ? host : serverName, port);
        engine.setUseClientMode(true);
        engine.setSSLParameters(parameters(engine.getSSLParameters()));
        return engine;
    }

    private static SSLParameters parameters(SSLParameters parameters) {
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        parameters.setProtocols(VERSIONS);
        return parameters;
    }

    /** The same for nodes whose certificates are for that name, wherever they are. */
    public ClientTls withServerName(String name) {
        return new ClientTls(context, name);
    }

    /**
     * Shakes hands over a connected socket, whose time-out for reads holds for each step of it.
     *
     * @param host that it is connected to, as it was named
     * @throws IOException if the other side is not who it should be; the socket is closed then
     */
    public Socket over(Socket connected, String host) throws IOException {
        SSLSocket socket = (SSLSocket) context.getSocketFactory()
                .createSocket(connected, serverName == null ? host : serverName, connected.getPort(), true);
        boolean done = false;
        try {
            socket.setSSLParameters(parameters(socket.getSSLParameters()));
            socket.startHandshake();
            done = true;
            return socket;
        } finally {
            if (!done) {
                socket.close();
            }
        }
    }
}
