package io.dshm.proto;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DoublesTest {

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    @Test
    void every_double_comes_back_from_its_text() {
        long seed = Long.getLong("dshm.test.seed", System.nanoTime());
        Random random = new Random(seed);
        for (int round = 0; round < 200_000; round++) {
            double number = switch (round % 3) {
                case 0 -> Double.longBitsToDouble(random.nextLong());
                case 1 -> random.nextLong() >> random.nextInt(64);
                default -> random.nextInt() / 1000.0;
            };
            byte[] text = Doubles.toBytes(number);
            assertTrue(Doubles.isNumber(text), Doubles.format(number));
            // By their bits, because 0 and -0 are equal and NaN is not.
            assertEquals(Double.doubleToLongBits(number), Double.doubleToLongBits(Doubles.parse(text)), "seed " + seed);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0",
        "-0, -0",
        "+7, 7",
        "007, 7",
        "1.50, 1.5",
        ".5, 0.5",
        "5., 5",
        "1e3, 1000",
        "1E+3, 1000",
        "1e-2, 0.01",
        "9007199254740991, 9007199254740991",
        "-9007199254740992, -9.007199254740992e15",
        "1e400, inf",
        "-inf, -inf",
        "+inf, inf",
        "nan, nan",
        "-nan, nan",
        "0.10000000000000001, 0.1",
        "4.9406564584124654e-324, 4.9e-324"
    })
    void a_number_has_one_form_that_it_is_told_in(String text, String told) {
        assertTrue(Doubles.isNumber(bytes(text)));
        assertEquals(told, Doubles.format(Doubles.parse(bytes(text))));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "-",
                "+",
                ".",
                "-.",
                "e5",
                "1e",
                "1e+",
                "1.2.3",
                "1 ",
                " 1",
                "0x10",
                "1f",
                "Inf",
                "NaN",
                "infinity",
                "--1",
                "1,5",
                "1e5.5",
                "00000000000000000000000000000000000000001"
            })
    void nothing_else_is_a_number(String text) {
        assertFalse(Doubles.isNumber(bytes(text)));
    }

    @Test
    void integers_are_those_whose_neighbours_are_doubles() {
        assertTrue(Doubles.isInteger(-0.0));
        assertTrue(Doubles.isInteger(0x1p53 - 1));
        assertFalse(Doubles.isInteger(0x1p53));
        assertFalse(Doubles.isInteger(0.5));
        assertFalse(Doubles.isInteger(Double.NaN));
        assertFalse(Doubles.isInteger(Double.NEGATIVE_INFINITY));
    }
}
