package io.dshm.server.statemachine;

import io.dshm.proto.Key;
import io.dshm.server.store.Entry;
import io.dshm.server.store.EntryBytes;
import io.dshm.server.store.Store;
import org.jspecify.annotations.Nullable;

/**
 * Puts the entries of a snapshot into a store, some at a time, because of {@link Store#prefetch}: each node has hashes
 * of its own, so the order in which another node wrote them is a random one here.
 *
 * <p>Used by one thread.
 */
final class LoadedEntries {

    /** Of entries that are not in the store yet. */
    private static final long BYTES_MAX = 256 * 1024;

    private final Store store;
    private final StateRoom room;
    private final byte[][] keys = new byte[Lookahead.KEYS][];
    private final int[] hashes = new int[Lookahead.KEYS];
    private final @Nullable Entry[] entries = new Entry[Lookahead.KEYS];
    private int count;
    private long bytes;
    private long bytesWithoutRoom;

    LoadedEntries(Store store, StateRoom room) {
        this.store = store;
        this.room = room;
    }

    void add(byte[] key, Entry entry) {
        keys[count] = key;
        hashes[count] = Key.of(key).hash();
        entries[count] = entry;
        count++;
        bytes += EntryBytes.of(key, entry);
        if (count == Lookahead.KEYS || bytes >= BYTES_MAX) {
            flush();
        }
    }

    /** Puts those that are left; after the last one. */
    void flush() {
        store.prefetch(hashes, count);
        for (int i = 0; i < count; i++) {
            put(keys[i], hashes[i], entries[i]);
            entries[i] = null;
        }
        count = 0;
        bytes = 0;
    }

    private void put(byte[] key, int hash, Entry entry) {
        if (store.bytes() <= room.holdMax()) {
            store.put(key, hash, entry);
        } else {
            // There is no room for it. It is counted only, for the message that says how much memory is needed.
            bytesWithoutRoom += EntryBytes.of(key, entry);
        }
    }

    /** What the entries would take that were not put. */
    long bytesWithoutRoom() {
        return bytesWithoutRoom;
    }
}
