package io.dshm.server.statemachine;

import io.dshm.proto.Formats;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.RefusedCommand;
import io.dshm.proto.wire.RegisterNode;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * How large the state may become. The leader asks before it proposes a command, never a node that applies one: a command
 * that would let the state grow beyond the limit is {@linkplain #refused replaced} by one that changes nothing. Commands that delete,
 * or do not change the size, are never refused. Commands that only count on existing keys may exceed the limit by
 * an eighth.
 *
 * <p>What is measured is a formula over sizes, {@link StateMachine#bytes}, so that it is the same on every node. The limit
 * is the smallest that any node has told: a node with a smaller heap than the leader's could not refuse anything itself.
 *
 * <p>Thread-safe. Several lanes of a leader may use the same room at the same time: the state may exceed the limit by as
 * much as one log entry of each lane adds.
 */
public final class MemoryLimit {

    /** No limit: {@link #own} of a node that has none. */
    public static final long NONE = Long.MAX_VALUE;

    /** The part of the limit that there is beyond it for what only counts. */
    private static final int COUNTING_PART = 8;

    /** What the process needs whatever it holds: classes, buffers, queues. */
    private static final long PROCESS_BYTES = 48L << 20;

    /** At least this part of the heap is for the state, however small it is. */
    private static final int STATE_PART_MIN = 8;

    private final StateMachine stateMachine;
    private final long own;

    /** What the nodes have told, by their names. */
    private final Map<String, Long> told = new ConcurrentHashMap<>();

    private volatile long bytesMax;

    /** What commands may add that are proposed and not yet seen applied. */
    private final AtomicLong inFlight = new AtomicLong();

    MemoryLimit(StateMachine stateMachine, long own) {
        this.stateMachine = stateMachine;
        this.own = own;
        this.bytesMax = own;
    }

    /**
     * How many bytes of state a node with that heap has room for: half of what is left beside the process itself and
     * what clients' values on their way and their unread replies may take. The other half is for old entries that a snapshot being written still needs, for
     * commands and log entries on their way, and for what the collector needs to keep up.
     */
    public static long ofHeap(long heapBytes, long clientMemoryBytes) {
        return Math.max((heapBytes - PROCESS_BYTES - clientMemoryBytes) / 2, heapBytes / STATE_PART_MIN);
    }

    /** What this node itself has room for, in bytes; {@link #NONE}. */
    public long own() {
        return own;
    }

    /** The limit that counts: the smallest that this node knows of, in bytes. */
    public long bytesMax() {
        return bytesMax;
    }

    /** A node has registered. Called by the thread that applies. */
    void heard(RegisterNode registration) {
        if (registration.getStateBytesMax() > 0) {
            told.put(registration.getNode(), registration.getStateBytesMax());
            bytesMax = told.values().stream().reduce(own, Math::min);
        }
    }

    /**
     * What a command may add, for {@link #proposed}; or -1: there is no room for it.
     *
     * @param before what the commands before it in the same entry may add
     */
    public long growth(CommandRecord record, long before) {
        if (stateMachine.format() < Formats.BOUNDS) {
            return 0;
        }
        long most = Growth.atMost(record);
        if (most == 0) {
            return 0;
        }
        long limit = bytesMax;
        long used = stateMachine.bytes() + inFlight.get() + before;
        if (most <= limit - used) {
            return most;
        }
        Growth growth = Growth.of(record, stateMachine.store());
        long room = (growth.counts() ? limit + limit / COUNTING_PART : limit) - used;
        return growth.bytes() <= Math.max(0, room) ? growth.bytes() : -1;
    }

    /** What to propose instead of a command for which there is no room. */
    public static CommandRecord refused(CommandRecord record) {
        return record.toBuilder()
                .setRefused(RefusedCommand.getDefaultInstance())
                .build();
    }

    /** Commands are proposed that may add so much. */
    public void proposed(long growth) {
        inFlight.addAndGet(growth);
    }

    /** These commands are applied, and so counted in the state; or given up on. */
    public void landed(long growth) {
        inFlight.addAndGet(-growth);
    }
}
