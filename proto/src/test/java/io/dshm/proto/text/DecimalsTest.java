package io.dshm.proto.text;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Held against the JDK's own numbers. */
class DecimalsTest {

    private static final int ROUNDS = 20_000;
    private static final String CHARACTERS = "0123456789012345678901234567890123456789-+. x";

    private final Random random = TestSeed.random();

    @Test
    void integers_are_what_the_jdk_reads() {
        for (int round = 0; round < ROUNDS; round++) {
            holdsForInteger(randomText());
        }
        BigInteger most = BigInteger.valueOf(Long.MAX_VALUE);
        for (int distance = -30; distance <= 30; distance++) {
            BigInteger number = most.add(BigInteger.valueOf(distance));
            holdsForInteger(number.toString());
            holdsForInteger(number.negate().toString());
        }
    }

    @Test
    void seconds_are_rounded_up_to_milliseconds() {
        for (int round = 0; round < ROUNDS; round++) {
            String text = random.nextInt(100) + "." + random.nextInt(10_000_000);
            long expected = new BigDecimal(text)
                    .movePointRight(3)
                    .setScale(0, RoundingMode.CEILING)
                    .longValueExact();
            byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
            assertEquals(expected, Decimals.secondsAsMillis(bytes, 0, bytes.length), text);
        }
    }

    @Test
    void what_is_written_is_what_the_jdk_writes() {
        for (int round = 0; round < ROUNDS; round++) {
            long number = random.nextLong() >> random.nextInt(Long.SIZE);
            ByteBuf out = Unpooled.buffer(1);
            Decimals.write(number, out);
            assertEquals(Long.toString(number), out.toString(StandardCharsets.US_ASCII));
            assertEquals(out.readableBytes(), Decimals.length(number));
        }
    }

    private static void holdsForInteger(String text) {
        byte[] bytes = ("7" + text + "7").getBytes(StandardCharsets.US_ASCII);
        boolean expected = true;
        long number = 0;
        try {
            number = Long.parseLong(text);
        } catch (NumberFormatException e) {
            expected = false;
        }
        assertEquals(expected, Decimals.isLong(bytes, 1, bytes.length - 1), text);
        if (expected) {
            assertEquals(number, Decimals.toLong(bytes, 1, bytes.length - 1), text);
        }
    }

    private String randomText() {
        StringBuilder text = new StringBuilder();
        for (int length = random.nextInt(24); length > 0; length--) {
            text.append(CHARACTERS.charAt(random.nextInt(CHARACTERS.length())));
        }
        return text.toString();
    }
}
