package io.dshm.server.store;

import static io.dshm.server.store.Entries.assertSameEntry;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Random writes while a view is read: the view must show exactly the copy that was made when it was opened. */
class ViewModelTest {

    private static final int ROUNDS = 60;

    @ParameterizedTest
    @EnumSource(Keys.class)
    void a_view_equals_the_copy_when_the_writer_steps_in_between_entries(Keys keys) throws Exception {
        long seed = Keys.seed();
        try {
            Random random = new Random(seed);
            Model model = filled(keys, 1 << (3 + random.nextInt(8)), random);
            for (int round = 0; round < ROUNDS; round++) {
                Map<String, Entry> copy = new HashMap<>(model.expected);
                long clockMillis = model.clockMillis;
                int stepsMax = 1 + random.nextInt(10);
                int putPercent = 10 + random.nextInt(80);
                try (View view = model.store.view()) {
                    Map<String, Entry> shown = new HashMap<>();
                    for (int i = random.nextInt(100); i > 0; i--) {
                        model.step(putPercent);
                    }
                    view.forEach((key, entry) -> {
                        assertNull(shown.put(Keys.text(key), entry), "delivered twice");
                        for (int i = random.nextInt(stepsMax); i > 0; i--) {
                            model.step(putPercent);
                        }
                    });
                    assertShows(copy, clockMillis, shown);
                }
            }
            model.check();
            model.checkCountersAfterPurge();
        } catch (AssertionError e) {
            throw new AssertionError("repeat with -Ddshm.seed=" + seed + ": " + e.getMessage(), e);
        }
    }

    @ParameterizedTest
    @EnumSource(Keys.class)
    void a_view_equals_the_copy_when_the_writer_goes_on_in_another_thread(Keys keys) throws Exception {
        long seed = Keys.seed();
        ExecutorService reader = Executors.newSingleThreadExecutor();
        try {
            Random random = new Random(seed);
            boolean chains = keys == Keys.ALL_EQUAL || keys == Keys.CLUSTERED;
            Model model = filled(keys, chains ? 200 : 20_000, random);
            for (int round = 0; round < ROUNDS; round++) {
                Map<String, Entry> copy = new HashMap<>(model.expected);
                long clockMillis = model.clockMillis;
                // Whole rounds of growth and of shrinking, so that segments are resized under the reader.
                int putPercent = round % 4 < 2 ? 90 : 5;
                try (View view = model.store.view()) {
                    Future<Map<String, Entry>> walk = reader.submit(() -> contentOf(view));
                    while (!walk.isDone()) {
                        model.step(putPercent);
                    }
                    assertShows(copy, clockMillis, walk.get());
                }
                for (int i = 0; i < 2000; i++) {
                    model.step(putPercent);
                }
            }
            model.check();
            model.checkCountersAfterPurge();
        } catch (AssertionError e) {
            throw new AssertionError("began with -Ddshm.seed=" + seed + ": " + e.getMessage(), e);
        } finally {
            reader.shutdownNow();
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Keys.class,
            names = {"ALL_EQUAL", "CLUSTERED"})
    void many_short_views_equal_their_copies_when_all_that_is_written_is_where_the_reader_is(Keys keys)
            throws Exception {
        long seed = Keys.seed();
        ExecutorService reader = Executors.newSingleThreadExecutor();
        try {
            Model model = filled(keys, 64, new Random(seed));
            for (int round = 0; round < 50 * ROUNDS; round++) {
                Map<String, Entry> copy = new HashMap<>(model.expected);
                long clockMillis = model.clockMillis;
                try (View view = model.store.view()) {
                    Future<Map<String, Entry>> walk = reader.submit(() -> contentOf(view));
                    while (!walk.isDone()) {
                        model.step(60);
                    }
                    assertShows(copy, clockMillis, walk.get());
                }
            }
        } catch (AssertionError e) {
            throw new AssertionError("began with -Ddshm.seed=" + seed + ": " + e.getMessage(), e);
        } finally {
            reader.shutdownNow();
        }
    }

    private static Model filled(Keys keys, int keyCount, Random random) {
        Model model = new Model(keys, keyCount, random);
        for (int i = 0; i < 2 * keyCount; i++) {
            model.step(90);
        }
        return model;
    }

    private static Map<String, Entry> contentOf(View view) throws IOException {
        Map<String, Entry> content = new HashMap<>();
        view.forEach((key, entry) -> assertNull(content.put(Keys.text(key), entry), "delivered twice"));
        return content;
    }

    /** Whether an entry that was gone before the view was opened is shown depends on whether it was purged. */
    private static void assertShows(Map<String, Entry> copy, long clockMillis, Map<String, Entry> shown) {
        shown.forEach((key, entry) -> assertSameEntry(copy.get(key), entry, key));
        copy.values().removeIf(entry -> entry.isGoneAt(clockMillis));
        shown.values().removeIf(entry -> entry.isGoneAt(clockMillis));
        assertEquals(copy.keySet(), shown.keySet());
    }
}
