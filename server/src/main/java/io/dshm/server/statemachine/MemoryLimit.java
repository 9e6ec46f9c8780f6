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
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * How large the state may become. The leader asks before it proposes a command, never a node that applies one: a command
 * that would let the state grow beyond the limit is {@linkplain #refused replaced} by one that changes nothing. Commands that delete,
 * or do not change the size, are never refused. Commands that only count on existing keys may exceed the limit by
 * an eighth.
 *
 * <p>A region may have a limit of its own, and either refuses as well, or evicts: then the log entry of the command names the
 * entries that go, see {@link Evictor}. Those are of the command's own region, also where the whole state is full, so that no
 * region takes another one's entries away.
 *
 * <p>What is measured is a formula over sizes, {@link StateMachine#bytes}, so that it is the same on every node. The limit
 * is the smallest that any node has told: a node with a smaller heap than the leader's could not refuse anything itself. The limit
 * of a node that had no room for the state already when it registered does not count: it would stop the growth for all others,
 * and could not be kept. Such a node runs for as long as its heap can hold the state, see {@link StateRoom#require}.
 *
 * <p>Thread-safe. Several lanes of a leader may use the same room at the same time: the state may exceed the limit by as
 * much as one log entry of each lane adds.
 */
public final class MemoryLimit {

    /** No limit: {@link #own} of a node that has none. */
    public static final long NONE = Long.MAX_VALUE;

    /** The part of the limit that there is beyond it for counts on keys that are there. */
    private static final int COUNTING_PART = 8;

    /** The same for limiters' decisions: less, so that new limiters do not end the counting. */
    private static final int DECIDING_PART = 16;

    /**
     * A node's limit counts if the state was not larger than it by more than this part when the node registered. As much may be
     * beyond a limit that has held all the time: what only counts, and what several lanes added at the same moment.
     */
    private static final int BEYOND_PART = 4;

    /** A region that is beyond its limit shrinks by about so much with each command, in bytes. */
    private static final long EVICTED_BYTES_MAX = 64 * 1024;

    private final StateMachine stateMachine;
    private final StateRoom room;
    private final long own;

    /** The limits of the nodes whose limits count, by their names. */
    private final Map<String, Long> told = new ConcurrentHashMap<>();

    private volatile long bytesMax;

    private final Evictor evictor;

    /** What commands may add that are proposed and not yet seen applied. */
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

    /** What this node itself has room for, in bytes; {@link #NONE}. */
    public long own() {
        return own;
    }

    /** The limit that counts: the smallest that this node knows of, in bytes. */
    public long bytesMax() {
        return bytesMax;
    }

    /** Whether the state is larger than a node with that limit has room for. Any thread. */
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

    /** Room for the commands that are to share a log entry: none yet. */
    public Reservation reservation() {
        return new Reservation();
    }

    /** What to propose instead of a command for which there is no room. */
    static CommandRecord refused(CommandRecord record) {
        return record.toBuilder()
                .setRefused(RefusedCommand.getDefaultInstance())
                .build();
    }

    /** What a command that adds so much has too little room for, in bytes. */
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

        /** What they add to the state, less what is evicted. */
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
         * @return what to propose; null if the entry evicts so much that the command has to wait for the next one, and then nothing has
         *     changed
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

        /** Whether there is room for the command, perhaps now. */
        private boolean evictFor(CommandRecord record, Growth growth, List<Part> parts, long limit) {
            boolean fits = true;
            for (Part part : parts) {
                long lacking = lacking(part.growth, part.use.bytesMax(), used(part.use));
                long freed = lacking > 0 && part.growth.bytes() <= part.use.bytesMax()
                        ? free(part.use.region(), lacking, part.growth, record)
                        : 0;
                fits &= freed >= part.growth.bytes() || isTolerable(part.growth, part.use.bytesMax(), used(part.use));
            }
            // What was evicted from regions makes room in the whole, too.
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

        /** While a search for the oldest entries goes on there may be an eighth more. */
        private boolean isTolerable(Growth growth, long limit, long used) {
            return lacking(new Growth(growth.bytes(), Growth.Purpose.COUNTS), limit, used) == 0;
        }

        private long free(byte[] region, long lacking, Growth growth, CommandRecord record) {
            // A region that is far beyond its limit, since that was lowered, shrinks by and by.
            long least = Math.min(lacking, growth.bytes());
            long wanted = Math.max(least, Math.min(lacking, EVICTED_BYTES_MAX));
            long freed = evictor.choose(region, least, wanted, key -> isWrittenBy(record, key), evictions);
            RegionUse use = stateMachine.store().regionUseOf(region);
            bytes -= freed;
            if (use != null) {
                regions.merge(use, -freed, Long::sum);
            }
            return freed;
        }

        /** These commands are proposed. */
        public void proposed() {
            inFlight.addAndGet(bytes);
            regions.forEach((use, more) -> use.onWay().addAndGet(more));
        }

        /** These commands are applied, and so counted in the state; or given up on. */
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

    /** What the command says, or the region of its key. A MULTI evicts nothing if one of its writes must not. */
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

    /** A command does not find its own entry evicted. */
    private static boolean isWrittenBy(CommandRecord record, byte[] key) {
        return writesOf(record).stream()
                .anyMatch(write -> UnsafeByteOperations.unsafeWrap(key).equals(Growth.growingKey(write)));
    }
}
