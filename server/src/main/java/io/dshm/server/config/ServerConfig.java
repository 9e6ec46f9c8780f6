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
        String adminAddress,
        int adminPort,
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
            ReadMode readMode) {}

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
