package io.dshm.server.statemachine;

import com.google.protobuf.InvalidProtocolBufferException;
import io.dshm.proto.Formats;
import io.dshm.proto.Limits;
import io.dshm.proto.StrictParser;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.LogEntry;
import io.dshm.proto.wire.MultiCommand;
import io.dshm.proto.wire.PutChunkedCommand;
import io.dshm.proto.wire.SetChunkedCommand;
import io.dshm.proto.wire.Settled;
import io.dshm.proto.wire.SnapshotClient;
import io.dshm.proto.wire.SnapshotHeader;
import io.dshm.proto.wire.SnapshotNode;
import io.dshm.proto.wire.SnapshotUpload;
import io.dshm.server.store.Entry;
import io.dshm.server.store.Store;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Applies log entries to the store, one after the other; the result depends on nothing else.
 *
 * <p>All methods are for the one thread that applies, except where they say otherwise.
 */
public final class StateMachine {

    /** How many slots of the store are looked at for expired entries with each command that is applied. */
    private static final int SWEEP_BUCKETS_A_COMMAND = 4;

    /** The same for an entry without commands, which comes about once a second. */
    private static final int SWEEP_BUCKETS_A_TICK = 100_000;

    private static final StrictParser<LogEntry> PARSER = new StrictParser<>(LogEntry.parser());

    /** The clock while a snapshot takes the place of the state: {@link #look} waits for it, which is a moment. */
    private static final long LOADING = -1;

    private final ClusterClock clock;

    private volatile Store store = new Store();
    private Entries entries = new Entries(store, 0);
    private Writes writes = new Writes(entries);
    private TypedWrites typedWrites = new TypedWrites(entries);
    private Origins origins = new Origins();
    private Clients clients = new Clients();
    private PendingUploads uploads = new PendingUploads();
    private long appliedIndex;
    private volatile long clockMillis;
    private volatile long wallMillis;
    private volatile boolean needsTime;
    private volatile int format = Formats.FIRST;
    private volatile Map<String, Integer> formatsRead = Map.of();

    /**
     * An empty state machine.
     *
     * @param clock is told every stamp that is applied
     */
    public StateMachine(ClusterClock clock) {
        this.clock = clock;
    }

    /**
     * Applies one log entry.
     *
     * @param index the entry's place in the log, larger than that of every entry before
     * @param entry its bytes, which are not kept
     * @return an outcome for each of its records, in their order
     * @throws CorruptStateException if the bytes are not an entry, or hold a command, field or value unknown here: nothing
     *     sensible can follow, and the node must stop
     */
    public Outcome[] apply(long index, ByteBuffer entry) {
        // Not by one: Raft has entries of its own in between.
        if (index <= appliedIndex) {
            throw new CorruptStateException(
                    "an entry at index " + index + " was to be applied, but the log is applied up to " + appliedIndex);
        }
        LogEntry decoded = decode(index, entry);
        clockMillis = Math.max(clockMillis, decoded.getStampMillis());
        wallMillis = decoded.getWallMillis();
        clock.observe(clockMillis);
        uploads.expire(clockMillis);
        clients.expire(clockMillis);
        for (int i = 0; i < decoded.getSettledCount(); i++) {
            Settled settled = decoded.getSettled(i);
            Outcomes origin = origins.get(settled.getOrigin());
            if (origin != null) {
                origin.settle(settled.getBelow());
            }
        }
        int count = decoded.getRecordsCount();
        Outcome[] outcomes = new Outcome[count];
        for (int i = 0; i < count; i++) {
            outcomes[i] = applyOnce(index, decoded.getRecords(i));
        }
        if (store.sweepPending()) {
            store.sweep(clockMillis, count == 0 ? SWEEP_BUCKETS_A_TICK : count * SWEEP_BUCKETS_A_COMMAND);
        }
        appliedIndex = index;
        needsTime = store.sweepPending() || !uploads.isEmpty();
        return outcomes;
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
            if (format >= Formats.BOUNDS && !origins.isAdmissible(record.getRegisterNode())) {
                return Outcome.EXISTS;
            }
            uploads.drop(origins.register(record.getRegisterNode()));
            formatsRead = origins.formats();
            return Outcome.APPLIED;
        }
        if (record.getCommandCase() == CommandRecord.CommandCase.LOG_TIME) {
            return Outcome.APPLIED;
        }
        if (record.getCommandCase() == CommandRecord.CommandCase.SWITCH_FORMAT) {
            return switchFormat(index, record.getSwitchFormat().getFormat());
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
        Outcome outcome = record.getClientSequence() == 0 ? apply(index, record) : applyOnceForClient(index, record);
        origin.remember(record.getSequence(), outcome);
        return outcome;
    }

    private Outcome switchFormat(long index, int to) {
        if (to > Formats.NEWEST) {
            throw new NewerFormatException("log entry " + index + " switches the cluster to format " + to);
        }
        format = Math.max(format, to);
        return Outcome.APPLIED;
    }

    /** The same for the identity that the client gave. A value that did not arrive whole is sent again under it. */
    private Outcome applyOnceForClient(long index, CommandRecord record) {
        Outcome first = clients.recall(record.getClient(), record.getClientSequence(), clockMillis);
        if (first != null) {
            // The pieces of a large value have come a second time, too.
            if (record.hasSetChunked()) {
                uploads.forget(record.getOrigin(), record.getSetChunked().getUpload());
            } else if (record.hasPutChunked()) {
                uploads.forget(record.getOrigin(), record.getPutChunked().getUpload());
            }
            return first;
        }
        Outcome outcome = apply(index, record);
        if (outcome.kind() != Outcome.Kind.CHUNKS_MISSING) {
            clients.remember(record.getClient(), record.getClientSequence(), outcome, clockMillis);
        }
        return outcome;
    }

    private Outcome apply(long index, CommandRecord record) {
        return switch (record.getCommandCase()) {
            case SET -> writes.set(record.getSet(), clockMillis);
            case TOUCH -> writes.touch(record.getTouch(), clockMillis);
            case DELETE -> writes.delete(record.getDelete(), clockMillis);
            case INCR -> writes.incr(record.getIncr(), clockMillis);
            case RATE_LIMITER -> writes.rateLimiter(record.getRateLimiter(), clockMillis);
            case FLUSH_ALL -> writes.flushAll(record.getFlushAll());
            case CHUNK ->
                uploads.add(record.getOrigin(), record.getChunk(), clockMillis)
                        ? Outcome.APPLIED
                        : Outcome.CHUNKS_MISSING;
            case SET_CHUNKED -> {
                SetChunkedCommand set = record.getSetChunked();
                byte[] value = uploads.complete(record.getOrigin(), set.getUpload(), set.getValueLength());
                yield value == null
                        ? Outcome.CHUNKS_MISSING
                        : writes.set(set.getKey(), set.getTtlMillis(), value, clockMillis);
            }
            case PUT -> typedWrites.put(record.getPut(), clockMillis);
            case PUT_CHUNKED -> {
                PutChunkedCommand put = record.getPutChunked();
                byte[] value = uploads.complete(record.getOrigin(), put.getUpload(), put.getValueLength());
                yield value == null ? Outcome.CHUNKS_MISSING : typedWrites.put(put.getPut(), value, clockMillis);
            }
            case REMOVE -> typedWrites.remove(record.getRemove(), clockMillis);
            case EXPIRE -> typedWrites.expire(record.getExpire(), clockMillis);
            case INCR_NUMBER -> typedWrites.incrNumber(record.getIncrNumber(), clockMillis);
            case PUSH -> typedWrites.push(record.getPush(), clockMillis);
            case POP -> typedWrites.pop(record.getPop(), clockMillis);
            case PURGE -> typedWrites.purge(record.getPurge(), clockMillis);
            case MULTI -> applyAllOrNone(index, record.getMulti());
            case REGISTER_NODE, LOG_TIME, SWITCH_FORMAT, COMMAND_NOT_SET ->
                throw new CorruptStateException(
                        "log entry " + index + " holds " + record.getCommandCase() + " where no such command can be");
        };
    }

    /** A command that fails lets none of them take effect; what it fails with is that of all. */
    private Outcome applyAllOrNone(long index, MultiCommand multi) {
        List<Outcome> outcomes = new ArrayList<>();
        long detailBytes = 0;
        entries.begin();
        for (CommandRecord write : multi.getWritesList()) {
            Outcome outcome = apply(index, write);
            detailBytes += outcome.detailBytes();
            // What one command would read from the store afterwards, several cannot.
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

    /** The data, for reads from any thread. A snapshot that is loaded replaces it. */
    public Store store() {
        return store;
    }

    /**
     * An entry, and what the log says that time it is, at one moment.
     *
     * @param entry null if there is none; it may be expired
     * @param clockMillis the cluster clock of the last log entry
     */
    public record Sighting(@Nullable Entry entry, long clockMillis) {}

    /** Looks at a key. Any thread: no log entry is applied and no snapshot loaded between the two things it sees. */
    public Sighting look(byte[] key, int hash) {
        while (true) {
            Store seenStore = store;
            long seenMillis = clockMillis;
            Entry entry = seenStore.get(key, hash);
            if (seenMillis == clockMillis && seenStore == store && seenMillis != LOADING) {
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

    /** The wall clock that the last entry applied brought along, in milliseconds since 1970, or 0. Any thread. */
    public long wallMillis() {
        return wallMillis;
    }

    /** The cluster's format, see {@link Formats}: what is newer is neither written nor applied. Any thread. */
    public int format() {
        return format;
    }

    /**
     * The newest format that all these nodes read, by their registrations, as far as this node knows: it may know less than
     * the others after it has loaded a snapshot, never more. Any thread.
     */
    public int formatReadBy(Collection<String> nodes) {
        Map<String, Integer> known = formatsRead;
        return nodes.stream()
                .mapToInt(node -> known.getOrDefault(node, Formats.FIRST))
                .min()
                .orElse(Formats.FIRST);
    }

    /** Whether anything is waiting for time to pass, so that a leader must log the time. Any thread. */
    public boolean needsTime() {
        return needsTime;
    }

    /**
     * The state as it is now, to be read on another thread while this one goes on. At most one view may be open.
     *
     * @throws IllegalStateException if another one is
     */
    public StateView view() {
        SnapshotHeader header = SnapshotHeader.newBuilder()
                .setFormatVersion(format)
                .setIndex(appliedIndex)
                .setClockMillis(clockMillis)
                .setWallMillis(wallMillis)
                .setLastVersion(entries.lastVersion())
                .build();
        List<SnapshotNode> nodes = origins.toWire();
        List<SnapshotClient> clientsNow = clients.toWire();
        List<SnapshotUpload> uploadsNow = uploads.toWire();
        // Last: a view of the store that is open stays so, and lets no other one open, if anything is thrown after it.
        return new StateView(header, store.view(), nodes, clientsNow, uploadsNow);
    }

    /**
     * Replaces the state by a snapshot's. Readers see the old store until the new one is whole.
     *
     * @throws IOException if the files cannot be read; the state is unchanged then
     * @throws CorruptStateException if they are damaged or not whole; the state is unchanged then
     */
    public void load(SnapshotReader snapshot) throws IOException {
        Store newStore = new Store();
        Origins newOrigins = new Origins();
        Clients newClients = new Clients();
        PendingUploads newUploads = new PendingUploads();
        SnapshotHeader header = snapshot.read(new SnapshotReader.Target() {
            @Override
            public void entry(byte[] key, Entry entry) {
                newStore.put(key, io.dshm.proto.Key.of(key).hash(), entry);
            }

            @Override
            public void node(SnapshotNode node) {
                newOrigins.load(node);
            }

            @Override
            public void client(SnapshotClient client) {
                newClients.load(client);
            }

            @Override
            public void upload(SnapshotUpload upload) {
                newUploads.load(upload);
            }
        });
        entries = new Entries(newStore, header.getLastVersion());
        writes = new Writes(entries);
        typedWrites = new TypedWrites(entries);
        origins = newOrigins;
        clients = newClients;
        uploads = newUploads;
        format = header.getFormatVersion();
        formatsRead = origins.formats();
        appliedIndex = header.getIndex();
        wallMillis = header.getWallMillis();
        clockMillis = LOADING;
        store = newStore;
        clockMillis = header.getClockMillis();
        needsTime = store.sweepPending() || !uploads.isEmpty();
        clock.observe(clockMillis);
    }
}
