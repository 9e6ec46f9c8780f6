package io.dshm.server.replication.jraft;

import com.alipay.sofa.jraft.StateMachine;
import com.alipay.sofa.jraft.conf.Configuration;
import com.alipay.sofa.jraft.core.DefaultJRaftServiceFactory;
import com.alipay.sofa.jraft.option.NodeOptions;
import com.alipay.sofa.jraft.option.RaftOptions;
import com.alipay.sofa.jraft.option.ReadOnlyOption;
import com.alipay.sofa.jraft.storage.LogStorage;
import com.alipay.sofa.jraft.storage.RaftMetaStorage;
import com.alipay.sofa.jraft.storage.SnapshotStorage;
import io.dshm.proto.Limits;
import io.dshm.server.replication.jraft.bolt.BoltTransport;
import io.dshm.server.replication.jraft.repairs.CheckedCopies;
import io.dshm.server.replication.jraft.repairs.LastEntryLogStorage;
import io.dshm.server.statemachine.SnapshotWriter;
import java.util.function.BiFunction;
import java.util.function.Function;

/** SOFAJRaft's settings, each with the reason why it is not the library's own. */
final class RaftTuning {

    /** Everything that is kept for other nodes is limited by it, because they may hang for any time. */
    private static final long MEMORY_BYTES = Limits.processMemoryBytes();

    /**
     * Requests with entries that a follower has not answered; as many as a round trip of 50 ms needs, and some more.
     */
    private static final int REQUESTS_IN_FLIGHT_MAX = 64;

    private static final int REQUESTS_IN_FLIGHT_MIN = 32;

    /** A node that begins alone may get so many. */
    private static final int FOLLOWERS_USUAL = 2;

    /**
     * Bytes of a snapshot's file that this node asks for at a time. It may ask for more, but a node of an earlier
     * version reads it into a buffer that grows step by step, so that four times as many take sixteen times as long;
     * and each thread that answers keeps a buffer of that size outside of the heap.
     */
    static final int PIECE_BYTES = 1024 * 1024;

    /** Bytes of entries in one request, unless a single entry is larger. */
    private static final int BODY_BYTES_MIN = 128 * 1024;

    /** Entries that the library keeps in memory for followers that are a little behind. */
    private static final long LOG_CACHE_BYTES_MAX =
            Math.min(256L * 1024 * 1024, Runtime.getRuntime().maxMemory() / 8);

    /** Added, at random, to the election timeout. Enough to keep two candidates from being in step again and again. */
    private static final int ELECTION_DELAY_MILLIS_MAX = 250;

    private RaftTuning() {}

    /** To be called before any class of the library's transport is loaded. */
    static void setProperties() {
        BoltTransport.setProperties();
        // Each thread that sends entries would keep up to 256 of the largest buffers that it ever used, for good.
        System.setProperty("jraft.max_collector_size_per_thread", "0");
        // Its generated messages are old, and newer protobuf runtimes say so once for each of them.
        System.setProperty("com.google.protobuf.use_unsafe_pre22_gencode", "true");
        // A file is read into a buffer that grows by so many bytes, and is copied as a whole each time: by 1 KiB, as
        // the library has it, a piece of 4 MiB is copied 4,096 times, which takes seconds.
        System.setProperty("jraft.byte_buf.size", Integer.toString(PIECE_BYTES));
        // The pool for the library's own closures has no queue: it must never be full.
        System.setProperty("jraft.internal.closure.threadpool.size.max", "4096");
    }

    /**
     * So that requests in flight to all followers, as large as they usually are at most, take an eighth of the memory.
     */
    static int requestsInFlightMax(long memoryBytes) {
        return memoryBytes < 1024L * 1024 * 1024 ? REQUESTS_IN_FLIGHT_MIN : REQUESTS_IN_FLIGHT_MAX;
    }

    static int bodyBytesMax(long memoryBytes, int followers) {
        long share = memoryBytes / 8 / requestsInFlightMax(memoryBytes) / Math.max(1, followers);
        return (int) Math.max(BODY_BYTES_MIN, Math.min(Limits.RAFT_BODY_BYTES_MAX, share));
    }

    /**
     * What a node of the group is to do.
     *
     * @param members the group's first configuration; what is in the log counts more
     * @param options to be filled: what the transport needs is in them already
     * @param terms where term and vote are kept, by the folder's path and the settings
     * @param log where the log is kept
     */
    static NodeOptions nodeOptions(
            RaftGroup.Settings settings,
            Configuration members,
            StateMachine applying,
            NodeOptions options,
            BiFunction<String, RaftOptions, RaftMetaStorage> terms,
            Function<RaftOptions, LogStorage> log) {
        RaftOptions raft = new RaftOptions();
        raft.setSync(true);
        raft.setApplyBatch(512);
        raft.setMaxReplicatorInflightMsgs(requestsInFlightMax(MEMORY_BYTES));
        raft.setMaxBodySize(bodyBytesMax(
                MEMORY_BYTES, Math.max(FOLLOWERS_USUAL, settings.peers().size() - 1)));
        raft.setMaxByteCountPerRpc(PIECE_BYTES);
        raft.setMaxLogsInMemoryBytes(LOG_CACHE_BYTES_MAX);
        raft.setMaxElectionDelayMs(ELECTION_DELAY_MILLIS_MAX);
        raft.setReadOnlyOptions(ReadOnlyOption.ReadOnlySafe);
        // The log checks a sum of every record that it reads; a second one would cost a fifth of the speed.
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
        options.setLogUri(
                settings.folder().resolve(DataParts.logIn(settings.folder())).toString());
        options.setRaftMetaUri(settings.folder().resolve(DataParts.META).toString());
        options.setSnapshotUri(settings.folder().resolve(DataParts.SNAPSHOT).toString());
        options.setServiceFactory(new DefaultJRaftServiceFactory() {
            @Override
            public LogStorage createLogStorage(String uri, RaftOptions raftOptions) {
                return new LastEntryLogStorage(log.apply(raftOptions));
            }

            @Override
            public RaftMetaStorage createRaftMetaStorage(String uri, RaftOptions raftOptions) {
                return terms.apply(uri, raftOptions);
            }

            @Override
            public SnapshotStorage createSnapshotStorage(NodeOptions node) {
                return new CheckedCopies(node.getSnapshotUri(), node.getRaftOptions(), SnapshotWriter.Part::damage);
            }
        });
        return options;
    }
}
