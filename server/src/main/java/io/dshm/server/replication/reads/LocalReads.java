package io.dshm.server.replication.reads;

import io.dshm.proto.Command;
import io.dshm.proto.ErrorCode;
import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.proto.Reply;
import io.dshm.server.rights.Users;
import io.dshm.server.statemachine.ClusterClock;
import io.dshm.server.statemachine.MemoryLimit;
import io.dshm.server.statemachine.StateMachine;
import io.dshm.server.store.Cursor;
import io.dshm.server.store.Entry;
import io.dshm.server.store.Store;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Reads from this node's store. Any thread, without locks.
 *
 * <p>Local reads show what this node has acknowledged, and never go back in time; they may not yet show what other
 * nodes have acknowledged. They judge deadlines by this node's estimate of the cluster clock.
 *
 * <p>Linearizable reads are answered here, too, after a {@linkplain ReadRounds round}. They judge deadlines by the
 * logged clock alone, which is part of the state that all nodes share: two nodes' estimates differ.
 */
public final class LocalReads {

    /** This often the leader confirms the state if no read asks for it: the shown lag is at most this old. */
    private static final long CONFIRM_MILLIS = 1_000;

    /** At least so many confirmations are made in the time that a read may be stale. */
    private static final int CONFIRMS_PER_STALENESS = 4;

    private static final Reply.Failure MULTI_TOO_LARGE = new Reply.Failure(
            ErrorCode.TOO_LARGE, "the replies to a MULTI have at most " + Limits.MULTI_REPLY_BYTES_MAX + " bytes");

    /** For a read that came just as loading a snapshot began; later reads wait. */
    static final Reply.Failure LOADING =
            new Reply.Failure(ErrorCode.BUSY, "this node takes over another node's snapshot");

    /** No round has ended yet. */
    private static final long NEVER = Long.MIN_VALUE;

    private final StateMachine stateMachine;
    private final ClusterClock clock;
    private final LongSupplier nanoTime;
    private final long maxStalenessMillis;
    private final AcknowledgedWrites acknowledged = new AcknowledgedWrites();
    private final ApplyDelay delay;

    /** How many reads wait. The apply thread wakes the lanes only if there are any. */
    private final AtomicInteger waiting = new AtomicInteger();

    /** When the last round that has ended began. */
    private final AtomicLong confirmedNanos = new AtomicLong(NEVER);

    private volatile long appliedIndex;
    private volatile boolean caughtUp;

    /**
     * Reads from what is applied here.
     *
     * @param nanoTime the machine's monotonic clock, as {@link System#nanoTime()}
     * @param maxStalenessMillis how old the state may be that a local read shows, or 0 for no bound
     */
    public LocalReads(StateMachine stateMachine, ClusterClock clock, LongSupplier nanoTime, long maxStalenessMillis) {
        this.stateMachine = stateMachine;
        this.clock = clock;
        this.nanoTime = nanoTime;
        this.maxStalenessMillis = maxStalenessMillis;
        this.delay = new ApplyDelay(nanoTime, () -> appliedIndex);
    }

    /** The reply to a local read, from what is applied here now; see {@link #isCurrent}. */
    public Reply read(Command.Read read) {
        if (read instanceof Command.MultiRead multi) {
            return severalOf(multi, this::readKey);
        }
        return readKey((Command.KeyRead) read);
    }

    private Reply readKey(Command.KeyRead read) {
        Cursor cursor = new Cursor();
        Reply reply = readAt(read, cursor);
        return reply == null ? new Reply.Value(cursor.value()) : reply;
    }

    /**
     * The same without a copy of what is read most, a small value: if it returns null, the reply is the value on which
     * the cursor stands. Then it has allocated nothing.
     */
    public @Nullable Reply readAt(Command.Read read, Cursor cursor) {
        return read instanceof Command.KeyRead one ? readAt(one, cursor) : read(read);
    }

    private @Nullable Reply readAt(Command.KeyRead read, Cursor cursor) {
        Key key = read.key();
        Store store = stateMachine.store();
        if (!store.find(key.bytes(), key.hash(), cursor)) {
            return StateMachine.isLoading(store) ? LOADING : Reply.Failure.NOT_FOUND;
        }
        if (read instanceof Command.Get && cursor.isPlainInRecord()) {
            boolean expired = cursor.hasDeadline() && cursor.isExpiredAt(clock.estimateMillis());
            return expired ? Reply.Failure.NOT_FOUND : null;
        }
        return ReadReplies.of(read, cursor.entry(), clock.estimateMillis());
    }

    /** The reply to a linearizable read; after a round, and after the time was logged if {@link #isDueUnlogged}. */
    public Reply readLogged(Command.Read read) {
        if (read instanceof Command.MultiRead multi) {
            return severalOf(multi, this::readKeyLogged);
        }
        return readKeyLogged((Command.KeyRead) read);
    }

    private Reply readKeyLogged(Command.KeyRead read) {
        StateMachine.Sighting seen = look(read.key());
        if (seen == null) {
            return LOADING;
        }
        return seen.entry() == null ? Reply.Failure.NOT_FOUND : ReadReplies.of(read, seen.entry(), seen.clockMillis());
    }

    private StateMachine.@Nullable Sighting look(Key key) {
        return stateMachine.look(key.bytes(), key.hash());
    }

    private static Reply severalOf(Command.MultiRead multi, Function<Command.KeyRead, Reply> reader) {
        List<Reply> replies = new ArrayList<>(multi.reads().size());
        long bytes = 0;
        for (Command.KeyRead read : multi.reads()) {
            Reply reply = reader.apply(read);
            if (reply == LOADING) {
                return LOADING;
            }
            bytes += ReadReplies.valueBytes(reply);
            if (bytes > Limits.MULTI_REPLY_BYTES_MAX) {
                return MULTI_TOO_LARGE;
            }
            replies.add(reply);
        }
        return new Reply.Several(replies);
    }

    /** Whether an entry has expired by this node's estimate of the time, but not yet by the time in the log. */
    public boolean isDueUnlogged(Command.Read read) {
        return keyReads(read).stream().anyMatch(one -> isDueUnlogged(one.key()));
    }

    private boolean isDueUnlogged(Key key) {
        StateMachine.Sighting seen = look(key);
        Entry entry = seen == null ? null : seen.entry();
        if (seen == null || entry == null) {
            return false;
        }
        long estimate = clock.estimateMillis();
        return entry.isExpiredAt(estimate) != entry.isExpiredAt(seen.clockMillis())
                || entry.isGoneAt(estimate) != entry.isGoneAt(seen.clockMillis());
    }

    private static List<? extends Command.KeyRead> keyReads(Command.Read read) {
        return read instanceof Command.MultiRead multi ? multi.reads() : List.of((Command.KeyRead) read);
    }

    /** Whether a local {@link #read} may be answered now, or has to wait. */
    public boolean isCurrent(Command.Read read) {
        return isApplied(indexFor(read)) && !isStale();
    }

    /** Whether this node's state may be too old for local reads; see {@code max-staleness-millis}. */
    public boolean isStale() {
        if (maxStalenessMillis == 0) {
            return false;
        }
        long lag = lagMillis();
        return lag < 0 || lag > maxStalenessMillis;
    }

    /**
     * A round that began at that {@link System#nanoTime()} is over: every write that any node had acknowledged before
     * it is applied here.
     */
    public void onConfirmed(long begunNanos) {
        confirmedNanos.accumulateAndGet(begunNanos, (last, begun) -> last == NEVER || begun - last > 0 ? begun : last);
    }

    /**
     * How old the state that local reads show is at most, in milliseconds: every write that any node had acknowledged
     * that long ago is applied here. -1 before the first confirmation.
     */
    public long lagMillis() {
        long confirmed = confirmedNanos.get();
        return confirmed == NEVER ? -1 : TimeUnit.NANOSECONDS.toMillis(nanoTime.getAsLong() - confirmed);
    }

    /** A node has its state confirmed this often, in milliseconds. */
    public long confirmIntervalMillis() {
        return maxStalenessMillis == 0
                ? CONFIRM_MILLIS
                : Math.min(CONFIRM_MILLIS, maxStalenessMillis / CONFIRMS_PER_STALENESS);
    }

    /**
     * Whether a read that needs this index may be answered. After a start, reads also wait until this node
     * knows the time: an entry that was shown as expired must not reappear. While a snapshot is loaded, every read
     * waits.
     */
    boolean isApplied(long index) {
        return caughtUp && clock.isAnchored() && index <= appliedIndex && !isLoading();
    }

    /** Whether this node has dropped its state and is loading a snapshot. */
    public boolean isLoading() {
        return StateMachine.isLoading(stateMachine.store());
    }

    /** The log index that must be applied here before this read. 0 if there is none, or if all of them are applied. */
    public long indexFor(Command.Read read) {
        if (read instanceof Command.KeyRead one) {
            return indexFor(one);
        }
        if (read instanceof Command.RegionRead) {
            return acknowledged.indexForAll();
        }
        return keyReads(read).stream().mapToLong(this::indexFor).max().orElse(0);
    }

    private long indexFor(Command.KeyRead read) {
        return acknowledged.indexFor(read.key().hash(), appliedIndex);
    }

    /** The cluster's format, see {@link io.dshm.proto.Formats}. Any thread. */
    public int format() {
        return stateMachine.format();
    }

    /** Who may do what, as of the last entry that is applied here. Any thread. */
    public Users users() {
        return stateMachine.users();
    }

    public StateMachine stateMachine() {
        return stateMachine;
    }

    /** How large the state may become. */
    public MemoryLimit memory() {
        return stateMachine.memory();
    }

    public ClusterClock clock() {
        return clock;
    }

    /** The log index that must be applied here before a whole region is read. */
    public long indexForAll() {
        return acknowledged.indexForAll();
    }

    /** Makes later reads on this node wait for a write that is acknowledged now, if it is not applied here yet. */
    public void acknowledge(Command.Write write, long index) {
        if (write instanceof Command.KeyWrite one) {
            acknowledge(one.key(), index);
        } else if (write instanceof Command.Multi multi) {
            multi.writes().forEach(one -> acknowledge(one.key(), index));
        } else if (write instanceof Command.TakeAll all) {
            all.takes().forEach(one -> acknowledge(one.key(), index));
        } else if (write instanceof Command.Identified identified) {
            acknowledge(identified.write(), index);
        } else if (index > appliedIndex) {
            acknowledged.recordAll(index);
        }
    }

    /** The same for a write of that key. */
    public void acknowledge(Key key, long index) {
        if (index > appliedIndex) {
            acknowledged.record(key.hash(), index);
            delay.onAcknowledged(index);
        }
    }

    public AtomicInteger waiting() {
        return waiting;
    }

    /** The index of the last entry applied here. */
    public long appliedIndex() {
        return appliedIndex;
    }

    /** Called by the apply thread after each entry, before anybody learns an outcome of it. */
    public void onApplied(long index) {
        appliedIndex = index;
        delay.onApplied(index);
    }

    /**
     * How long this node takes to apply what the leader has acknowledged, in microseconds, as an average of the last
     * writes that were taken here; -1 if there were none while another node led.
     */
    public long applyDelayMicros() {
        return delay.averageMicros();
    }

    /**
     * Called when this node has applied all that was committed when it started. Until then its store is older than what
     * it showed before the restart, and no read is answered from it.
     */
    public void onCaughtUp() {
        caughtUp = true;
    }

    /** Whether this node has been up to date since it started. */
    public boolean isCaughtUp() {
        return caughtUp;
    }
}
