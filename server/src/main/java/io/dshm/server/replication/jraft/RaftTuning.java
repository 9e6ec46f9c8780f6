package io.dshm.server.replication.jraft;

import com.alipay.sofa.jraft.StateMachine;
import com.alipay.sofa.jraft.conf.Configuration;
import com.alipay.sofa.jraft.core.DefaultJRaftServiceFactory;
import com.alipay.sofa.jraft.option.NodeOptions;
import com.alipay.sofa.jraft.option.RaftOptions;
import com.alipay.sofa.jraft.option.ReadOnlyOption;
import com.alipay.sofa.jraft.storage.LogStorage;
import com.alipay.sofa.jraft.storage.RaftMetaStorage;
import com.alipay.sofa.jraft.util.StorageOptionsFactory;
import io.dshm.proto.Limits;
import io.dshm.server.replication.jraft.bolt.BoltTransport;
import io.dshm.server.replication.jraft.repairs.LastEntryLogStorage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.BiFunction;
import java.util.function.UnaryOperator;
import org.rocksdb.DBOptions;
import org.rocksdb.NativeLibraryLoader;
import org.rocksdb.RocksDB;
import org.rocksdb.WALRecoveryMode;

/** SOFAJRaft's settings, each with the reason why it is not the library's own. */
final class RaftTuning {

    /** Everything that is kept for other nodes is limited by it, because they may hang for any time. */
    private static final long HEAP_BYTES = Runtime.getRuntime().maxMemory();

    /** Requests with entries that a follower has not answered; as many as a round trip of 50 ms needs, and some more. */
    private static final int REQUESTS_IN_FLIGHT_MAX = 64;

    private static final int REQUESTS_IN_FLIGHT_MIN = 32;

    /** A node that begins alone may get so many. */
    private static final int FOLLOWERS_USUAL = 2;

    /** Bytes of entries in one request, unless a single entry is larger. */
    private static final int BODY_BYTES_MIN = 128 * 1024;

    /** The write-ahead log of the log storage; RocksDB would let it grow to a GiB. */
    private static final long WAL_BYTES_MAX = 256L * 1024 * 1024;

    /** Entries that the library keeps in memory for followers that are a little behind. */
    private static final long LOG_CACHE_BYTES_MAX = Math.min(256L * 1024 * 1024, HEAP_BYTES / 8);

    /** Added, at random, to the election timeout. Enough to keep two candidates from being in step again and again. */
    private static final int ELECTION_DELAY_MILLIS_MAX = 250;

    /** What RocksDB writes about itself, in files named LOG in the log's folder: so large each, and so many. */
    private static final long ROCKSDB_INFO_BYTES_MAX = 4L * 1024 * 1024;

    static final long ROCKSDB_INFO_FILES_MAX = 3;

    private RaftTuning() {}

    /** To be called before any class of the library's transport is loaded. */
    static void setProperties() {
        BoltTransport.setProperties();
        // Each thread that sends entries would keep up to 256 of the largest buffers that it ever used, for good.
        System.setProperty("jraft.max_collector_size_per_thread", "0");
        // Its generated messages are old, and newer protobuf runtimes say so once for each of them.
        System.setProperty("com.google.protobuf.use_unsafe_pre22_gencode", "true");
        // The pool for the library's own closures has no queue: it must never be full.
        System.setProperty("jraft.internal.closure.threadpool.size.max", "4096");
    }

    /** To be called before RocksDB is used; with a node's data folder. */
    static void loadLibrary(Path folder) throws IOException {
        // Into a folder of this node's own: the default is the temporary folder, where every hard kill leaves a copy.
        Path libraries = Files.createDirectories(folder.resolve("lib"));
        NativeLibraryLoader.getInstance().loadLibrary(libraries.toString());
        RocksDB.loadLibrary();
    }

    /** So that requests in flight to all followers, as large as they usually are at most, take an eighth of the heap. */
    static int requestsInFlightMax(long heapBytes) {
        return heapBytes < 1024L * 1024 * 1024 ? REQUESTS_IN_FLIGHT_MIN : REQUESTS_IN_FLIGHT_MAX;
    }

    static int bodyBytesMax(long heapBytes, int followers) {
        long share = heapBytes / 8 / requestsInFlightMax(heapBytes) / Math.max(1, followers);
        return (int) Math.max(BODY_BYTES_MIN, Math.min(Limits.RAFT_BODY_BYTES_MAX, share));
    }

    /** Of the log's storage. */
    static DBOptions logOptions() {
        return StorageOptionsFactory.getDefaultRocksDBOptions()
                .setMaxTotalWalSize(WAL_BYTES_MAX)
                .setMaxLogFileSize(ROCKSDB_INFO_BYTES_MAX)
                .setKeepLogFileNum(ROCKSDB_INFO_FILES_MAX)
                // Half a record at the very end is what a power cut leaves. Anything else is damage, and to go on
                // before
                // it, as RocksDB would by itself, forgets entries that this node has acknowledged.
                .setWalRecoveryMode(WALRecoveryMode.TolerateCorruptedTailRecords);
    }

    /**
     * What a node of the group is to do.
     *
     * @param members the group's first configuration; what is in the log counts more
     * @param options to be filled: what the transport needs is in them already
     * @param terms where term and vote are kept, by the folder's path and the settings
     * @param checkedLog puts a check of the log before it
     */
    static NodeOptions nodeOptions(
            RaftGroup.Settings settings,
            Configuration members,
            StateMachine applying,
            NodeOptions options,
            BiFunction<String, RaftOptions, RaftMetaStorage> terms,
            UnaryOperator<LogStorage> checkedLog) {
        RaftOptions raft = new RaftOptions();
        raft.setSync(true);
        raft.setApplyBatch(512);
        raft.setMaxReplicatorInflightMsgs(requestsInFlightMax(HEAP_BYTES));
        raft.setMaxBodySize(bodyBytesMax(
                HEAP_BYTES, Math.max(FOLLOWERS_USUAL, settings.peers().size() - 1)));
        raft.setMaxByteCountPerRpc(Limits.RAFT_CHUNK_BYTES);
        raft.setMaxLogsInMemoryBytes(LOG_CACHE_BYTES_MAX);
        raft.setMaxElectionDelayMs(ELECTION_DELAY_MILLIS_MAX);
        raft.setReadOnlyOptions(ReadOnlyOption.ReadOnlySafe);
        // RocksDB checks its own sums over every block and record it reads; a second one would cost a fifth of the
        // speed.
        raft.setEnableLogEntryChecksum(false);
        options.setRaftOptions(raft);
        options.setInitialConf(members);
        options.setFsm(applying);
        options.setElectionTimeoutMs(settings.electionTimeoutMillis());
        options.setSnapshotIntervalSecs(settings.snapshotIntervalSeconds());
        options.setFilterBeforeCopyRemote(true);
        options.setDisableCli(true);
        options.setTimerPoolSize(2);
        // The shared timers wait for the next deadline; each of the others wakes a thread every millisecond.
        options.setSharedElectionTimer(true);
        options.setSharedVoteTimer(true);
        options.setSharedStepDownTimer(true);
        options.setSharedSnapshotTimer(true);
        options.setLogUri(settings.folder().resolve(DataParts.LOG).toString());
        options.setRaftMetaUri(settings.folder().resolve(DataParts.META).toString());
        options.setSnapshotUri(settings.folder().resolve(DataParts.SNAPSHOT).toString());
        options.setServiceFactory(new DefaultJRaftServiceFactory() {
            @Override
            public LogStorage createLogStorage(String uri, RaftOptions raftOptions) {
                return new LastEntryLogStorage(checkedLog.apply(super.createLogStorage(uri, raftOptions)));
            }

            @Override
            public RaftMetaStorage createRaftMetaStorage(String uri, RaftOptions raftOptions) {
                return terms.apply(uri, raftOptions);
            }
        });
        return options;
    }
}
