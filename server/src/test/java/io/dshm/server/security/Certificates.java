package io.dshm.server.security;

import io.dshm.proto.Pem;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedKeyManager;
import org.jspecify.annotations.Nullable;

/** An authority with what it has signed, made by {@code deploy/bin/dshm-certs} in a folder. */
public final class Certificates {

    private static final Path COMMAND =
            Path.of("../deploy/bin/dshm-certs").toAbsolutePath().normalize();

    private final Path folder;

    /** Makes an authority in that folder, unless there is one. */
    public Certificates(Path folder) throws IOException, InterruptedException {
        this.folder = folder;
        if (!Files.exists(authority())) {
            run("ca");
        }
    }

    private void run(String... words) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(COMMAND.toString(), folder.toString()));
        command.addAll(List.of(words));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException(command + ": " + output);
        }
    }

    /** Makes a node's certificate, or a new one. */
    public Certificates node(String name, String... hosts) throws IOException, InterruptedException {
        List<String> words = new ArrayList<>(List.of("node", name));
        words.addAll(List.of(hosts));
        run(words.toArray(new String[0]));
        return this;
    }

    /** Makes a node's certificate that has expired. */
    public Certificates expired(String name, String host) throws IOException, InterruptedException {
        run("node", name, host, "--days", "-1");
        return this;
    }

    public Path authority() {
        return folder.resolve("ca.pem");
    }

    public Path certificate(String name) {
        return folder.resolve(name + ".pem");
    }

    public Path key(String name) {
        return folder.resolve(name + ".key");
    }

    /** Certificate, key and authority of that name. */
    public TlsFiles files(String name) {
        return new TlsFiles(certificate(name), key(name), authority());
    }

    /** Puts another authority's files in the place of this one's, of that name. */
    public void replace(String name, Certificates with) throws IOException {
        Files.copy(with.certificate(name), certificate(name), StandardCopyOption.REPLACE_EXISTING);
        Files.copy(with.key(name), key(name), StandardCopyOption.REPLACE_EXISTING);
    }

    /** What a client uses that believes this authority and shows no certificate. */
    public SSLContext client() throws GeneralSecurityException, IOException {
        return client(this, null);
    }

    /** What a client uses that believes this authority and shows that certificate of another one; none if the name is null. */
    public SSLContext client(Certificates own, @Nullable String name) throws GeneralSecurityException, IOException {
        KeyStore believed = KeyStore.getInstance(KeyStore.getDefaultType());
        believed.load(null, null);
        for (X509Certificate certificate : Pem.certificates(authority())) {
            believed.setCertificateEntry(certificate.getSubjectX500Principal().getName(), certificate);
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(believed);
        KeyManager[] keys = name == null ? null : new KeyManager[] {new Shown(TlsMaterial.read(own.files(name)))};
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys, trust.getTrustManagers(), null);
        return context;
    }

    /** Shows its certificate whatever authorities the server asks for, as the JDK's own does not. */
    private static final class Shown extends X509ExtendedKeyManager {

        private final TlsMaterial material;

        Shown(TlsMaterial material) {
            this.material = material;
        }

        @Override
        public String[] getClientAliases(String kind, Principal[] issuers) {
            return new String[] {"own"};
        }

        @Override
        public String chooseClientAlias(String[] kinds, Principal[] issuers, Socket socket) {
            return "own";
        }

        @Override
        public String[] getServerAliases(String kind, Principal[] issuers) {
            return new String[0];
        }

        @Override
        public String chooseServerAlias(String kind, Principal[] issuers, Socket socket) {
            throw new IllegalStateException("no server");
        }

        @Override
        public X509Certificate[] getCertificateChain(String alias) {
            return material.chain().toArray(new X509Certificate[0]);
        }

        @Override
        public PrivateKey getPrivateKey(String alias) {
            return material.key();
        }
    }
}
