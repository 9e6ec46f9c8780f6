package io.dshm.proto;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import org.junit.jupiter.api.Test;

class KeySeedTest {

    @Test
    void it_does_not_change_any_more_once_there_is_a_key() {
        Key.of("key");
        assertFalse(KeySeed.offer(KeySeed.random()));
    }

    @Test
    void nobody_gets_that_of_another() {
        assertNotEquals(KeySeed.random(), KeySeed.random());
    }
}
