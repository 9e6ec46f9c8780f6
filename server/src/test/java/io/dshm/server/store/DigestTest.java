package io.dshm.server.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import io.dshm.server.store.limiters.SlidingLog;
import org.junit.jupiter.api.Test;

/** The digest by which nodes are compared. */
class DigestTest {

    @Test
    void the_digest_is_the_same_for_ever() {
        // Nodes of different versions compare these: a change here breaks them.
        Entry plain = Entry.of(Keys.bytes("a value"), 1000, 7);
        assertEquals(6472712978002373664L, Store.digestOf(Keys.bytes("some::key"), plain, 0));
        Entry limiter = Entry.of(SlidingLog.restore(10, 1000, 1000, new long[] {1, 2, 3}), 1003, 7);
        assertEquals(7897337391457418438L, Store.digestOf(Keys.bytes("some::key"), limiter, 3));
    }

    @Test
    void the_digest_covers_everything_about_an_entry() {
        long digest = digest("k", "v", 1000, 7);
        assertEquals(digest, digest("k", "v", 1000, 7));
        assertNotEquals(digest, digest("K", "v", 1000, 7));
        assertNotEquals(digest, digest("k", "V", 1000, 7));
        assertNotEquals(digest, digest("k", "v", 1001, 7));
        assertNotEquals(digest, digest("k", "v", 1000, 8));
        assertNotEquals(digest, digest("kv", "", 1000, 7));
        assertNotEquals(digest("k", "", 0, 0), digest("k", "\0", 0, 0));
        assertNotEquals(digest("12345678", "", 0, 0), digest("", "12345678", 0, 0));
    }

    @Test
    void it_covers_a_limiter_s_terms_and_its_grants_in_the_window() {
        long digest = digest(SlidingLog.restore(10, 1000, 1000, new long[] {1500, 2000}), 2000);
        assertEquals(
                digest, digest(SlidingLog.restore(10, 1000, 1000, new long[] {400, 1500, 2000}), 2000), "400 is out");
        assertNotEquals(
                digest, digest(SlidingLog.restore(10, 1000, 1000, new long[] {400, 1500, 2000}), 1399), "400 is in");
        assertNotEquals(digest, digest(SlidingLog.restore(10, 1000, 1000, new long[] {1501, 2000}), 2000));
        assertNotEquals(digest, digest(SlidingLog.restore(11, 1000, 1000, new long[] {1500, 2000}), 2000));
        assertNotEquals(digest, digest(SlidingLog.restore(10, 1000, 1700, new long[] {1500, 2000}), 2000));
        assertNotEquals(
                digest(SlidingLog.restore(10, 1000, 1700, new long[] {1500, 2000}), 2000),
                digest(SlidingLog.restore(10, 1000, 1700, new long[] {400, 1500, 2000}), 2000),
                "400 is kept");
        assertNotEquals(digest, digest(SlidingLog.restore(10, 1001, 1001, new long[] {1500, 2000}), 2000));
    }

    private static long digest(String key, String value, long expiresAtMillis, long version) {
        return Store.digestOf(Keys.bytes(key), Entry.of(Keys.bytes(value), expiresAtMillis, version), 0);
    }

    private static long digest(SlidingLog limiter, long clockMillis) {
        return Store.digestOf(Keys.bytes("k"), Entry.of(limiter, 3000, 7), clockMillis);
    }
}
