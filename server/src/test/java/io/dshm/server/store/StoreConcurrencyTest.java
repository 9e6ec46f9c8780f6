package io.dshm.server.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** One writer, several readers: what a reader must never see. */
class StoreConcurrencyTest {

    private static final int READERS = 3;

    private final Store store = new Store();
    private final ExecutorService executor = Executors.newFixedThreadPool(READERS);
    private final List<Future<Void>> readers = new ArrayList<>();

    /** What the writer has done and announced: a read that begins afterwards must see it. */
    private volatile long announced;

    private volatile boolean over;

    @AfterEach
    void stop() {
        over = true;
        executor.shutdownNow();
    }

    @ParameterizedTest
    @EnumSource(Keys.class)
    void a_key_that_is_always_there_is_always_found_and_never_goes_back(Keys keys) throws Exception {
        int pinned = 16;
        int passing = keys == Keys.ALL_EQUAL || keys == Keys.CLUSTERED ? 64 : 4096;
        byte[][] pinnedKeys = new byte[pinned][];
        long version = 0;
        for (int i = 0; i < pinned; i++) {
            pinnedKeys[i] = Keys.bytes("pinned" + i);
            version++;
            store.put(pinnedKeys[i], keys.hash(pinnedKeys[i]), entry(version));
        }
        announced = 0;
        readWhileWriting(() -> {
            long[] last = new long[pinned];
            while (!over) {
                for (int i = 0; i < pinned; i++) {
                    long before = announced;
                    Entry found = store.get(pinnedKeys[i], keys.hash(pinnedKeys[i]));
                    assertNotNull(found, "a key that is always there was not found");
                    long value = ByteBuffer.wrap(found.value()).getLong();
                    assertTrue(value == found.version() && value >= last[i], "a value went back");
                    // The writer comes to every key once in as many steps, with two versions a step at most.
                    assertTrue(value >= before - 2L * pinned, "an announced write was missed");
                    last[i] = value;
                }
            }
            return null;
        });
        for (int round = 0; round < 40; round++) {
            boolean growing = round % 2 == 0;
            for (int i = 0; i < passing; i++) {
                byte[] key = Keys.bytes("passing" + i);
                if (growing) {
                    version++;
                    store.put(key, keys.hash(key), entry(version));
                } else {
                    store.remove(key, keys.hash(key));
                }
                byte[] pinnedKey = pinnedKeys[i % pinned];
                version++;
                store.put(pinnedKey, keys.hash(pinnedKey), entry(version));
                announced = version;
            }
            store.sweep(0, Integer.MAX_VALUE);
        }
        finish();
    }

    @Test
    void what_was_flushed_before_a_read_began_is_not_read_also_while_marks_are_dropped() throws Exception {
        byte[] key = Keys.bytes("r::key");
        byte[] region = Keys.bytes("r");
        readWhileWriting(() -> {
            while (!over) {
                long flushed = announced;
                Entry found = store.get(key, 0);
                assertTrue(found == null || found.version() >= flushed, "a flushed entry came back");
            }
            return null;
        });
        long version = 0;
        for (int round = 0; round < 3000; round++) {
            version++;
            store.put(key, 0, entry(version));
            version++;
            store.flushRegion(region, version);
            announced = version;
            store.sweep(0, Integer.MAX_VALUE);
            assertFalse(store.sweepPending());
        }
        finish();
    }

    @Test
    void a_flush_hides_all_entries_of_its_region_at_once() throws Exception {
        byte[] early = Keys.bytes("r::early");
        byte[] late = Keys.bytes("r::late");
        readWhileWriting(() -> {
            while (!over) {
                long written = announced;
                boolean flushed = store.get(early, 1) == null;
                Entry other = store.get(late, 2);
                assertTrue(
                        !flushed || other == null || other.version() > written,
                        "one entry was seen flushed, then the other was not");
            }
            return null;
        });
        long version = 0;
        for (int round = 0; round < 100_000; round++) {
            store.put(early, 1, entry(++version));
            // Between the two, so that only one of them is older than the last flush of any region.
            store.flushRegion(Keys.bytes("other"), ++version);
            store.put(late, 2, entry(++version));
            announced = version;
            store.flushRegion(Keys.bytes("r"), ++version);
            if (round % 16 == 0) {
                store.sweep(0, 1000);
            }
        }
        finish();
    }

    @Test
    void an_entry_that_is_read_is_whole_whatever_it_holds() throws Exception {
        int keyCount = 8;
        byte[][] all = new byte[keyCount][];
        for (int i = 0; i < keyCount; i++) {
            all[i] = Keys.bytes("key" + i);
        }
        readWhileWriting(() -> {
            while (!over) {
                for (int i = 0; i < keyCount; i++) {
                    Entry found = store.get(all[i], 42);
                    if (found != null) {
                        assertTrue(found.version() * 7 % keyCount == i, "another key's entry");
                        assertTrue(found.expiresAtMillis() == deadline(found.version()), "another entry's deadline");
                        assertWhole(found);
                    }
                }
            }
            return null;
        });
        for (long version = 1; version < 300_000; version++) {
            byte[] key = all[(int) (version * 7 % keyCount)];
            if (version % 5 < 2) {
                store.remove(key, 42);
            } else {
                store.put(key, 42, Entry.ofContent(content(version), deadline(version), version));
            }
        }
        finish();
    }

    private static long deadline(long version) {
        return version % 3 == 0 ? Entry.NEVER : version * 1000;
    }

    /** Of any kind, and such that it shows of which version it is. */
    private static Object content(long version) {
        if (version % 17 == 0) {
            return Keys.filled(Draft.INLINE_BYTES_MAX + 1, version);
        }
        return switch ((int) (version % 4)) {
            case 0 -> new Typed((double) version, (int) version);
            case 1 -> new Typed(ListValue.EMPTY.push(true, (double) version), (int) version);
            default -> Keys.filled((int) (version % 100), version);
        };
    }

    private static void assertWhole(Entry found) {
        long version = found.version();
        if (found.isPlain()) {
            assertArrayEquals((byte[]) content(version), found.value());
        } else {
            Typed typed = found.typed();
            Object number =
                    typed.value() instanceof ListValue list ? list.elements().get(0) : typed.value();
            assertTrue(typed.flags() == (int) version && number.equals((double) version), "another entry's content");
        }
    }

    private static Entry entry(long version) {
        byte[] value = Keys.valueOf(version);
        // Now and then one that is an object of its own.
        return Entry.of(
                version % 5 == 0 ? Arrays.copyOf(value, Draft.INLINE_BYTES_MAX + 1) : value, Entry.NEVER, version);
    }

    private void readWhileWriting(Callable<Void> reader) {
        for (int i = 0; i < READERS; i++) {
            readers.add(executor.submit(reader));
        }
    }

    private void finish() throws Exception {
        over = true;
        for (Future<Void> reader : readers) {
            reader.get();
        }
    }
}
