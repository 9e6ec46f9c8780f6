package io.dshm.proto;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import org.junit.jupiter.api.Test;

class KeyTest {

    private static final int KEYS = 4;

    @Test
    void equal_keys_have_equal_hashes() {
        assertEquals(Key.of("a::b"), Key.of("a::b"));
        assertEquals(Key.of("a::b").hashCode(), Key.of("a::b").hashCode());
    }

    /** With the same seed everywhere, a client could compute keys whose hashes are equal. */
    @Test
    void each_process_hashes_in_its_own_way() throws IOException, ReflectiveOperationException {
        URL[] classes = {Key.class.getProtectionDomain().getCodeSource().getLocation()};
        try (URLClassLoader other = new URLClassLoader(classes, ClassLoader.getPlatformClassLoader())) {
            var of = other.loadClass(Key.class.getName()).getMethod("of", String.class);
            boolean allEqual = true;
            for (int i = 0; i < KEYS; i++) {
                allEqual &= Key.of("key-" + i).hashCode()
                        == of.invoke(null, "key-" + i).hashCode();
            }
            assertFalse(allEqual);
        }
    }
}
