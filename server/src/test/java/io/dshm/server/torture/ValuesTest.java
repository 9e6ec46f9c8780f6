package io.dshm.server.torture;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class ValuesTest {

    @Test
    void short_values_stand_for_themselves() {
        assertArrayEquals("v17".getBytes(StandardCharsets.UTF_8), Values.expand("v17"));
        assertEquals("v17", Values.shorten(Values.expand("v17")));
        assertEquals("", Values.shorten(new byte[0]));
    }

    @Test
    void large_values_come_back_as_what_they_were_made_of() {
        String value = Values.large(123_456, 300_000);
        assertEquals(300_000, Values.expand(value).length);
        assertEquals(value, Values.shorten(Values.expand(value)));
    }

    @Test
    void a_large_value_that_is_not_whole_is_another_value() {
        String value = Values.large(123_456, 300_000);
        byte[] bytes = Values.expand(value);
        assertNotEquals(value, Values.shorten(Arrays.copyOf(bytes, 270_000)));
        bytes[299_999] ^= 1;
        assertNotEquals(value, Values.shorten(bytes));
        assertNotEquals(value, Values.shorten(new byte[300_000]));
    }
}
