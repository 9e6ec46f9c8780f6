package io.dshm.server.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import org.jspecify.annotations.Nullable;

/** Compares entries, of which the store makes a new object for everyone who asks. */
final class Entries {

    private Entries() {}

    static void assertSameEntry(@Nullable Entry expected, @Nullable Entry found, String key) {
        assertNotNull(expected, key);
        assertNotNull(found, key);
        assertEquals(expected.version(), found.version(), key);
        assertEquals(expected.expiresAtMillis(), found.expiresAtMillis(), key);
        assertEquals(expected.content().getClass(), found.content().getClass(), key);
        if (expected.isPlain()) {
            assertArrayEquals(expected.value(), found.value(), key);
        }
        byte[] bytes = Keys.bytes(key);
        assertEquals(Store.digestOf(bytes, expected, 0), Store.digestOf(bytes, found, 0), key);
    }
}
