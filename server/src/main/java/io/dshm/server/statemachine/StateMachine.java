package io.dshm.server.statemachine;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.dshm.proto.Formats;
import io.dshm.proto.Limits;
import io.dshm.proto.StrictParser;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.Eviction;
import io.dshm.proto.wire.LimitRegionCommand;
import io.dshm.proto.wire.LogEntry;
import io.dshm.proto.wire.MultiCommand;
import io.dshm.proto.wire.PutChunkedCommand;
import io.dshm.proto.wire.RegisterNode;
import io.dshm.proto.wire.SetChunkedCommand;
import io.dshm.proto.wire.Settled;
import io.dshm.proto.wire.SnapshotClient;
import io.dshm.proto.wire.SnapshotHeader;
import io.dshm.proto.wire.SnapshotNode;
import io.dshm.proto.wire.SnapshotRegion;
import io.dshm.proto.wire.SnapshotUpload;
import io.dshm.proto.wire.SnapshotUsers;
import io.dshm.proto.wire.WhenFull;
import io.dshm.server.rights.Users;
import io.dshm.server.store.Entry;
import io.dshm.server.store.EntryBytes;
import io.dshm.server.store.Store;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * Applies log entries to the store, one after the other; the result depends on nothing else.
 *
 * <p>Unless it says otherwise, a method may be called only by the apply thread, or by a thread that holds this object's
 * monitor, as the apply thread does.
 */
public final class StateMachine {

    /**
     * So many buckets of the store are searched for expired entries with each command: expired entries cannot pile up,
     * however fast clients write.
     */
    private static final int PURGE_BUCKETS_A_COMMAND = 4;

    /**
     * The same for a step of {@link #purge}. It takes 0.1 ms, 0.2 ms if all entries in them are purged, and 0.4 ms if
     * their keys are very long.
     */
    public static final int PURGE_BUCKETS_A_STEP = 1024;

    /** Each log entry forgets at most so many clients: more than one entry can add. */
    private static final int CLIENTS_FORGOTTEN_AN_ENTRY = 2 * Limits.ENTRY_COMMANDS_MAX;

    private static final StrictParser<LogEntry> PARSER = new StrictParser<>(LogEntry.parser());

    /** Empty placeholder for the data while a snapshot is being loaded. Nothing is ever written to it. */
    private static final Store LOADING = new Store();

    private final ClusterClock clock;

    private volatile Store store = new Store();
    private Entries entries = new Entries(store, 0);
    private Writes writes = new Writes(entries);
    private TypedWrites typedWrites = new TypedWrites(entries);
    private Takes takes = new Takes(entries);
    private Holdings holdings = new Holdings(takes);
    private Leases leases = new Leases(entries);
    private Origins origins = new Origins();
    private Clients clients = new Clients();
    private PendingUploads uploads = new PendingUploads();
    private final Authorization authorization = new Authorization();
    private final Lookahead lookahead = new Lookahead();
    private long appliedIndex;
    private volatile long clockMillis;
    private volatile long wallMillis;
    private volatile boolean needsTime;
    private volatile int format = Formats.FIRST;
    private volatile Map<String, Integer> formatsRead = Map.of();
    private volatile Map<String, Origins.Start> starts = Map.of();
    private volatile ClusterState cluster = ClusterState.NONE;

    /** A step of {@link #purge} counts so many nodes after a region got a limit: some tenths of a millisecond. */
    private static final int COUNT_NODES_A_STEP = 4096;

    /** The same with each log entry. */
    private static final int COUNT_NODES_AN_ENTRY = 256;

    private final MemoryLimit memory;

    /** Bytes of the remembered outcomes of origins; see {@link Origins#bytes}. */
    private long outcomeBytes;

    /** Bytes of the state without the store's entries. Only the apply thread writes it. */
    private volatile long bytesBeside;

    /** How many clients with an identity are remembered. Only the apply thread writes it. */
    private volatile int clientCount;

    /** How many entries were evicted since this process started. Only the apply thread writes it. */
    private volatile long evictedCount;

    /** An empty state machine without a memory limit; see {@link #StateMachine(ClusterClock, StateRoom, Executor)}. */
    public StateMachine(ClusterClock clock) {
        this(clock, StateRoom.UNLIMITED);
    }

    /** A state machine that searches for entries to evict on the calling thread. */
    public StateMachine(ClusterClock clock, StateRoom room) {
        this(clock, room, Runnable::run);
    }

    /**
     * An empty state machine.
     *
     * @param clock is told every stamp that is applied
     * @param room how much state this node has room for
     * @param searches runs the searches through all entries for those that may be evicted
     */
    public StateMachine(ClusterClock clock, StateRoom room, Executor searches) {
        this.clock = clock;
        this.memory = new MemoryLimit(this, room, searches);
    }

    /**
     * The entries that are applied from now on are of that term: nothing but the estimate of the time depends on it.
     */
    public void ofTerm(long term) {
        clock.ofTerm(term);
    }

    /** Entries of that term have come into this node's log, and are not applied yet. The thread that writes the log. */
    public void came(long term) {
        clock.came(term);
    }

    /**
     * Applies one log entry.
     *
     * @param index the entry's place in the log, larger than that of every entry before
     * @param entry its bytes, which are not kept
     * @return an outcome for each of its records, in their order
     * @throws CorruptStateException if the bytes are not an entry, or hold a command, field or value unknown here:
     *     nothing sensible can follow, and the node must stop
     * @throws StateTooLargeException if the state has become larger than this node can hold: it must stop, too
     */
    public Outcome[] apply(long index, ByteBuffer entry) {
        if (isLoading(store)) {
            throw new IllegalStateException("log entry " + index + " comes on top of a snapshot that was not loaded");
        }
        // It may rise by more than one: Raft's own entries lie in between.
        if (index <= appliedIndex) {
            throw new CorruptStateException(
                    "an entry at index " + index + " was to be applied, but the log is applied up to " + appliedIndex);
        }
        LogEntry decoded = decode(index, entry);
        clockMillis = Math.max(clockMillis, decoded.getStampMillis());
        wallMillis = decoded.getWallMillis();
        clock.observe(clockMillis);
        uploads.expire(clockMillis);
        clients.expire(format >= Formats.BOUNDS ? CLIENTS_FORGOTTEN_AN_ENTRY : Integer.MAX_VALUE, clockMillis);
        for (int i = 0; i < decoded.getSettledCount(); i++) {
            Settled settled = decoded.getSettled(i);
            Outcomes origin = origins.get(settled.getOrigin());
            if (origin != null) {
                outcomeBytes -= origin.bytes();
                origin.settle(settled.getBelow());
                outcomeBytes += origin.bytes();
            }
        }
        for (Eviction eviction : decoded.getEvictedList()) {
            entries.evict(Writes.key(eviction.getKey()), eviction.getVersion());
        }
        if (decoded.getEvictedCount() > 0) {
            // One thread writes it.
            long before = evictedCount;
            evictedCount = before + decoded.getEvictedCount();
        }
        int count = decoded.getRecordsCount();
        Outcome[] outcomes = new Outcome[count];
        for (int i = 0; i < count; i++) {
            if (i % Lookahead.KEYS == 0) {
                lookahead.records(decoded, i, store);
            }
            outcomes[i] = applyOnce(index, decoded.getRecords(i));
        }
        if (count > 0 && store.sweepPending()) {
            store.sweep(clockMillis, count * PURGE_BUCKETS_A_COMMAND);
        }
        store.countRegions(COUNT_NODES_AN_ENTRY);
        appliedIndex = index;
        needsTime = store.sweepPending() || !uploads.isEmpty();
        measure();
        memory.room().require(bytes());
        return outcomes;
    }

    private void measure() {
        clientCount = clients.size();
        bytesBeside = outcomeBytes
                + clients.bytes()
                + uploads.bytes()
                + store.markBytes()
                + store.regionUseBytes()
                + authorization.users().bytes();
    }

    /**
     * Counts entries of regions that have just got a limit, and purges some expired and flushed ones, beginning where
     * the last step ended. Each node does this at its own pace: it changes no outcome, no read and no digest. No other
     * method may run at the same time, except those that any thread may call.
     */
    public void purge() {
        if (store.sweepPending()) {
            store.sweep(clockMillis, PURGE_BUCKETS_A_STEP);
        }
        store.countRegions(COUNT_NODES_A_STEP);
    }

    /** How many entries the log has evicted since this process started. Any thread. */
    public long evictedCount() {
        return evictedCount;
    }

    /** How many clients with an identity of their own are remembered. Any thread. */
    public int clientCount() {
        return clientCount;
    }

    /** Whether {@link #purge} may find something. Any thread. */
    public boolean hasToPurge() {
        return store.sweepPending() || store.countPending();
    }

    private static LogEntry decode(long index, ByteBuffer entry) {
        try {
            // Sharing the entry's bytes: what is kept of it (keys and values) is copied once, into the store.
            return PARSER.parse(entry);
        } catch (StrictParser.UnknownFieldException e) {
            throw new NewerFormatException("log entry " + index + " was written by a newer version: " + e.getMessage());
        } catch (InvalidProtocolBufferException e) {
            throw new CorruptStateException("log entry " + index + " cannot be decoded", e);
        }
    }

    private Outcome applyOnce(long index, CommandRecord record) {
        if (record.getCommandCase() == CommandRecord.CommandCase.REGISTER_NODE) {
            RegisterNode node = record.getRegisterNode();
            boolean admissible = cluster.mayRegister(node.getNode()) && origins.isAdmissible(node);
            if (format >= Formats.BOUNDS && !admissible) {
                return Outcome.EXISTS;
            }
            changeOrigins(origins.register(node));
            memory.heard(node);
            clock.registered(node);
            return Outcome.APPLIED;
        }
        if (record.getCommandCase() == CommandRecord.CommandCase.LOG_TIME) {
            return Outcome.APPLIED;
        }
        if (record.getCommandCase() == CommandRecord.CommandCase.SWITCH_FORMAT) {
            return switchFormat(index, record.getSwitchFormat().getFormat());
        }
        if (record.hasFoundCluster() || record.hasChangeMember()) {
            cluster = record.hasFoundCluster()
                    ? cluster.founded(index, record.getFoundCluster())
                    : cluster.changed(record.getChangeMember());
            if (record.getChangeMember().getRemoved()) {
                String node = record.getChangeMember().getMember().getName();
                changeOrigins(origins.remove(node, index));
                memory.forget(node);
            }
            return Outcome.APPLIED;
        }
        Outcomes origin = origins.get(record.getOrigin());
        if (origin == null) {
            return Outcome.UNKNOWN_ORIGIN;
        }
        Outcome first = origin.recall(record.getSequence());
        if (first != null) {
            return first;
        }
        if (!origin.isNext(record.getSequence())) {
            return Outcome.AHEAD;
        }
        Outcome outcome = record.getClientSequence() == 0 ? applyNow(index, record) : applyOnceForClient(index, record);
        origin.remember(record.getSequence(), outcome);
        outcomeBytes += outcome.rememberedBytes();
        return outcome;
    }

    /** Nodes were registered or removed. */
    private void changeOrigins(List<Long> ended) {
        uploads.drop(ended);
        formatsRead = origins.formats();
        starts = origins.starts();
        outcomeBytes = origins.bytes();
    }

    private Outcome switchFormat(long index, int to) {
        if (to > Formats.NEWEST) {
            throw new NewerFormatException("log entry " + index + " switches the cluster to format " + to);
        }
        format = Math.max(format, to);
        return Outcome.APPLIED;
    }

    /**
     * The same for the client's own identity. If pieces of its value are missing, or it was refused for want of
     * memory or of rights, the client may send it again with the same number.
     */
    private Outcome applyOnceForClient(long index, CommandRecord record) {
        Outcome first = clients.recall(record, clockMillis);
        if (first != null) {
            // This copy has brought the pieces of its value a second time: drop them.
            if (record.hasSetChunked()) {
                uploads.forget(record.getOrigin(), record.getSetChunked().getUpload());
            } else if (record.hasPutChunked()) {
                uploads.forget(record.getOrigin(), record.getPutChunked().getUpload());
            }
            return first;
        }
        Outcome outcome = applyNow(index, record);
        switch (outcome.kind()) {
            case CHUNKS_MISSING, OUT_OF_MEMORY, DENIED -> {}
            default -> clients.remember(record, outcome, clockMillis);
        }
        return outcome;
    }

    private Outcome applyNow(long index, CommandRecord record) {
        if (!authorization.admits(record)) {
            return denied(record);
        }
        Outcome outcome = apply(index, record);
        return record.getEvicts() ? outcome.afterEviction() : outcome;
    }

    /** Drops the pieces of its value. A copy whose pieces are missing gets that outcome, as it would without users. */
    private Outcome denied(CommandRecord record) {
        boolean whole = true;
        if (record.hasSetChunked()) {
            SetChunkedCommand set = record.getSetChunked();
            whole = uploads.complete(record.getOrigin(), set.getUpload(), set.getValueLength()) != null;
        } else if (record.hasPutChunked()) {
            PutChunkedCommand put = record.getPutChunked();
            whole = uploads.complete(record.getOrigin(), put.getUpload(), put.getValueLength()) != null;
        }
        return whole ? Outcome.DENIED : Outcome.CHUNKS_MISSING;
    }

    private Outcome apply(long index, CommandRecord record) {
        return switch (record.getCommandCase()) {
            case SET -> writes.set(record.getSet(), clockMillis);
            case TOUCH -> writes.touch(record.getTouch(), clockMillis);
            case DELETE -> writes.delete(record.getDelete(), clockMillis);
            case INCR -> writes.incr(record.getIncr(), clockMillis);
            case RATE_LIMITER -> writes.rateLimiter(record.getRateLimiter(), format, clockMillis);
            case FLUSH_ALL -> writes.flushAll(record.getFlushAll());
            case CHUNK ->
                uploads.add(record.getOrigin(), record.getChunk(), format >= Formats.BOUNDS, clockMillis)
                        ? Outcome.APPLIED
                        : Outcome.CHUNKS_MISSING;
            case SET_CHUNKED -> {
                SetChunkedCommand set = record.getSetChunked();
                Object value = uploads.complete(record.getOrigin(), set.getUpload(), set.getValueLength());
                yield value == null ? Outcome.CHUNKS_MISSING : writes.set(set, value, clockMillis);
            }
            case PUT -> typedWrites.put(record.getPut(), clockMillis);
            case PUT_CHUNKED -> {
                PutChunkedCommand put = record.getPutChunked();
                Object value = uploads.complete(record.getOrigin(), put.getUpload(), put.getValueLength());
                yield value == null ? Outcome.CHUNKS_MISSING : typedWrites.put(put.getPut(), value, clockMillis);
            }
            case REMOVE -> typedWrites.remove(record.getRemove(), clockMillis);
            case EXPIRE -> typedWrites.expire(record.getExpire(), clockMillis);
            case INCR_NUMBER -> typedWrites.incrNumber(record.getIncrNumber(), clockMillis);
            case PUSH -> typedWrites.push(record.getPush(), clockMillis);
            case POP -> typedWrites.pop(record.getPop(), clockMillis);
            case PURGE -> typedWrites.purge(record.getPurge(), clockMillis);
            case TAKE -> takes.take(record.getTake(), clockMillis);
            case RESERVE -> holdings.reserve(record.getReserve(), clockMillis);
            case SETTLE -> holdings.settle(record.getSettle(), clockMillis);
            case GRANT -> holdings.grant(record.getGrant(), clockMillis);
            case GIVE_BACK -> holdings.giveBack(record.getGiveBack(), clockMillis);
            case ACQUIRE -> leases.acquire(record.getAcquire(), clockMillis);
            case RELEASE -> leases.release(record.getRelease(), clockMillis);
            case TAKE_ALL -> takes.takeAll(record.getTakeAll(), clockMillis);
            case MULTI -> applyAllOrNone(index, record.getMulti());
            case LIMIT_REGION -> limitRegion(record.getLimitRegion());
            case CHANGE_USERS -> authorization.change(record.getChangeUsers());
            case REFUSED -> Outcome.OUT_OF_MEMORY;
            case REGISTER_NODE, LOG_TIME, SWITCH_FORMAT, FOUND_CLUSTER, CHANGE_MEMBER, COMMAND_NOT_SET ->
                throw new CorruptStateException(
                        "log entry " + index + " holds " + record.getCommandCase() + " where no such command can be");
        };
    }

    private Outcome limitRegion(LimitRegionCommand command) {
        byte[] region = command.getRegion().toByteArray();
        if (store.regionUses().size() >= Limits.REGION_LIMITS_MAX && store.regionUseOf(region) == null) {
            return Outcome.TOO_LARGE;
        }
        store.limitRegion(region, command.getBytesMax(), command.getWhenFull() == WhenFull.EVICT);
        return Outcome.APPLIED;
    }

    private List<SnapshotRegion> regionLimits() {
        return store.regionUses().stream()
                .map(use -> SnapshotRegion.newBuilder()
                        .setRegion(ByteString.copyFrom(use.region()))
                        .setBytesMax(use.bytesMax())
                        .setEvicts(use.evicts())
                        .build())
                .toList();
    }

    /** If one fails, none is applied, and its error is the reply. */
    private Outcome applyAllOrNone(long index, MultiCommand multi) {
        List<Outcome> outcomes = new ArrayList<>();
        long detailBytes = 0;
        entries.begin();
        for (CommandRecord write : multi.getWritesList()) {
            Outcome outcome = apply(index, write);
            detailBytes += outcome.detailBytes();
            // The reply to a single command reads such a value from the store afterwards; that to a MULTI cannot.
            boolean tooLarge =
                    outcome.kind() == Outcome.Kind.NO_INTEGER || detailBytes > Limits.MULTI_OUTCOME_BYTES_MAX;
            if (tooLarge || outcome.kind() != Outcome.Kind.APPLIED) {
                entries.abandon();
                return (tooLarge ? Outcome.TOO_LARGE : outcome).ofCommand(outcomes.size() + 1);
            }
            outcomes.add(outcome);
        }
        entries.commit();
        return Outcome.several(outcomes);
    }

    /**
     * The data, for reads from any thread. Loading a snapshot replaces it; until that is done the store is empty, see
     * {@link #isLoading}.
     */
    public Store store() {
        return store;
    }

    /**
     * Whether this is the empty store that is shown while a snapshot is loaded. A reader that found nothing asks
     * this afterwards about the store that it has read: if so, the key may exist.
     */
    public static boolean isLoading(Store seen) {
        return seen == LOADING;
    }

    /**
     * A store entry and the logged time, both of one moment.
     *
     * @param entry null if there is none; it may be expired
     * @param clockMillis the cluster clock of the last log entry
     */
    public record Sighting(@Nullable Entry entry, long clockMillis) {}

    /**
     * Looks up a key. Any thread. The entry and the time belong together: nothing is applied between reading them.
     *
     * @return null while a snapshot is loaded
     */
    public @Nullable Sighting look(byte[] key, int hash) {
        while (true) {
            Store seenStore = store;
            if (isLoading(seenStore)) {
                return null;
            }
            long seenMillis = clockMillis;
            Entry entry = seenStore.get(key, hash);
            if (seenMillis == clockMillis && seenStore == store) {
                return new Sighting(entry, seenMillis);
            }
            Thread.onSpinWait();
        }
    }

    /** The index of the last entry applied, or 0. */
    public long appliedIndex() {
        return appliedIndex;
    }

    /** The cluster clock of the last entry applied, in milliseconds, or 0. Any thread. */
    public long clockMillis() {
        return clockMillis;
    }

    /** The wall-clock time in the last entry applied, in milliseconds since 1970, or 0. Any thread. */
    public long wallMillis() {
        return wallMillis;
    }

    /** The cluster's format, see {@link Formats}: what is newer is neither written nor applied. Any thread. */
    public int format() {
        return format;
    }

    /** Who may do what, as of the last entry applied. Any thread. */
    public Users users() {
        return authorization.users();
    }

    /** Whether that command's user may do it, as of the last entry applied. Any thread. */
    boolean admits(CommandRecord record) {
        return authorization.admits(record);
    }

    /** The cluster's id and its members; none before the cluster has one. Any thread. */
    public ClusterState cluster() {
        return cluster;
    }

    /**
     * The newest format that all these nodes read, by the registrations that this node knows. After it has loaded
     * a snapshot it may know fewer of them, and return an older format than other nodes, never a newer one. Any thread.
     */
    public int formatReadBy(Collection<String> nodes) {
        Map<String, Integer> known = formatsRead;
        return nodes.stream()
                .mapToInt(node -> known.getOrDefault(node, Formats.FIRST))
                .min()
                .orElse(Formats.FIRST);
    }

    /** Whether a node of that name has registered, and was not removed since. Any thread. */
    public boolean isRegistered(String node) {
        return formatsRead.containsKey(node);
    }

    /** Whether a later start with the same data folder is registered for that node. Any thread. */
    public boolean isReplaced(String node, long folder, long start) {
        Origins.Start registered = starts.get(node);
        return registered != null && registered.folder() == folder && registered.number() > start;
    }

    /**
     * What the state takes in memory, in bytes, by a formula over sizes that is the same on all nodes: entries,
     * outcomes that are remembered, clients, values on their way, marks of flushes. Any thread.
     */
    public long bytes() {
        return store.bytes() + bytesBeside;
    }

    /** How large the state may become. Any thread. */
    public MemoryLimit memory() {
        return memory;
    }

    /** Whether anything has a deadline, so that a leader must log the time. Any thread. */
    public boolean needsTime() {
        return needsTime;
    }

    /**
     * The state as it is now, to be read on another thread while this one goes on. At most one view may be open.
     *
     * @throws IllegalStateException if another one is
     */
    public StateView view() {
        SnapshotHeader header = cluster.in(SnapshotHeader.newBuilder())
                .setFormatVersion(format)
                .setIndex(appliedIndex)
                .setClockMillis(clockMillis)
                .setWallMillis(wallMillis)
                .setLastVersion(entries.lastVersion())
                .build();
        List<Origins.FrozenNode> nodes = origins.freeze();
        List<SnapshotUpload> uploadsNow = uploads.toWire();
        // Last: if something were thrown after this, the store's view would stay open and block every later one.
        return new StateView(header, store.view(), nodes, clients.view(), uploadsNow, regionLimits(), users().toWire());
    }

    /**
     * Replaces the state by a snapshot's. The old state is freed before the first store entry is read, because a node
     * need not have memory for two states: meanwhile there is nothing to read, see {@link #isLoading}.
     *
     * @throws IOException if the files cannot be read; this state machine is of no use any more then
     * @throws CorruptStateException if they are damaged or not whole; the same
     * @throws StateTooLargeException if this node's memory cannot hold the snapshot's state; the same
     */
    public void load(SnapshotReader snapshot) throws IOException {
        store = LOADING;
        become(LOADING, 0);
        origins = new Origins();
        clients = new Clients();
        uploads = new PendingUploads();
        // The old users count until the snapshot is read: nobody may do more meanwhile.
        Users[] users = {Users.NONE};
        Store newStore = new Store();
        // No more than there is room for: those beyond it are counted only.
        newStore.expect(Math.min(snapshot.entriesExpected(), memory.room().holdMax() / EntryBytes.ofPlain(1, 0)));
        LoadedEntries loaded = new LoadedEntries(newStore, memory.room());
        SnapshotHeader header = snapshot.read(new SnapshotReader.Target() {
            @Override
            public void entry(byte[] key, Entry entry) {
                loaded.add(key, entry);
            }

            @Override
            public void node(SnapshotNode node) {
                origins.load(node);
            }

            @Override
            public void client(SnapshotClient client) {
                clients.load(client);
            }

            @Override
            public void upload(SnapshotUpload upload) {
                uploads.load(upload);
            }

            @Override
            public void region(SnapshotRegion region) {
                newStore.limitRegion(region.getRegion().toByteArray(), region.getBytesMax(), region.getEvicts());
            }

            @Override
            public void users(SnapshotUsers state) {
                users[0] = Users.of(state);
            }
        });
        loaded.flush();
        memory.room()
                .require(newStore.bytes()
                        + loaded.bytesWithoutRoom()
                        + origins.bytes()
                        + clients.bytes()
                        + uploads.bytes()
                        + users[0].bytes());
        authorization.become(users[0]);
        become(newStore, header.getLastVersion());
        format = header.getFormatVersion();
        cluster = ClusterState.of(header);
        formatsRead = origins.formats();
        starts = origins.starts();
        appliedIndex = header.getIndex();
        wallMillis = header.getWallMillis();
        clockMillis = header.getClockMillis();
        needsTime = newStore.sweepPending() || !uploads.isEmpty();
        clock.load(clockMillis);
        store = newStore;
        outcomeBytes = origins.bytes();
        measure();
    }

    private void become(Store data, long lastVersion) {
        entries = new Entries(data, lastVersion);
        writes = new Writes(entries);
        typedWrites = new TypedWrites(entries);
        takes = new Takes(entries);
        holdings = new Holdings(takes);
        leases = new Leases(entries);
    }
}
