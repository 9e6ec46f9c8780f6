package io.dshm.server.statemachine;

import io.dshm.proto.Key;
import io.dshm.server.store.Entry;
import io.dshm.server.store.Store;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The store as commands see it: by key, with a version for each write, and for some of them all or nothing.
 *
 * <p>Between {@link #begin} and {@link #commit} or {@link #abandon}, what is written is seen here, and nowhere else.
 *
 * <p>Confined to the thread that applies.
 */
final class Entries {

    private final Store store;
    private long lastVersion;

    /** What is not in the store yet, null for a key that was removed; null itself where nothing is begun. */
    private @Nullable Map<Key, @Nullable Entry> begun;

    private long versionBefore;

    Entries(Store store, long lastVersion) {
        this.store = store;
        this.lastVersion = lastVersion;
    }

    /** The version of the last write. */
    long lastVersion() {
        return lastVersion;
    }

    /** A version for the next write. */
    long nextVersion() {
        return ++lastVersion;
    }

    /** The entry of a key, unless it has expired. */
    @Nullable
    Entry find(Key key, long clockMillis) {
        Entry entry = peek(key);
        return entry == null || entry.isExpiredAt(clockMillis) ? null : entry;
    }

    /**
     * The entry of a key, unless it is {@linkplain Entry#isGoneAt gone}: expired ones that are kept are the same on all
     * nodes.
     */
    @Nullable
    Entry findStale(Key key, long clockMillis) {
        Entry entry = peek(key);
        return entry == null || entry.isGoneAt(clockMillis) ? null : entry;
    }

    private @Nullable Entry peek(Key key) {
        if (begun != null && begun.containsKey(key)) {
            return begun.get(key);
        }
        return store.get(key.bytes(), key.hash());
    }

    /** Sets the entry of a key; its version is from {@link #nextVersion}. */
    void put(Key key, Entry entry) {
        if (begun == null) {
            store.put(key.bytes(), key.hash(), entry);
        } else {
            begun.put(key, entry);
        }
    }

    /** Removes the entry of a key, if there is one. */
    void remove(Key key) {
        lastVersion++;
        if (begun == null) {
            store.remove(key.bytes(), key.hash());
        } else {
            begun.put(key, null);
        }
    }

    /**
     * Removes the entry of a key if it is of that version, and holds a value. An expired one may be purged on some
     * nodes and not on others: it takes a version either way. Not where something is begun.
     */
    void evict(Key key, long version) {
        lastVersion++;
        Entry entry = store.get(key.bytes(), key.hash());
        if (entry != null && entry.version() == version && entry.isEvictable()) {
            store.remove(key.bytes(), key.hash());
        }
    }

    /** Empties a region. Not where something is begun. */
    void flush(byte[] region) {
        store.flushRegion(region, ++lastVersion);
    }

    /** Keeps what is written from here on. */
    void begin() {
        begun = new LinkedHashMap<>();
        versionBefore = lastVersion;
    }

    /** Lets all that was kept take effect. */
    void commit() {
        Map<Key, @Nullable Entry> written = end();
        written.forEach((key, entry) -> {
            if (entry == null) {
                store.remove(key.bytes(), key.hash());
            } else {
                store.put(key.bytes(), key.hash(), entry);
            }
        });
    }

    /** Forgets all that was kept. */
    void abandon() {
        end();
        lastVersion = versionBefore;
    }

    private Map<Key, @Nullable Entry> end() {
        Map<Key, @Nullable Entry> written = begun;
        if (written == null) {
            throw new IllegalStateException("nothing is begun");
        }
        begun = null;
        return written;
    }
}
