package io.dshm.server;

import io.dshm.server.config.ServerConfig;
import io.dshm.server.config.TlsMode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What strangers may reach. */
final class OpenPorts {

    private static final Logger LOG = LoggerFactory.getLogger(OpenPorts.class);

    private final ServerConfig config;

    OpenPorts(ServerConfig config) {
        this.config = config;
    }

    /**
     * Says which of the clients' ports are open to other machines without TLS.
     *
     * @throws IOException if that between nodes would be; the message is for operators
     */
    void check() throws IOException {
        ServerConfig.Tls tls = config.tls();
        String peers = config.raftBindAddress();
        if (config.membersNamed() && isOpen(peers, tls.peers()) && !tls.insecurePeers()) {
            throw new IOException("other machines reach the ports between nodes (" + peers
                    + "), and who reaches them can read and change everything, because peer-tls is "
                    + (tls.peers() == TlsMode.OFF ? "off" : "both")
                    + ". Set peer-tls=on, with a certificate for each node; or, if nobody but the nodes is on that network,"
                    + " insecure-peers=true (deploy/HARDENING.md)");
        }
        warn("clients", "port", config.bindAddress(), config.port(), "tls", tls.clients());
        warn(
                "Sharedance clients",
                "sharedance-port",
                config.sharedance().address(),
                config.sharedance().port(),
                "sharedance-tls",
                tls.sharedance());
        warn("operators", "admin-port", config.adminAddress(), config.adminPort(), "admin-tls", tls.admin());
    }

    private static void warn(String who, String key, String address, int port, String tlsKey, TlsMode mode) {
        if (port != 0 && isOpen(address, mode)) {
            LOG.warn(
                    "{} {} takes plain connections of {} on {}, which other machines reach: set {}=on, or see that only"
                            + " the right ones do (deploy/HARDENING.md)",
                    key,
                    port,
                    who,
                    address,
                    tlsKey);
        }
    }

    /**
     * Whether other machines get in there without TLS. An address that is not found fails later, with its own message.
     */
    private static boolean isOpen(String address, TlsMode mode) {
        InetAddress found = new InetSocketAddress(address, 0).getAddress();
        return mode != TlsMode.ON && found != null && !found.isLoopbackAddress();
    }
}
