package io.dshm.server.statemachine;

import io.dshm.proto.Formats;
import io.dshm.proto.Limits;
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

    /** The part of the limit that there is beyond it for what only counts. */
    private static final int COUNTING_PART = 8;

    /**
     * A node's limit counts if the state was not larger than it by more than this part when the node registered. As much may be
     * beyond a limit that has held all the time: what only counts, and what several lanes added at the same moment.
     */
    private static final int BEYOND_PART = 4;

    private final StateMachine stateMachine;
    private final StateRoom room;
    private final long own;

    /** The limits of the nodes whose limits count, by their names. */
    private final Map<String, Long> told = new ConcurrentHashMap<>();

    private volatile long bytesMax;

    /** What commands may add that are proposed and not yet seen applied. */
    private final AtomicLong inFlight = new AtomicLong();

    MemoryLimit(StateMachine stateMachine, StateRoom room) {
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
        bytesMax = told.values().stream().reduce(own, Math::min);
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
