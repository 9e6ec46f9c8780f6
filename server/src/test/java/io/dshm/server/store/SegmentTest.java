package io.dshm.server.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A reader takes two steps: it finds the slot of a key, and then reads what the slot holds. This does all that a writer may do between the two, on
 * one thread, so that what happens in real life once in a billion reads happens in each of them.
 */
class SegmentTest {

    /** Few, so that slots would be used again if that could be. */
    private static final int KEYS = 12;

    private static final int READERS = 4;

    /** A reader that has found a slot and not yet read it. */
    private static final class Reader {

        final Segment segment;
        final int key;
        final int slot;

        /** Versions of the key's entry since this reader began; 0 for none. */
        final Set<Long> admissible = new HashSet<>();

        Reader(Segment segment, int key, int slot, long version) {
            this.segment = segment;
            this.key = key;
            this.slot = slot;
            admissible.add(version);
        }
    }

    private final Store store = new Store();
    private final Cursor cursor = new Cursor();
    private final List<Reader> readers = new ArrayList<>();

    /** Of each key, 0 if it is not there. */
    private final long[] versions = new long[KEYS];

    private long version;

    @ParameterizedTest
    @EnumSource(Keys.class)
    void between_its_two_steps_a_reader_may_be_overtaken_and_sees_only_what_its_key_had_meanwhile(Keys keys) {
        long seed = Keys.seed();
        Random random = new Random(seed);
        for (int step = 0; step < 5_000; step++) {
            String message = "repeat with -Ddshm.seed=" + seed + ", step " + step;
            if (readers.size() == READERS) {
                finish(readers.remove(random.nextInt(READERS)), message);
            }
            begin(keys, random.nextInt(KEYS), message);
            // Now and then so many that the segment is replaced.
            for (int writes = random.nextInt(10) == 0 ? 40 : random.nextInt(4); writes > 0; writes--) {
                write(keys, random.nextInt(KEYS), random);
            }
        }
    }

    private void begin(Keys keys, int number, String message) {
        byte[] key = key(number);
        int hash = keys.hash(key);
        Segment segment = store.table().segment(Table.numberOf(hash));
        int slot = segment.find(key, hash);
        assertEquals(versions[number] != 0, slot >= 0, message);
        if (slot >= 0) {
            readers.add(new Reader(segment, number, slot, versions[number]));
        }
    }

    private void finish(Reader reader, String message) {
        boolean found = reader.segment.read(reader.slot, cursor);
        if (found) {
            assertEquals(Keys.text(key(reader.key)), Keys.text(cursor.key()), message + ": another key's entry");
        }
        long seen = found ? cursor.version() : 0;
        assertTrue(reader.admissible.contains(seen), message + ": version " + seen + " of " + reader.admissible);
    }

    private void write(Keys keys, int number, Random random) {
        byte[] key = key(number);
        version++;
        if (random.nextInt(5) < 2) {
            store.remove(key, keys.hash(key));
            written(number, 0);
        } else {
            store.put(key, keys.hash(key), Entry.ofContent(content(random), Entry.NEVER, version));
            written(number, version);
        }
    }

    private void written(int number, long now) {
        versions[number] = now;
        for (Reader reader : readers) {
            if (reader.key == number) {
                reader.admissible.add(now);
            }
        }
    }

    /** In the record, or outside of it: then it is dropped when the next one comes. */
    private static Object content(Random random) {
        return random.nextBoolean() ? new byte[random.nextInt(60)] : new byte[Draft.INLINE_BYTES_MAX + 1];
    }

    private static byte[] key(int number) {
        return Keys.bytes("key" + number);
    }
}
