package io.dshm.proto.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.proto.Algorithm;
import io.dshm.proto.Limits;
import io.dshm.proto.Policy;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class PoliciesTest {

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** All numbers with as many characters as can be read. */
    private static String longest(Algorithm algorithm) {
        String seconds = "0".repeat(Limits.COUNT_DIGITS_MAX - 1) + "1.";
        return algorithm.wireName()
                + " " + "0".repeat(Limits.COUNT_DIGITS_MAX - 1) + "5"
                + " " + seconds + "0".repeat(Limits.NUMBER_CHARS_MAX - seconds.length())
                + (algorithm.hasBurst() ? " burst=" + "0".repeat(Limits.COUNT_DIGITS_MAX - 1) + "7" : "");
    }

    @ParameterizedTest
    @EnumSource
    void the_longest_policy_is_read_and_none_with_a_character_more(Algorithm algorithm) {
        String longest = longest(algorithm);
        assertEquals(new Policy(algorithm, 5, 1000, algorithm.hasBurst() ? 7 : 0), Policies.parse(bytes(longest)));
        assertTrue(longest.length() <= Policies.BYTES_MAX);
        for (int at = 0; at <= longest.length(); at++) {
            assertNull(Policies.parse(bytes(longest.substring(0, at) + "0" + longest.substring(at))));
        }
    }

    @ParameterizedTest
    @EnumSource
    void what_is_written_is_read(Algorithm algorithm) {
        Policy largest = new Policy(
                algorithm,
                Limits.TOKENS_MAX,
                Limits.PERIOD_MILLIS_MAX - 1,
                algorithm.hasBurst() ? Limits.TOKENS_MAX : 0);
        assertEquals(largest, Policies.parse(bytes(Policies.format(largest))));
        Policy smallest = new Policy(algorithm, 0, 1, 0);
        assertEquals(smallest, Policies.parse(bytes(Policies.format(smallest))));
    }

    /** Anything may stand in the entry of a policy, and each request that names it comes here. */
    @Test
    void a_large_value_is_no_policy_and_that_takes_no_longer_than_to_read_one() {
        byte[] large = new byte[Limits.INLINE_VALUE_BYTES_MAX];
        Arrays.fill(large, (byte) 'x');
        byte[] policy = bytes(longest(Algorithm.GCRA));
        assertNull(Policies.parse(large));
        assertNotNull(Policies.parse(policy));
        long ofLarge = Long.MAX_VALUE;
        long ofPolicy = Long.MAX_VALUE;
        for (int round = 0; round < 20; round++) {
            ofLarge = Math.min(ofLarge, nanos(large));
            ofPolicy = Math.min(ofPolicy, nanos(policy));
        }
        assertTrue(ofLarge < 50 * ofPolicy, ofLarge + " ns, and " + ofPolicy + " ns for a policy");
    }

    private static long nanos(byte[] value) {
        long before = System.nanoTime();
        for (int i = 0; i < 100; i++) {
            Policies.parse(value);
        }
        return System.nanoTime() - before;
    }
}
