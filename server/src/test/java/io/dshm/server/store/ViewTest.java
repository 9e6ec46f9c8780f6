package io.dshm.server.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** A view shows the moment at which it was opened, whatever happens afterwards. */
class ViewTest {

    private static final int FULL_CYCLE = Integer.MAX_VALUE;

    private final Store store = new Store();
    private long version;

    @Test
    void a_view_of_nothing_shows_nothing() throws IOException {
        try (View view = store.view()) {
            put("k", "later");
            assertEquals(Map.of(), contentOf(view));
        }
    }

    @Test
    void it_shows_what_was_there_when_it_was_opened() throws IOException {
        put("replaced", "old");
        put("removed", "old");
        put("removed and put again", "old");
        put("untouched", "old");
        put("expired", "old", 10);
        put("a::flushed", "old");
        try (View view = store.view()) {
            put("replaced", "new");
            put("replaced", "newer");
            remove("removed");
            remove("removed and put again");
            put("removed and put again", "new");
            put("added", "new");
            flush("a");
            store.sweep(10, FULL_CYCLE);
            assertEquals(
                    Map.of(
                            "replaced", "old",
                            "removed", "old",
                            "removed and put again", "old",
                            "untouched", "old",
                            "expired", "old",
                            "a::flushed", "old"),
                    contentOf(view));
        }
    }

    @Test
    void what_was_flushed_before_is_not_shown_even_if_it_is_purged_or_flushed_again_meanwhile() throws IOException {
        put("a::1", "old");
        flush("a");
        put("a::2", "after the flush");
        try (View view = store.view()) {
            flush("a");
            put("a::1", "new");
            flush("a");
            store.sweep(0, FULL_CYCLE);
            flush("a");
            assertEquals(Map.of("a::2", "after the flush"), contentOf(view));
        }
        assertNull(get("a::2"));
    }

    @Test
    void what_the_writer_does_between_two_entries_changes_nothing() throws IOException {
        for (int i = 0; i < 1000; i++) {
            put("k" + i, "old");
        }
        Map<String, String> content = new TreeMap<>();
        try (View view = store.view()) {
            view.forEach((key, entry) -> {
                int next = content.size();
                assertNull(content.put(Keys.text(key), Keys.text(entry.value())), "delivered twice");
                put("k" + next, "new");
                remove("k" + (999 - next));
                put("new" + next, "new");
            });
        }
        assertEquals(1000, content.size());
        content.forEach((key, value) -> assertEquals("old", value, key));
    }

    @Test
    void one_view_at_a_time() {
        View view = store.view();
        assertThrows(IllegalStateException.class, store::view);
        view.close();
        View second = store.view();
        view.close();
        assertThrows(IllegalStateException.class, store::view, "closing again does not close another's view");
        second.close();
        store.view().close();
    }

    @Test
    void a_view_is_walked_once() throws IOException {
        try (View view = store.view()) {
            contentOf(view);
            assertThrows(IllegalStateException.class, () -> contentOf(view));
        }
    }

    @Test
    void a_view_that_is_closed_says_so_rather_than_show_less() {
        for (int i = 0; i < 100; i++) {
            put("k" + i, "v");
        }
        View closedBefore = store.view();
        closedBefore.close();
        assertThrows(IllegalStateException.class, () -> contentOf(closedBefore));
        View closedMeanwhile = store.view();
        assertThrows(
                IllegalStateException.class, () -> closedMeanwhile.forEach((key, entry) -> closedMeanwhile.close()));
    }

    @Test
    void the_consumer_s_failure_is_the_caller_s() {
        put("k", "v");
        IOException failure = new IOException("disk full");
        try (View view = store.view()) {
            IOException thrown = assertThrows(
                    IOException.class,
                    () -> view.forEach((key, entry) -> {
                        throw failure;
                    }));
            assertSame(failure, thrown);
        }
        store.view().close();
    }

    @Test
    void a_write_that_would_belong_to_the_view_is_refused() {
        put("k", "v");
        long old = version;
        Entry late = Entry.of(Keys.bytes("late"), Entry.NEVER, old);
        byte[] key = Keys.bytes("k");
        try (View view = store.view()) {
            assertEquals(old, view.version());
            assertThrows(IllegalArgumentException.class, () -> store.put(key, Keys.MIXED.hash(key), late));
        }
        assertEquals("v", get("k"));
    }

    private static Map<String, String> contentOf(View view) throws IOException {
        Map<String, String> content = new TreeMap<>();
        view.forEach(
                (key, entry) -> assertNull(content.put(Keys.text(key), Keys.text(entry.value())), "delivered twice"));
        return content;
    }

    private void put(String key, String value) {
        put(key, value, Entry.NEVER);
    }

    private void put(String key, String value, long expiresAtMillis) {
        byte[] bytes = Keys.bytes(key);
        store.put(bytes, Keys.MIXED.hash(bytes), Entry.of(Keys.bytes(value), expiresAtMillis, ++version));
    }

    private @Nullable String get(String key) {
        byte[] bytes = Keys.bytes(key);
        Entry entry = store.get(bytes, Keys.MIXED.hash(bytes));
        return entry == null ? null : Keys.text(entry.value());
    }

    private void remove(String key) {
        byte[] bytes = Keys.bytes(key);
        version++;
        store.remove(bytes, Keys.MIXED.hash(bytes));
    }

    private void flush(String region) {
        store.flushRegion(Keys.bytes(region), ++version);
    }
}
