package io.dshm.server.config;

import io.dshm.proto.ReadMode;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * All settings of a node, validated. The keys, their meaning and their defaults stand in {@link ServerOptions}.
 *
 * @param members never empty here
 * @param membersNamed whether the setting names them; otherwise this node is alone, and nobody can join it
 * @param adminTokenFile null if requests to the admin port need no token: only where it listens on a loopback address
 * @param maxStalenessMillis 0 for no bound
 * @param memoryBytes of the state; 0 for what the heap has room for
 * @param threads event loops; never 0 here
 * @param raftBindAddress never empty here
 * @param peerAddressCheck whether connections from addresses that no member has are refused, on the ports for members
 */
public record ServerConfig(
        String cluster,
        String node,
        List<Member> members,
        boolean membersNamed,
        String bindAddress,
        int port,
        Sharedance sharedance,
        String raftBindAddress,
        boolean peerAddressCheck,
        Tls tls,
        String adminAddress,
        int adminPort,
        @Nullable Path adminTokenFile,
        Path dataDir,
        int requestTimeoutMillis,
        ReadMode readMode,
        int maxStalenessMillis,
        int electionTimeoutMillis,
        int snapshotIntervalSeconds,
        long snapshotLogBytes,
        Backups backups,
        Disk disk,
        long memoryBytes,
        int valueBytesMax,
        long valueMemoryBytes,
        long replyMemoryBytes,
        int connectionsMax,
        int stallSeconds,
        int shutdownSeconds,
        int threads) {

    /** What concerns clients that speak the Sharedance protocol; a {@code port} of 0 means that none may. */
    public record Sharedance(
            String address,
            int port,
            int backlog,
            int expirationSeconds,
            int timeoutSeconds,
            int valueBytesMax,
            ReadMode readMode,
            String user,
            List<String> clients) {}

    /**
     * What concerns TLS. The files of a side are there whenever its mode is not off.
     *
     * @param clients of the clients' port
     * @param sharedance of that for Sharedance clients
     * @param admin of that for operators
     * @param peers between nodes
     * @param insecurePeers whether nodes may listen for each other on other than the loopback address although they
     *     take plain connections
     * @param clientFiles for the three ports; null if none of them takes TLS
     * @param clientCertificates whether clients show one there; needs authorities
     * @param peerFiles for connections between nodes, authorities included; null if they are plain
     * @param reloadSeconds between two looks whether the files have changed; 0 for none
     */
    public record Tls(
            TlsMode clients,
            TlsMode sharedance,
            TlsMode admin,
            TlsMode peers,
            boolean insecurePeers,
            @Nullable Pem clientFiles,
            ClientCertificates clientCertificates,
            @Nullable Pem peerFiles,
            int reloadSeconds) {}

    /**
     * Files with certificates and a key.
     *
     * @param authorities null where nobody shows a certificate
     */
    public record Pem(Path certificate, Path key, @Nullable Path authorities) {}

    /**
     * What concerns backups that the node makes by itself: see {@link ServerOptions}.
     *
     * @param dir null for none
     * @param keepSeconds 0 for no bound
     */
    public record Backups(@Nullable Path dir, int intervalSeconds, int keep, long keepSeconds) {}

    /** What the data may take of the disk, and what is kept free there, in bytes: see {@link ServerOptions}. */
    public record Disk(long logBytesMax, long reserveBytes) {}

    /** This node among the members. */
    public Member self() {
        return members.stream()
                .filter(member -> member.name().equals(node))
                .findFirst()
                .orElseThrow();
    }
}
