package io.dshm.server.config;

import io.dshm.proto.Limits;
import io.dshm.proto.ReadMode;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * Every configuration key, with its documentation and its default. A key {@code some-key} is the flag
 * {@code --some-key}, the environment variable {@code DSHM_SOME_KEY} and {@code some-key=...} in the configuration
 * file; the flag wins over the environment, the environment over the file.
 */
@Command(
        name = "dshm-server",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        header = {"DSHM: distributed shared memory for nginx and PHP, strictly consistent.", ""},
        description = {
            "",
            "Without options it runs one node on 127.0.0.1:4321 that keeps its data in ./dshm-data.",
            "",
            "A cluster of three: the same members on each node, and each node's own name.",
            "  dshm-server --node n1 \\",
            "    --members n1=10.0.0.1:7321,n2=10.0.0.2:7321,n3=10.0.0.3:7321",
            "Clients connect to the node beside them; any node takes any command.",
            "",
            "Every option can also be set in the environment (--some-key as DSHM_SOME_KEY)",
            "or in the file that --config names (some-key=value, a line each). A flag wins",
            "over the environment, and the environment over the file.",
            ""
        },
        footer = {
            "",
            "The properties -Dngx-distributed-shm.port, .bind_address and .log_dir of the",
            "older program work as well; so does a logback.xml in a folder named conf",
            "beside the jar.",
            "",
            "Exit status: 0 after SIGTERM or SIGINT, 1 if the node cannot start or has no",
            "file descriptor left, 2 for a wrong option, 70 if it stopped to protect your",
            "data (for example a failed disk, a damaged log, data of a newer version); the",
            "log says why."
        })
final class ServerOptions {

    @Option(names = "--config", paramLabel = "FILE", description = "A file with settings, one key=value a line.")
    @Nullable
    Path config;

    @Option(
            names = "--node",
            paramLabel = "NAME",
            defaultValue = "n1",
            description = "This node's name among the members (default: ${DEFAULT-VALUE}).")
    String node = "";

    @Option(
            names = "--members",
            paramLabel = "LIST",
            split = ",",
            description =
                    "All nodes, this one too, as name=host:raft-port: the same list on each node. Nodes talk to each other on the Raft port and on the "
                            + "forwarding port, which is the Raft port + 10 unless it follows after another colon. "
                            + "An IPv6 address stands in brackets: n1=[fd00::1]:7321. "
                            + "Without members, a single node.")
    @Nullable
    List<String> members;

    @Option(
            names = "--cluster",
            paramLabel = "ID",
            defaultValue = "dshm",
            description = "Nodes of clusters with different ids do not talk to each other (default: ${DEFAULT-VALUE}).")
    String cluster = "";

    @Option(
            names = "--data-dir",
            paramLabel = "FOLDER",
            defaultValue = "dshm-data",
            description =
                    "Where this node keeps its log and snapshots; its own folder, on a local disk (default: ${DEFAULT-VALUE}).")
    Path dataDir = Path.of("");

    @Option(
            names = "--bind-address",
            paramLabel = "ADDRESS",
            defaultValue = "127.0.0.1",
            description = "Where to listen for clients (default: ${DEFAULT-VALUE}).")
    String bindAddress = "";

    @Option(
            names = "--port",
            paramLabel = "PORT",
            defaultValue = "4321",
            description = "Port for clients (default: ${DEFAULT-VALUE}).")
    int port;

    @Option(
            names = "--raft-bind-address",
            paramLabel = "ADDRESS",
            description = "Where to listen for the other nodes (default: this member's host).")
    @Nullable
    String raftBindAddress;

    @Option(
            names = "--peer-address-check",
            paramLabel = "BOOLEAN",
            arity = "1",
            defaultValue = "true",
            description =
                    "Whether connections from an address that no member's host has are refused, on the ports for members; not where members come through address translation (default: ${DEFAULT-VALUE}).")
    boolean peerAddressCheck;

    @Mixin
    TlsOptions tls = new TlsOptions();

    @Option(
            names = "--admin-address",
            paramLabel = "ADDRESS",
            defaultValue = "127.0.0.1",
            description = "Where to listen for operators, over HTTP (default: ${DEFAULT-VALUE}).")
    String adminAddress = "";

    @Option(
            names = "--admin-port",
            paramLabel = "PORT",
            defaultValue = "0",
            description =
                    "Port for operators: /health, /metrics, /status, /digest, /snapshot, /cluster; who reaches it, with the token if there is one, may change the members; 0 = none (default: ${DEFAULT-VALUE}).")
    int adminPort;

    @Option(
            names = "--admin-token-file",
            paramLabel = "FILE",
            description =
                    "A file with the secret that requests to the admin port need, except for /health, /livez and /readyz. Required unless admin-address is a loopback address.")
    @Nullable
    Path adminTokenFile;

    @Option(
            names = "--sharedance-port",
            paramLabel = "PORT",
            defaultValue = "0",
            description =
                    "Port for clients that speak the Sharedance protocol, usually 1042; 0 = none (default: ${DEFAULT-VALUE}).")
    int sharedancePort;

    @Option(
            names = "--sharedance-address",
            paramLabel = "ADDRESS",
            defaultValue = "127.0.0.1",
            description = "Where to listen for them (default: ${DEFAULT-VALUE}).")
    String sharedanceAddress = "";

    @Option(
            names = "--sharedance-backlog",
            paramLabel = "N",
            defaultValue = "4096",
            description = "How many of them may wait to be accepted (default: ${DEFAULT-VALUE}).")
    int sharedanceBacklog;

    @Option(
            names = "--sharedance-expiration-seconds",
            paramLabel = "N",
            defaultValue = "1800",
            description =
                    "How long what they store lives; storing it again extends that, fetching does not (default: ${DEFAULT-VALUE}).")
    int sharedanceExpirationSeconds;

    @Option(
            names = "--sharedance-read-mode",
            paramLabel = "MODE",
            defaultValue = "LINEARIZABLE",
            description =
                    "What a fetch may miss: linearizable = nothing, for a question to a majority, so a session is seen wherever the next request lands; local = what other nodes acknowledged a moment ago, faster (default: linearizable).")
    ReadMode sharedanceReadMode = ReadMode.LINEARIZABLE;

    @Option(
            names = "--sharedance-user",
            paramLabel = "NAME",
            defaultValue = "",
            description =
                    "As which user of the cluster these clients act, who cannot say AUTH: while auth is on, they may do what it may do in the region sharedance, and without a user nothing (default: none).")
    String sharedanceUser = "";

    @Option(
            names = "--sharedance-clients",
            paramLabel = "ADDRESS",
            split = ",",
            description =
                    "From which addresses or networks, such as 10.0.0.0/8, these clients may come, separated by commas (default: all).")
    List<String> sharedanceClients = List.of();

    @Option(
            names = "--sharedance-timeout-seconds",
            paramLabel = "N",
            defaultValue = "60",
            description = "One of them that sends nothing for so long is disconnected (default: ${DEFAULT-VALUE}).")
    int sharedanceTimeoutSeconds;

    @Option(
            names = "--sharedance-value-bytes-max",
            paramLabel = "N",
            defaultValue = "" + Limits.VALUE_BYTES_MAX,
            description = "The most they may store under a key (default and most: ${DEFAULT-VALUE}, 32 MiB).")
    int sharedanceValueBytesMax;

    @Option(
            names = "--log-dir",
            paramLabel = "FOLDER",
            description = "Write the log to ngx-dshm.log in this folder, a file a day, instead of the terminal.")
    @Nullable
    Path logDir;

    /** How the log's lines look. */
    enum LogFormat {
        TEXT,
        JSON
    }

    @Option(
            names = "--log-format",
            paramLabel = "FORMAT",
            defaultValue = "TEXT",
            description =
                    "text = lines for people; json = an object a line, for programs that collect logs (default: text).")
    LogFormat logFormat = LogFormat.TEXT;

    @Option(
            names = "--request-timeout-millis",
            paramLabel = "N",
            defaultValue = "5000",
            description =
                    "After which a client is told that a command could not be carried out in time (default: ${DEFAULT-VALUE}).")
    int requestTimeoutMillis;

    @Option(
            names = "--read-mode",
            paramLabel = "MODE",
            defaultValue = "LOCAL",
            description =
                    "What a read may miss, unless its connection or the read itself says otherwise: local = what other nodes acknowledged a moment ago; linearizable = nothing, for a question to a majority (default: local).")
    ReadMode readMode = ReadMode.LOCAL;

    @Option(
            names = "--max-staleness-millis",
            paramLabel = "N",
            defaultValue = "0",
            description =
                    "A local read is not answered from a state that may be older than this: a node that is cut off refuses it with no_leader; 0 = it answers for ever (default: ${DEFAULT-VALUE}).")
    int maxStalenessMillis;

    @Option(
            names = "--election-timeout-millis",
            paramLabel = "N",
            defaultValue = "750",
            description =
                    "Silence of the leader after which others may elect another one; they do within two and a half times as long (default: ${DEFAULT-VALUE}).")
    int electionTimeoutMillis;

    @Option(
            names = "--snapshot-interval-seconds",
            paramLabel = "N",
            defaultValue = "3600",
            description = "How often a snapshot is taken, if anything was written (default: ${DEFAULT-VALUE}).")
    int snapshotIntervalSeconds;

    @Option(
            names = "--snapshot-log-bytes",
            paramLabel = "N",
            defaultValue = "268435456",
            description =
                    "And after how much was written to the log, at the latest; before, as soon as that is more than the"
                            + " last snapshot and than 64 MiB (default: ${DEFAULT-VALUE}, 256 MiB).")
    long snapshotLogBytes;

    @Option(
            names = "--backup-dir",
            paramLabel = "FOLDER",
            description =
                    "Where this node puts a backup of all data in regular intervals, best on another disk; several nodes may have the same. Without it, none.")
    @Nullable
    Path backupDir;

    @Option(
            names = "--backup-interval-seconds",
            paramLabel = "N",
            defaultValue = "3600",
            description = "How often (default: ${DEFAULT-VALUE}).")
    int backupIntervalSeconds;

    @Option(
            names = "--backup-keep",
            paramLabel = "N",
            defaultValue = "24",
            description = "How many of its backups are kept; older ones are deleted (default: ${DEFAULT-VALUE}).")
    int backupKeep;

    @Option(
            names = "--backup-keep-seconds",
            paramLabel = "N",
            defaultValue = "0",
            description =
                    "How old its backups may become before they are deleted, but for the newest one; 0 = any age (default: ${DEFAULT-VALUE}).")
    long backupKeepSeconds;

    @Option(
            names = "--log-bytes-max",
            paramLabel = "N",
            defaultValue = "2147483648",
            description =
                    "What the log may take on the disk: snapshots are taken earlier, so that it is cut off by then (default: ${DEFAULT-VALUE}, 2 GiB).")
    long logBytesMax;

    @Option(
            names = "--disk-reserve-bytes",
            paramLabel = "N",
            defaultValue = "67108864",
            description =
                    "What a file keeps of the disk, so that a node whose disk is full can still take a snapshot. With less than half as much free beside it, writes get \"disk_full\" (default: ${DEFAULT-VALUE}, 64 MiB).")
    long diskReserveBytes;

    @Option(
            names = "--memory-bytes",
            paramLabel = "N",
            defaultValue = "0",
            description =
                    "What all data may take in memory; beyond, what would make it larger gets \"out_of_memory\". The smallest of all nodes counts. At most what the heap has room for, which is also the default (0): about three eighths of it (default: ${DEFAULT-VALUE}).")
    long memoryBytes;

    @Option(
            names = "--value-bytes-max",
            paramLabel = "N",
            defaultValue = "" + Limits.VALUE_BYTES_MAX,
            description = "The longest value (default and most: ${DEFAULT-VALUE}, 32 MiB).")
    int valueBytesMax;

    @Option(
            names = "--value-memory-bytes",
            paramLabel = "N",
            defaultValue = "0",
            description =
                    "What all clients' requests of more than 4 KiB together may hold in memory until they are answered, a MULTI 256 bytes more for each request in it; beyond, such a request gets \"busy\", and a Sharedance connection is reset. At most a quarter of the heap, or of the buffers outside of it (-XX:MaxDirectMemorySize) if that is less; 0 = an eighth (default: ${DEFAULT-VALUE}).")
    long valueMemoryBytes;

    @Option(
            names = "--reply-memory-bytes",
            paramLabel = "N",
            defaultValue = "0",
            description =
                    "What all replies together may hold in memory that wait for clients to read them; beyond, a read of a large value gets \"busy\", and clients that do not read are disconnected. At most a quarter of the heap, or of the buffers outside of it (-XX:MaxDirectMemorySize) if that is less; 0 = an eighth (default: ${DEFAULT-VALUE}).")
    long replyMemoryBytes;

    @Option(
            names = "--connections-max",
            paramLabel = "N",
            defaultValue = "10000",
            description = "How many clients may be connected (default: ${DEFAULT-VALUE}).")
    int connectionsMax;

    @Option(
            names = "--stall-seconds",
            paramLabel = "N",
            defaultValue = "60",
            description =
                    "A client that stops in the middle of a request, reads nothing of its replies, or does not say AUTH where it has to, for so long is disconnected (default: ${DEFAULT-VALUE}).")
    int stallSeconds;

    @Option(
            names = "--shutdown-seconds",
            paramLabel = "N",
            defaultValue = "10",
            description =
                    "How long a stop may take to hand over leadership and to answer what is under way (default: ${DEFAULT-VALUE}).")
    int shutdownSeconds;

    @Option(
            names = "--threads",
            paramLabel = "N",
            defaultValue = "0",
            description =
                    "Event loops; 0 = half as many as processors, Raft needs the others (default: ${DEFAULT-VALUE}).")
    int threads;

    /** The settings, validated. */
    ServerConfig toConfig() {
        require(port, 1, 65_535, "port");
        require(adminPort, 0, 65_535, "admin-port");
        require(requestTimeoutMillis, 100, (int) Limits.CLIENT_IDLE_MILLIS / 2, "request-timeout-millis");
        if (maxStalenessMillis != 0) {
            require(maxStalenessMillis, 100, 86_400_000, "max-staleness-millis");
        }
        require(electionTimeoutMillis, 100, 60_000, "election-timeout-millis");
        require(snapshotIntervalSeconds, 1, 30 * 24 * 3600, "snapshot-interval-seconds");
        require(snapshotLogBytes, 4096, Long.MAX_VALUE, "snapshot-log-bytes");
        require(backupIntervalSeconds, 1, 30 * 24 * 3600, "backup-interval-seconds");
        require(backupKeep, 1, 100_000, "backup-keep");
        require(backupKeepSeconds, 0, Integer.MAX_VALUE, "backup-keep-seconds");
        require(valueBytesMax, 1, Limits.VALUE_BYTES_MAX, "value-bytes-max");
        require(sharedancePort, 0, 65_535, "sharedance-port");
        require(sharedanceBacklog, 1, 1_000_000, "sharedance-backlog");
        require(sharedanceExpirationSeconds, 1, Integer.MAX_VALUE, "sharedance-expiration-seconds");
        require(sharedanceTimeoutSeconds, 1, 86_400, "sharedance-timeout-seconds");
        require(sharedanceValueBytesMax, 1, Limits.VALUE_BYTES_MAX, "sharedance-value-bytes-max");
        long memory = Limits.processMemoryBytes();
        long longest = Math.max(valueBytesMax, sharedancePort == 0 ? 0 : sharedanceValueBytesMax);
        long multi = Limits.MULTI_BYTES_MAX + (long) Limits.MULTI_REQUESTS_MAX * Limits.INNER_REQUEST_HEAP_BYTES;
        long valueMemory = partOf(memory, valueMemoryBytes, Math.max(longest, multi), "value-memory-bytes");
        long replyMemory = partOf(memory, replyMemoryBytes, longest, "reply-memory-bytes");
        require(logBytesMax, 512L << 20, Long.MAX_VALUE, "log-bytes-max");
        require(diskReserveBytes, 16L << 20, 1L << 40, "disk-reserve-bytes");
        if (memoryBytes != 0) {
            require(memoryBytes, Limits.STATE_BYTES_MAX_MIN, Long.MAX_VALUE, "memory-bytes");
        }
        require(connectionsMax, 1, 1_000_000, "connections-max");
        require(stallSeconds, 1, 86_400, "stall-seconds");
        require(shutdownSeconds, 1, 600, "shutdown-seconds");
        require(threads, 0, Limits.THREADS_MAX, "threads");
        List<Member> all = toMembers();
        Member self = all.stream()
                .filter(member -> member.name().equals(node))
                .findFirst()
                .orElseThrow(() -> new ConfigException("node: \"" + node + "\" is not among the members "
                        + all.stream().map(Member::name).toList()));
        if (adminPort != 0 && adminTokenFile == null && !isLoopback(adminAddress)) {
            throw new ConfigException("admin-address: on " + adminAddress
                    + " others could read all data and change the members: set admin-token-file, or 127.0.0.1");
        }
        if (!cluster.matches("[A-Za-z0-9_-]{1,64}")) {
            throw new ConfigException("cluster: \"" + cluster + "\" is not 1 to 64 letters, digits, _ and -");
        }
        return new ServerConfig(
                cluster,
                node,
                all,
                members != null && !members.isEmpty(),
                bindAddress,
                port,
                new ServerConfig.Sharedance(
                        sharedanceAddress,
                        sharedancePort,
                        sharedanceBacklog,
                        sharedanceExpirationSeconds,
                        sharedanceTimeoutSeconds,
                        sharedanceValueBytesMax,
                        sharedanceReadMode,
                        sharedanceUser,
                        List.copyOf(sharedanceClients)),
                raftBindAddress == null ? self.host() : raftBindAddress,
                peerAddressCheck,
                tls.toConfig(),
                adminAddress,
                adminPort,
                adminTokenFile == null ? null : adminTokenFile.toAbsolutePath().normalize(),
                dataDir.toAbsolutePath().normalize(),
                requestTimeoutMillis,
                readMode,
                maxStalenessMillis,
                electionTimeoutMillis,
                snapshotIntervalSeconds,
                snapshotLogBytes,
                new ServerConfig.Backups(
                        backupDir == null ? null : backupDir.toAbsolutePath().normalize(),
                        backupIntervalSeconds,
                        backupKeep,
                        backupKeepSeconds),
                new ServerConfig.Disk(logBytesMax, diskReserveBytes),
                memoryBytes,
                valueBytesMax,
                valueMemory,
                replyMemory,
                connectionsMax,
                stallSeconds,
                shutdownSeconds,
                threads == 0
                        ? Math.min(
                                Limits.THREADS_MAX,
                                Math.max(1, Runtime.getRuntime().availableProcessors() / 2))
                        : threads);
    }

    private static boolean isLoopback(String address) {
        try {
            return InetAddress.getByName(address).isLoopbackAddress();
        } catch (UnknownHostException e) {
            throw new ConfigException("admin-address: there is no host " + address);
        }
    }

    private List<Member> toMembers() {
        if (members == null || members.isEmpty()) {
            // Alone, a node listens for nobody; the address is only its name in its own log.
            return List.of(new Member(node, "127.0.0.1", 7321, 7331));
        }
        List<Member> all = members.stream().map(Member::parse).toList();
        Set<String> seen = new TreeSet<>();
        Stream<String> names = all.stream().map(Member::name);
        Stream<String> addresses =
                all.stream().flatMap(m -> Stream.of(m.raftAddress(), m.host() + ":" + m.forwardingPort()));
        Stream.concat(names, addresses).forEach(part -> {
            if (!seen.add(part)) {
                throw new ConfigException("members: " + part + " occurs twice");
            }
        });
        return all;
    }

    /** A setting that is a part of the memory; 0: an eighth. A value of the longest always fits. */
    private static long partOf(long memory, long setting, long least, String key) {
        long value = setting == 0 ? Math.max(memory / 8, least) : setting;
        long max = Math.max(memory / 4, least);
        if (value > max) {
            throw new ConfigException(key + ": " + value + " is more than " + max
                    + ", a quarter of the heap (-Xmx) or of the buffers outside of it (-XX:MaxDirectMemorySize)");
        }
        require(value, least, max, key);
        return value;
    }

    static void require(long value, long min, long max, String key) {
        if (value < min || value > max) {
            throw new ConfigException(
                    key + ": " + value + " is not " + (max == Long.MAX_VALUE ? "at least " + min : min + " to " + max));
        }
    }
}
