package io.dshm.server.statemachine;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.dshm.proto.Formats;
import io.dshm.proto.Limits;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.Eviction;
import io.dshm.proto.wire.RefusedCommand;
import io.dshm.proto.wire.RegisterNode;
import io.dshm.proto.wire.WhenFull;
import io.dshm.server.store.Region;
import io.dshm.server.store.RegionUse;
import io.dshm.server.store.Store;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Bounds the size of the state. The leader checks before it proposes a command; nodes that apply do not: a command
 * that would exceed the limit is {@linkplain #refused replaced} by one that changes nothing. Commands that delete,
 * or do not change the size, are never refused. Commands that only count on existing keys may exceed the limit by
 * an eighth.
 *
 * <p>A region may have a limit of its own. There it refuses writes or evicts entries: then the log entry names the
 * entries that go, see {@link Evictor}. They are of the command's region, even if the whole state is full, so that no
 * region takes another one's entries away.
 *
 * <p>The size is a formula, {@link StateMachine#bytes}, that gives the same result on every node. The limit is the
 * smallest that any node has told: a node with a smaller heap than the leader's could not refuse anything itself. The
 * limit of a node that had no room for the state already when it registered does not count: it would stop the growth
 * for all others, and could not be kept. Such a node runs for as long as its heap can hold the state, see
 * {@link StateRoom#require}.
 *
 * <p>Thread-safe. Several lanes of a leader may use the same room at the same time: the state may exceed the limit by
 * as much as one log entry of each lane adds.
 */
public final class MemoryLimit {

    /** No limit: {@link #own} of a node that has none. */
    public static final long NONE = Long.MAX_VALUE;

    /** Counts on existing keys may exceed the limit by this part of it. */
    private static final int COUNTING_PART = 8;

    /** The same for limiters' decisions: less, so that new limiters do not use up the room for counts. */
    private static final int DECIDING_PART = 16;

    /**
     * A node's limit counts unless the state exceeded it by more than this part when the node registered. The state may
     * exceed a valid limit by as much: by counts, and by what several lanes added at the same moment.
     */
    private static final int BEYOND_PART = 4;

    /** A region above its limit shrinks by at most about this many bytes with each command. */
    private static final long EVICTED_BYTES_MAX = 64 * 1024;

    private final StateMachine stateMachine;
    private final StateRoom room;
    private final long own;

    /** The limits that count, by the names of their nodes. */
    private final Map<String, Long> told = new ConcurrentHashMap<>();

    private volatile long bytesMax;

    private final Evictor evictor;

    /** Bytes that proposed commands may add, until they are applied. */
    private final AtomicLong inFlight = new AtomicLong();

    MemoryLimit(StateMachine stateMachine, StateRoom room, Executor searches) {
        this.evictor = new Evictor(stateMachine, searches);
        this.stateMachine = stateMachine;
        this.room = room;
        this.own = room.growthMax();
        this.bytesMax = own;
    }

    /** What this node's heap can hold. */
    public StateRoom room() {
        return room;
    }

    /** What this node itself has room for, in bytes; {@link #NONE} for no limit. */
    public long own() {
        return own;
    }

    /** The limit that counts: the smallest that this node knows of, in bytes. */
    public long bytesMax() {
        return bytesMax;
    }

    /** Whether the state is too large for a node with that limit. Any thread. */
    public boolean isBeyond(long limit) {
        return stateMachine.bytes() - limit / BEYOND_PART > limit;
    }

    /** A node has registered. Called by the thread that applies. */
    void heard(RegisterNode registration) {
        if (registration.getStateBytesMax() <= 0) {
            return;
        }
        long most = Math.max(registration.getStateBytesMax(), Limits.STATE_BYTES_MAX_MIN);
        if (isBeyond(most)) {
            told.remove(registration.getNode());
        } else {
            told.put(registration.getNode(), most);
        }
        setSmallest();
    }

    /** A node is no member any more: its limit does not count. Called by the thread that applies. */
    void forget(String node) {
        told.remove(node);
        setSmallest();
    }

    private void setSmallest() {
        bytesMax = told.values().stream().reduce(own, Math::min);
    }

    /** Begins a reservation for the commands of one log entry. */
    public Reservation reservation() {
        return new Reservation();
    }

    /** The record to propose instead of a command for which there is no room. */
    static CommandRecord refused(CommandRecord record) {
        return record.toBuilder()
                .setRefused(RefusedCommand.getDefaultInstance())
                .build();
    }

    /** By how many bytes a command with this growth would exceed the limit; 0 if it fits. */
    private static long lacking(Growth growth, long limit, long used) {
        long beyond = limit == NONE
                ? 0
                : switch (growth.purpose()) {
                    case STORES -> 0;
                    case DECIDES -> limit / DECIDING_PART;
                    case COUNTS -> limit / COUNTING_PART;
                };
        return growth.bytes() == 0 ? 0 : Math.max(0, growth.bytes() + used - limit - beyond);
    }

    /** What a command adds to a region that has a limit. */
    private record Part(RegionUse use, Growth growth) {}

    /**
     * The room that the commands of one log entry take until they are applied, and what is evicted for them. For one
     * thread.
     */
    public final class Reservation {

        private long bytes;
        private final Map<RegionUse, Long> regions = new HashMap<>(0);
        private final List<Eviction> evictions = new ArrayList<>(0);

        private Reservation() {}

        /** Bytes that they add to the state, minus what is evicted. */
        long bytes() {
            return bytes;
        }

        /** What the entry evicts. */
        public List<Eviction> evictions() {
            return evictions;
        }

        /**
         * Takes room for a command.
         *
         * @return what to propose; null if the entry evicts so much that the command has to wait for the next one, and
         *     then nothing has changed
         */
        public @Nullable CommandRecord admit(CommandRecord record) {
            if (stateMachine.format() < Formats.BOUNDS) {
                return record;
            }
            Store store = stateMachine.store();
            boolean limited = !store.regionUses().isEmpty();
            long most = Growth.atMost(record);
            if (most == 0 && !limited) {
                return record;
            }
            long limit = bytesMax;
            long used = stateMachine.bytes() + inFlight.get() + bytes;
            if (!limited && most <= limit - used) {
                bytes += most;
                return record;
            }
            Growth growth = most == 0 ? Growth.NONE : Growth.of(record, store);
            List<Part> parts = limited ? partsOf(record, store) : List.of();
            boolean fits = lacking(growth, limit, used) == 0
                    && parts.stream().allMatch(part -> lacking(part.growth, part.use.bytesMax(), used(part.use)) == 0);
            if (fits) {
                take(growth, parts);
                return record;
            }
            if (!stateMachine.admits(record)) {
                // It is denied where it is applied. The node that took it may not have known the users yet.
                return record;
            }
            if (!mayEvict(record, parts)) {
                return refused(record);
            }
            int before = evictions.size();
            if (evictFor(record, growth, parts, limit)) {
                take(growth, parts);
                return evictions.size() == before
                        ? record
                        : record.toBuilder().setEvicts(true).build();
            }
            return before == 0 ? refused(record) : null;
        }

        private long used(RegionUse use) {
            return use.bytes() + use.onWay().get() + regions.getOrDefault(use, 0L);
        }

        private void take(Growth growth, List<Part> parts) {
            bytes += growth.bytes();
            for (Part part : parts) {
                regions.merge(part.use, part.growth.bytes(), Long::sum);
                if (part.use.evicts() && used(part.use) > part.use.bytesMax() - part.use.bytesMax() / COUNTING_PART) {
                    evictor.prepare(part.use.region());
                }
            }
        }

        /** Evicts entries for the command where that is allowed; whether there is room for it then. */
        private boolean evictFor(CommandRecord record, Growth growth, List<Part> parts, long limit) {
            boolean fits = true;
            for (Part part : parts) {
                long lacking = lacking(part.growth, part.use.bytesMax(), used(part.use));
                long freed = lacking > 0 && part.growth.bytes() <= part.use.bytesMax()
                        ? free(part.use.region(), lacking, part.growth, record)
                        : 0;
                fits &= freed >= part.growth.bytes() || isTolerable(part.growth, part.use.bytesMax(), used(part.use));
            }
            // What was evicted from the regions also makes room in the whole state.
            long nowUsed = stateMachine.bytes() + inFlight.get() + bytes;
            long lacking = lacking(growth, limit, nowUsed);
            ByteString key = firstKey(record);
            if (!fits || lacking == 0 || key == null) {
                return fits && lacking == 0;
            }
            byte[] first = key.toByteArray();
            long freed = free(Arrays.copyOf(first, Region.lengthIn(first)), lacking, growth, record);
            return freed >= growth.bytes() || isTolerable(growth, limit, nowUsed - freed);
        }

        /** Whether an eighth above the limit suffices: allowed while the oldest entries are being searched. */
        private boolean isTolerable(Growth growth, long limit, long used) {
            return lacking(new Growth(growth.bytes(), Growth.Purpose.COUNTS), limit, used) == 0;
        }

        private long free(byte[] region, long lacking, Growth growth, CommandRecord record) {
            // If its limit was lowered, a region shrinks step by step.
            long least = Math.min(lacking, growth.bytes());
            long wanted = Math.max(least, Math.min(lacking, EVICTED_BYTES_MAX));
            Set<ByteString> written = keysWrittenBy(record);
            long freed = evictor.choose(
                    region, least, wanted, key -> written.contains(UnsafeByteOperations.unsafeWrap(key)), evictions);
            RegionUse use = stateMachine.store().regionUseOf(region);
            bytes -= freed;
            if (use != null) {
                regions.merge(use, -freed, Long::sum);
            }
            return freed;
        }

        /** The commands have been proposed: their room counts as used. */
        public void proposed() {
            inFlight.addAndGet(bytes);
            regions.forEach((use, more) -> use.onWay().addAndGet(more));
        }

        /** The commands are applied, and counted in the state now; or they failed. */
        public void landed() {
            inFlight.addAndGet(-bytes);
            regions.forEach((use, more) -> use.onWay().addAndGet(-more));
            if (!evictions.isEmpty()) {
                evictor.landed(evictions);
            }
        }
    }

    private static List<CommandRecord> writesOf(CommandRecord record) {
        return record.hasMulti() ? record.getMulti().getWritesList() : List.of(record);
    }

    private static List<Part> partsOf(CommandRecord record, Store store) {
        List<Part> parts = new ArrayList<>();
        for (CommandRecord write : writesOf(record)) {
            ByteString key = Growth.growingKey(write);
            RegionUse use = key == null ? null : store.regionUse(key.toByteArray());
            if (use != null) {
                add(parts, use, Growth.inRegion(write, store));
            }
        }
        return parts;
    }

    /** One part for each region. */
    private static void add(List<Part> parts, RegionUse use, Growth growth) {
        for (int i = 0; i < parts.size(); i++) {
            Part part = parts.get(i);
            if (part.use == use) {
                parts.set(i, new Part(use, part.growth.and(growth)));
                return;
            }
        }
        parts.add(new Part(use, growth));
    }

    /** As the command says, or else its region. A MULTI evicts nothing if one of its writes must not. */
    private static boolean mayEvict(CommandRecord record, List<Part> parts) {
        List<CommandRecord> writes = writesOf(record);
        if (record.getWhenFull() != WhenFull.AS_REGION) {
            return record.getWhenFull() == WhenFull.EVICT;
        }
        if (writes.stream().anyMatch(write -> write.getWhenFull() == WhenFull.REFUSE)) {
            return false;
        }
        return writes.stream().anyMatch(write -> write.getWhenFull() == WhenFull.EVICT)
                || parts.stream().anyMatch(part -> part.use.evicts());
    }

    private static @Nullable ByteString firstKey(CommandRecord record) {
        for (CommandRecord write : writesOf(record)) {
            ByteString key = Growth.growingKey(write);
            if (key != null) {
                return key;
            }
        }
        return null;
    }

    /** The keys whose own entries are never evicted for the command. */
    private static Set<ByteString> keysWrittenBy(CommandRecord record) {
        return writesOf(record).stream()
                .map(Growth::growingKey)
                .filter(Objects::nonNull)
                .collect(Collectors.toUnmodifiableSet());
    }
}
