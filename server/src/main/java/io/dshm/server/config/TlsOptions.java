package io.dshm.server.config;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The keys about TLS; part of {@link ServerOptions}. */
final class TlsOptions {

    @Option(
            names = "--tls",
            paramLabel = "MODE",
            defaultValue = "OFF",
            description =
                    "What the clients' port takes: off = plain connections; on = TLS; both, while clients change over (default: off).")
    TlsMode tls = TlsMode.OFF;

    @Option(
            names = "--sharedance-tls",
            paramLabel = "MODE",
            defaultValue = "OFF",
            description =
                    "The same of the port for Sharedance clients. PHP cannot tell with TLS whether a session is gone or a node has no answer (default: off).")
    TlsMode sharedanceTls = TlsMode.OFF;

    @Option(
            names = "--admin-tls",
            paramLabel = "MODE",
            description = "The same of the port for operators (default: as tls).")
    @Nullable
    TlsMode adminTls;

    @Option(
            names = "--tls-certificate",
            paramLabel = "FILE",
            description =
                    "This node's certificate as PEM, with those between it and an authority's. The files are read again when they change.")
    @Nullable
    Path tlsCertificate;

    @Option(
            names = "--tls-key",
            paramLabel = "FILE",
            description = "Its private key as PEM (PKCS#8, without a passphrase).")
    @Nullable
    Path tlsKey;

    @Option(
            names = "--tls-ca",
            paramLabel = "FILE",
            description =
                    "Certificates of the authorities whose certificates are believed, as PEM; two while one takes over from the other.")
    @Nullable
    Path tlsCa;

    @Option(
            names = "--tls-client-certificates",
            paramLabel = "MODE",
            defaultValue = "OFF",
            description =
                    "Whether clients show a certificate of these authorities: off = they are not asked; wanted = they may; needed = who has none is refused (default: off).")
    ClientCertificates tlsClientCertificates = ClientCertificates.OFF;

    @Option(
            names = "--peer-tls",
            paramLabel = "MODE",
            defaultValue = "OFF",
            description =
                    "Connections between nodes: off = plain; on = TLS, each side with a certificate for its name or host among the members; both, while nodes change over (default: off).")
    TlsMode peerTls = TlsMode.OFF;

    @Option(
            names = "--peer-certificate",
            paramLabel = "FILE",
            description = "This node's certificate for other nodes (default: as tls-certificate).")
    @Nullable
    Path peerCertificate;

    @Option(names = "--peer-key", paramLabel = "FILE", description = "Its private key (default: as tls-key).")
    @Nullable
    Path peerKey;

    @Option(
            names = "--peer-ca",
            paramLabel = "FILE",
            description = "The authorities of the other nodes' certificates (default: as tls-ca).")
    @Nullable
    Path peerCa;

    @Option(
            names = "--insecure-peers",
            paramLabel = "BOOLEAN",
            arity = "1",
            defaultValue = "false",
            description =
                    "Whether this node may listen for the others on other than a loopback address although peer-tls is not on. Who reaches that port can then read and change everything: only for a network that nobody else reaches (default: ${DEFAULT-VALUE}).")
    boolean insecurePeers;

    @Option(
            names = "--tls-reload-seconds",
            paramLabel = "N",
            defaultValue = "10",
            description =
                    "How often the node looks whether these files have changed; 0 = only when dshm tls reload asks for it (default: ${DEFAULT-VALUE}).")
    int tlsReloadSeconds;

    /** The settings, validated. */
    ServerConfig.Tls toConfig() {
        ServerOptions.require(tlsReloadSeconds, 0, 86_400, "tls-reload-seconds");
        TlsMode admin = adminTls == null ? tls : adminTls;
        boolean clients = tls != TlsMode.OFF || sharedanceTls != TlsMode.OFF || admin != TlsMode.OFF;
        boolean asks = tlsClientCertificates != ClientCertificates.OFF;
        if (asks && !clients) {
            throw new ConfigException("tls-client-certificates: clients can show one with TLS only; tls is off");
        }
        return new ServerConfig.Tls(
                tls,
                sharedanceTls,
                admin,
                peerTls,
                insecurePeers,
                clients
                        ? files(
                                "TLS for clients",
                                named("tls-certificate", tlsCertificate),
                                named("tls-key", tlsKey),
                                named("tls-ca", asks ? tlsCa : null),
                                asks)
                        : null,
                tlsClientCertificates,
                peerTls == TlsMode.OFF
                        ? null
                        : files(
                                "peer-tls",
                                named("peer-certificate or tls-certificate", first(peerCertificate, tlsCertificate)),
                                named("peer-key or tls-key", first(peerKey, tlsKey)),
                                named("peer-ca or tls-ca", first(peerCa, tlsCa)),
                                true),
                tlsReloadSeconds);
    }

    private record Named(String key, @Nullable Path file) {

        Path absolute(String who) {
            if (file == null) {
                throw new ConfigException(who + " needs " + key + "; deploy/bin/dshm-certs makes files for a test");
            }
            return file.toAbsolutePath().normalize();
        }
    }

    private static Named named(String key, @Nullable Path file) {
        return new Named(key, file);
    }

    private static @Nullable Path first(@Nullable Path file, @Nullable Path other) {
        return file == null ? other : file;
    }

    private static ServerConfig.Pem files(String who, Named certificate, Named key, Named authorities, boolean checks) {
        return new ServerConfig.Pem(
                certificate.absolute(who), key.absolute(who), checks ? authorities.absolute(who) : null);
    }
}
