package io.dshm.server.store;

import static io.dshm.server.store.Entries.assertSameEntry;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import io.dshm.server.store.limiters.Algorithm;
import io.dshm.server.store.limiters.Quota;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * A store and, beside it, the simplest thing that should behave the same: a map in which a flush deletes. It does one
 * random command at a time to both.
 */
final class Model {

    static final int REGIONS = 4;

    final Store store = new Store();
    final Map<String, Entry> expected = new HashMap<>();
    final Keys keys;
    long version;
    long clockMillis = 1;

    private final Random random;
    private final int keyCount;

    Model(Keys keys, int keyCount, Random random) {
        this.keys = keys;
        this.keyCount = keyCount;
        this.random = random;
    }

    /** One command, of which {@code putPercent} in a hundred are puts and most others removals. */
    void step(int putPercent) {
        // Now and then so much that what was kept after its deadline goes.
        clockMillis += random.nextInt(500) == 0 ? Entry.STALE_MILLIS : random.nextInt(3);
        String key = Keys.numbered(random.nextInt(keyCount), REGIONS);
        if (random.nextInt(100) < putPercent) {
            put(key, random.nextInt(4) == 0 ? clockMillis + 1 + random.nextInt(500) : Entry.NEVER);
        } else if (random.nextInt(200) == 0) {
            flush(random.nextInt(REGIONS));
        } else if (random.nextInt(10) == 0) {
            sweep(random.nextInt(20) == 0 ? Integer.MAX_VALUE : random.nextInt(2000));
        } else {
            remove(key);
        }
    }

    void put(String key, long expiresAtMillis) {
        version++;
        Entry entry = random.nextInt(3) == 0
                ? Entry.ofContent(content(), expiresAtMillis, version)
                : Entry.of(Keys.valueOf(version), expiresAtMillis, version);
        byte[] bytes = Keys.bytes(key);
        store.put(bytes, keys.hash(bytes), entry);
        expected.put(key, entry);
    }

    /** Anything that an entry can hold. */
    private Object content() {
        Quota quota = new Quota(1 + random.nextInt(1000), 1 + random.nextInt(100_000), 0);
        return switch (random.nextInt(11)) {
            case 0 -> new byte[0];
            case 1 -> new byte[Draft.INLINE_BYTES_MAX - 1 + random.nextInt(3)];
            case 2 -> new byte[random.nextInt(500)];
            case 3 ->
                Algorithm.FIXED
                        .fresh(quota, clockMillis)
                        .take(quota, clockMillis, 1)
                        .after();
            case 4 ->
                Algorithm.LEAKY
                        .fresh(quota, clockMillis)
                        .take(quota, clockMillis, 1)
                        .after();
            case 5 ->
                Algorithm.LOG
                        .fresh(quota, clockMillis)
                        .take(quota, clockMillis, 1)
                        .after();
            case 6 -> typed((double) version);
            case 7 -> typed(random.nextBoolean());
            case 8 -> typed(Keys.valueOf(version));
            case 9 -> typed(new byte[Draft.INLINE_BYTES_MAX + random.nextInt(2)]);
            default -> typed(ListValue.EMPTY.push(true, (double) version));
        };
    }

    private Typed typed(Object value) {
        return new Typed(value, random.nextInt());
    }

    void remove(String key) {
        version++;
        byte[] bytes = Keys.bytes(key);
        boolean removed = store.remove(bytes, keys.hash(bytes));
        Entry before = expected.remove(key);
        if (before == null || !before.isGoneAt(clockMillis)) {
            assertEquals(before != null, removed, key);
        }
    }

    void flush(int region) {
        version++;
        store.flushRegion(Keys.bytes(region == 0 ? "" : "r" + region), version);
        expected.keySet().removeIf(key -> regionOf(key) == region);
    }

    void sweep(int bucketsMax) {
        store.sweep(clockMillis, bucketsMax);
    }

    private static int regionOf(String key) {
        return Integer.parseInt(key.substring(key.indexOf("key") + 3)) % REGIONS;
    }

    /** What readers must see: entries that are gone may be there or not. */
    void check() {
        for (int number = 0; number < keyCount; number++) {
            String key = Keys.numbered(number, REGIONS);
            check(key, expected.get(key));
        }
    }

    private void check(String key, @Nullable Entry entry) {
        byte[] bytes = Keys.bytes(key);
        Entry found = store.get(bytes, keys.hash(bytes));
        if (entry != null && !entry.isGoneAt(clockMillis)) {
            assertSameEntry(entry, found, key);
        } else if (found != null) {
            assertNotNull(entry, key);
            assertSameEntry(entry, found, key);
        }
    }

    /** When a cycle under way has ended and another has passed, nothing dead is left, and the counters are exact. */
    void checkCountersAfterPurge() {
        sweep(Integer.MAX_VALUE);
        sweep(Integer.MAX_VALUE);
        expected.values().removeIf(entry -> entry.isGoneAt(clockMillis));
        assertEquals(expected.size(), store.entryCount());
        assertEquals(expected.values().stream().filter(Entry::hasDeadline).count(), store.deadlineCount());
        long bytes = 0;
        for (Map.Entry<String, Entry> entry : expected.entrySet()) {
            bytes += EntryBytes.of(Keys.bytes(entry.getKey()), entry.getValue());
        }
        assertEquals(bytes, store.bytes());
        assertEquals(store.deadlineCount() > 0, store.sweepPending());
    }
}
