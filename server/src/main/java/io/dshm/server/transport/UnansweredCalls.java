package io.dshm.server.transport;

import io.dshm.proto.Limits;
import io.netty.channel.Channel;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Bounds what waits in this node for one connection of another one: requests without an answer, and answers that are
 * not sent. SOFAJRaft puts complete requests into queues without bounds. The connection is not read from while its own,
 * or those of all connections, are too many bytes; so the other side waits by TCP. A connection for which nothing waits
 * is always read from.
 *
 * <p>Confined to the connection's event loop; {@link Total} is shared.
 */
public final class UnansweredCalls {

    /** What a request costs beside its bytes: objects, a place in a queue. */
    private static final int REQUEST_OVERHEAD_BYTES = 1024;

    /** A request that its sender has given up may get no answer. After this time none is expected any more. */
    private static final long ANSWER_NANOS_MAX = TimeUnit.SECONDS.toNanos(30);

    private static final long LOOK_MILLIS = 50;

    private final Channel channel;
    private final Total total;
    private final LongSupplier nanoTime;

    /** By the request's number, in the order in which they came. */
    private final Map<Integer, Request> requests = new LinkedHashMap<>();

    private long bytes;
    private boolean ended;
    private @Nullable Future<?> looking;

    private record Request(long bytes, long nanos) {}

    /** What all connections may hold together. Thread-safe. */
    public static final class Total {

        private final long bytesMax;
        private final AtomicLong bytes = new AtomicLong();

        /** @param bytesMax bytes that wait on all connections; a single one may have half of them */
        public Total(long bytesMax) {
            this.bytesMax = bytesMax;
        }

        /** For a process with {@linkplain Limits#processMemoryBytes so much memory}. */
        public static Total ofMemory(long bytes) {
            return new Total(Math.max(Limits.RAFT_UNANSWERED_BYTES_MIN, bytes / 8));
        }

        private boolean isExceeded(long ofConnection) {
            return ofConnection > bytesMax / 2 || (ofConnection > 0 && bytes.get() > bytesMax);
        }

        /** Of all that waits. */
        public long bytes() {
            return bytes.get();
        }
    }

    /** For that connection, on which nothing waits; {@code nanoTime} is the machine's monotonic clock. */
    public UnansweredCalls(Channel channel, Total total, LongSupplier nanoTime) {
        this.channel = channel;
        this.total = total;
        this.nanoTime = nanoTime;
    }

    /** A request has come. False if another one of that number waits: no member does that. */
    public boolean took(int number, long requestBytes) {
        if (requests.containsKey(number)) {
            return false;
        }
        long size = REQUEST_OVERHEAD_BYTES + requestBytes;
        requests.put(number, new Request(size, nanoTime.getAsLong()));
        count(size);
        update();
        return true;
    }

    /** The request has its answer. */
    public void answered(int number) {
        Request request = requests.remove(number);
        if (request != null) {
            count(-request.bytes);
            update();
        }
    }

    /** So many bytes wait to be sent; or, below 0, do so no longer. */
    void sending(long more) {
        if (!ended) {
            count(more);
            update();
        }
    }

    /** The connection is closed. */
    public void end() {
        ended = true;
        requests.clear();
        count(-bytes);
        if (looking != null) {
            looking.cancel(false);
        }
    }

    private void count(long more) {
        bytes += more;
        total.bytes.addAndGet(more);
    }

    /** Reads from the connection if and only if there is room; looks again in a moment if there is not. */
    private void update() {
        boolean exceeded = total.isExceeded(bytes);
        if (channel.config().isAutoRead() == exceeded) {
            channel.config().setAutoRead(!exceeded);
        }
        if (exceeded && looking == null) {
            looking = channel.eventLoop().schedule(this::lookAgain, LOOK_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    private void lookAgain() {
        looking = null;
        long now = nanoTime.getAsLong();
        Iterator<Request> oldest = requests.values().iterator();
        while (oldest.hasNext()) {
            Request request = oldest.next();
            if (now - request.nanos < ANSWER_NANOS_MAX) {
                break;
            }
            oldest.remove();
            count(-request.bytes);
        }
        update();
    }
}
