package io.dshm.server.statemachine;

import com.google.protobuf.ByteString;
import io.dshm.proto.Key;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.LogEntry;
import io.dshm.server.store.Store;
import org.jspecify.annotations.Nullable;

/**
 * Lets the store {@linkplain Store#prefetch prefetch} the keys of the next commands, so that the processor does not
 * wait for memory with each of them. It matters where many commands come at once: with a large state, a node that
 * applies the log behind its snapshot after a start would wait most of the time.
 *
 * <p>Confined to the thread that applies.
 */
final class Lookahead {

    /** So many keys at a time; what is read for them fits into a cache of a processor. */
    static final int KEYS = 128;

    /** With fewer there is nothing to gain. */
    private static final int KEYS_MIN = 4;

    private static final int KEY_BYTES_MAX = 256;

    private final int[] hashes = new int[KEYS];
    private final byte[] scratch = new byte[KEY_BYTES_MAX];

    /** Prefetches what the records of that log entry are about, from the one at that place on. */
    void records(LogEntry entry, int from, Store store) {
        int end = Math.min(entry.getRecordsCount(), from + KEYS);
        if (end - from < KEYS_MIN) {
            return;
        }
        int count = 0;
        for (int i = from; i < end; i++) {
            ByteString key = keyOf(entry.getRecords(i));
            if (key != null && key.size() <= KEY_BYTES_MAX) {
                key.copyTo(scratch, 0);
                hashes[count++] = Key.hashOf(scratch, key.size());
            }
        }
        store.prefetch(hashes, count);
    }

    /** The key of one of the most frequent commands; null for others. */
    private static @Nullable ByteString keyOf(CommandRecord record) {
        return switch (record.getCommandCase()) {
            case SET -> record.getSet().getKey();
            case TOUCH -> record.getTouch().getKey();
            case DELETE -> record.getDelete().getKey();
            case INCR -> record.getIncr().getKey();
            case RATE_LIMITER -> record.getRateLimiter().getKey();
            case PUT -> record.getPut().getKey();
            case REMOVE -> record.getRemove().getKey();
            case EXPIRE -> record.getExpire().getKey();
            case INCR_NUMBER -> record.getIncrNumber().getKey();
            case TAKE -> record.getTake().getKey();
            default -> null;
        };
    }
}
