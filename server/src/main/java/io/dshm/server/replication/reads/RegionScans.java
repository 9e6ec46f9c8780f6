package io.dshm.server.replication.reads;

import io.dshm.proto.Command;
import io.dshm.proto.Limits;
import io.dshm.proto.Reply;
import io.dshm.server.statemachine.StateMachine;
import io.dshm.server.store.Cursor;
import io.dshm.server.store.RegionUse;
import io.dshm.server.store.Store;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Requests that look through all store entries of this node, such as KEYS. One thread runs them, one request after
 * the other, so that they take no event loop's time and hardly any memory. Thread-safe.
 */
public final class RegionScans implements AutoCloseable {

    private final LocalReads reads;
    private final ThreadPoolExecutor executor = new ThreadPoolExecutor(
            1, 1, 0, TimeUnit.SECONDS, new ArrayBlockingQueue<>(Limits.SCANS_WAITING_MAX), task -> {
                Thread thread = new Thread(task, "regions");
                thread.setDaemon(true);
                return thread;
            });

    public RegionScans(LocalReads reads) {
        this.reads = reads;
    }

    /** Runs a task on the thread that may look at all entries; false if too many wait. */
    public boolean execute(Runnable task) {
        try {
            executor.execute(task);
            return true;
        } catch (RejectedExecutionException e) {
            return false;
        }
    }

    @Override
    public void close() {
        executor.shutdownNow();
    }

    /** The reply to a read of a region, by what is applied here. To be called in {@link #execute}. */
    public Reply reply(Command.RegionRead read) {
        long clockMillis = reads.clock().estimateMillis();
        Store store = reads.stateMachine().store();
        if (StateMachine.isLoading(store)) {
            return LocalReads.LOADING;
        }
        return read instanceof Command.Keys keys
                ? keys(keys, store, clockMillis)
                : info(read.region(), store, clockMillis);
    }

    @SuppressWarnings("ArrayRecordComponent") // read only
    private record Found(byte[] key, long version) {}

    /** Keeps the oldest that were found so far, the newest of them at the head. */
    private static Reply keys(Command.Keys request, Store store, long clockMillis) {
        PriorityQueue<Found> oldest =
                new PriorityQueue<>(Comparator.comparingLong(Found::version).reversed());
        long[] count = {0};
        store.forEachOf(request.region(), there -> {
            if (there.version() <= request.after() || there.isExpiredAt(clockMillis)) {
                return;
            }
            count[0]++;
            if (oldest.size() == request.max()) {
                if (oldest.element().version() <= there.version()) {
                    return;
                }
                oldest.remove();
            }
            oldest.add(new Found(there.key(), there.version()));
        });
        List<Found> found = new ArrayList<>(oldest);
        found.sort(Comparator.comparingLong(Found::version));
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        int told = 0;
        for (; told < found.size() && bytes.size() < Limits.KEYS_BYTES_MAX; told++) {
            bytes.writeBytes(found.get(told).key);
            bytes.write('\n');
        }
        String next = told < count[0] ? " next=" + found.get(told - 1).version : "";
        return new Reply.Detailed(bytes.toByteArray(), "count=" + told + next);
    }

    private Reply info(byte[] region, Store store, long clockMillis) {
        long[] counts = new long[3];
        store.forEachOf(region, there -> {
            if (!there.isGoneAt(clockMillis)) {
                counts[there.isExpiredAt(clockMillis) ? 1 : 0]++;
                counts[2] += there.bytes();
            }
        });
        long capacity = reads.memory().bytesMax();
        long free = capacity - reads.stateMachine().bytes();
        RegionUse use = store.regionUseOf(region);
        if (use != null) {
            capacity = Math.min(capacity, use.bytesMax());
            free = Math.min(free, use.bytesMax() - use.bytes());
        }
        return new Reply.Detailed(
                null,
                "entries=" + counts[0] + " stale=" + counts[1] + " bytes=" + counts[2] + " capacity=" + capacity
                        + " free=" + Math.max(0, free));
    }

    /**
     * Keys of a region whose entries are expired and still kept, in portions for one log record each. To be called in
     * {@link #execute}.
     */
    public List<List<byte[]>> expired(Command.FlushExpired request) {
        long clockMillis = reads.clock().estimateMillis();
        long max = request.max() == 0 ? Long.MAX_VALUE : request.max();
        List<List<byte[]>> portions = new ArrayList<>();
        long[] found = {0, Limits.PURGE_BYTES_MAX};
        reads.stateMachine().store().forEachOf(request.region(), there -> {
            if (found[0] == max || !isStale(there, clockMillis)) {
                return;
            }
            if (found[1] >= Limits.PURGE_BYTES_MAX || last(portions).size() == Limits.PURGE_KEYS_MAX) {
                portions.add(new ArrayList<>());
                found[1] = 0;
            }
            byte[] key = there.key();
            last(portions).add(key);
            found[0]++;
            found[1] += key.length;
        });
        return portions;
    }

    private static boolean isStale(Cursor there, long clockMillis) {
        return there.isExpiredAt(clockMillis) && !there.isGoneAt(clockMillis);
    }

    private static List<byte[]> last(List<List<byte[]>> portions) {
        return portions.get(portions.size() - 1);
    }
}
