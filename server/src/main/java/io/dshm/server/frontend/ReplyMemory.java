package io.dshm.server.frontend;

import io.dshm.proto.Reply;
import java.util.IdentityHashMap;

/**
 * The bytes of replies that wait for the clients of one event loop, as a part of what the whole node may hold. Confined
 * to the loop; the node's count lags behind by less than {@link #REPORT_BYTES}.
 */
final class ReplyMemory {

    /** Values of fewer bytes are counted once for each reply that holds them. */
    private static final int SHARED_BYTES_MIN = 64 * 1024;

    /** So that small replies cost no access to what all threads share. */
    private static final int REPORT_BYTES = 64 * 1024;

    private final MemoryBudget node;

    /** How many replies hold a large value: it is one array, however many clients ask for it. */
    private final IdentityHashMap<byte[], Integer> shared = new IdentityHashMap<>();

    private long bytes;
    private long reported;

    ReplyMemory(MemoryBudget node) {
        this.node = node;
    }

    /** Counts bytes; less than 0: no more. */
    void add(long more) {
        bytes += more;
        if (Math.abs(bytes - reported) >= REPORT_BYTES || bytes == 0) {
            report();
        }
    }

    private void report() {
        if (bytes != reported) {
            node.add(bytes - reported);
            reported = bytes;
        }
    }

    /** A reply refers to this array. */
    void hold(byte[] value) {
        if (value.length < SHARED_BYTES_MIN || shared.merge(value, 1, Integer::sum) == 1) {
            add(value.length);
        }
    }

    /** A reply refers to it no more. */
    void release(byte[] value) {
        if (value.length < SHARED_BYTES_MIN
                || shared.compute(value, (same, replies) -> replies == null || replies == 1 ? null : replies - 1)
                        == null) {
            add(-value.length);
        }
    }

    /** Whether this reply may wait, too. One of few bytes always may. */
    boolean hasRoomFor(Reply reply) {
        long more = addedBy(reply);
        return more < SHARED_BYTES_MIN || node.hasRoomFor(more);
    }

    private long addedBy(Reply reply) {
        if (reply instanceof Reply.Several several) {
            long sum = 0;
            for (Reply one : several.replies()) {
                sum += addedBy(one);
            }
            return sum;
        }
        byte[] value = UnreadReplies.valueOf(reply);
        if (value == null || (value.length >= SHARED_BYTES_MIN && shared.containsKey(value))) {
            return 0;
        }
        return value.length;
    }

    /** Whether the whole node holds more than it may. */
    boolean isExceeded() {
        return !node.hasRoomFor(0);
    }

    /** Whether the whole node is about to. */
    boolean isNearlyFull() {
        return node.isNearlyFull();
    }
}
