package io.dshm.server.statemachine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;

class DecimalTest {

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    @Test
    void it_agrees_with_the_jdk_on_integers() {
        Random random = new Random(1);
        for (int i = 0; i < 10_000; i++) {
            long value = random.nextLong() >> random.nextInt(64);
            assertEquals(Long.toString(value), new String(Decimal.toBytes(value), StandardCharsets.US_ASCII));
            assertTrue(Decimal.isLong(ascii(Long.toString(value))));
            assertEquals(value, Decimal.toLong(ascii(Long.toString(value))));
        }
        for (String text : new String[] {"0", "-0", "007", "+5", "-9223372036854775808", "9223372036854775807"}) {
            assertTrue(Decimal.isLong(ascii(text)), text);
            assertEquals(Long.parseLong(text), Decimal.toLong(ascii(text)), text);
        }
        assertEquals("-9223372036854775808", new String(Decimal.toBytes(Long.MIN_VALUE), StandardCharsets.US_ASCII));
    }

    @Test
    void everything_else_is_none() {
        for (String text : new String[] {
            "",
            "-",
            "+",
            "1.0",
            "1 ",
            " 1",
            "0x1",
            "9223372036854775808",
            "-9223372036854775809",
            "1e3",
            "000000000000000000001",
            "--1"
        }) {
            assertFalse(Decimal.isLong(ascii(text)), text);
        }
    }
}
