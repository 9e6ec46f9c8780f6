package io.dshm.proto.text;

import io.dshm.proto.Algorithm;
import io.dshm.proto.Key;
import io.dshm.proto.Limits;
import io.dshm.proto.Policy;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Limits as text, as they stand in a request behind the key and in the entry of a policy: {@code algorithm limit period
 * [burst=N]}.
 */
public final class Policies {

    static final Algorithm[] ALGORITHMS = Algorithm.values();

    /** What the keys of policies begin with. */
    static final byte[] PREFIX = (Limits.POLICY_REGION + "::").getBytes(StandardCharsets.US_ASCII);

    /** No policy is longer: the longest name, and all numbers with as many characters as can be read. */
    static final int BYTES_MAX = Arrays.stream(ALGORITHMS)
                    .mapToInt(algorithm -> algorithm.wireName().length())
                    .max()
                    .orElse(0)
            + (1 + Limits.COUNT_DIGITS_MAX)
            + (1 + Limits.NUMBER_CHARS_MAX)
            + (1 + Option.BURST.prefix().length() + Limits.COUNT_DIGITS_MAX);

    private Policies() {}

    /** The limit that is the value of a policy's entry; null if it is none. */
    public static @Nullable Policy parse(byte[] value) {
        if (value.length > BYTES_MAX) {
            // Any value may stand in such an entry. A long one is not searched for spaces.
            return null;
        }
        int limitAt = after(value, 0);
        int periodAt = after(value, limitAt);
        int burstAt = after(value, periodAt);
        Algorithm algorithm = algorithm(value, limitAt - 1);
        if (algorithm == null || limitAt > value.length || periodAt > value.length) {
            return null;
        }
        long limit = Decimals.count(value, limitAt, periodAt - 1);
        long periodMillis = Decimals.secondsAsMillis(value, periodAt, Math.min(burstAt - 1, value.length));
        if (!Policy.areValid(limit, periodMillis, 0)) {
            return null;
        }
        if (burstAt > value.length) {
            return new Policy(algorithm, limit, periodMillis);
        }
        String prefix = Option.BURST.prefix();
        int digitsAt = burstAt + prefix.length();
        boolean named = digitsAt <= value.length
                && new String(value, burstAt, prefix.length(), StandardCharsets.ISO_8859_1).equals(prefix);
        long burst = named ? Decimals.count(value, digitsAt, value.length) : Decimals.UNREADABLE;
        return algorithm.hasBurst() && Policy.areValid(limit, periodMillis, burst)
                ? new Policy(algorithm, limit, periodMillis, burst)
                : null;
    }

    /** The value of a policy's entry that says this limit. */
    public static String format(Policy policy) {
        long millis = policy.periodMillis();
        String seconds = millis % 1000 == 0
                ? Long.toString(millis / 1000)
                : millis / 1000 + "." + String.format("%03d", millis % 1000);
        String burst = policy.algorithm().hasBurst() ? " " + Option.BURST.prefix() + policy.burst() : "";
        return policy.algorithm().wireName() + " " + policy.limit() + " " + seconds + burst;
    }

    /** Whether this is the key of a policy whose name fits into a request. */
    public static boolean isKey(Key key) {
        byte[] bytes = key.bytes();
        int nameBytes = bytes.length - PREFIX.length;
        return nameBytes > 0
                && nameBytes <= Limits.POLICY_NAME_BYTES_MAX
                && Arrays.equals(bytes, 0, PREFIX.length, PREFIX, 0, PREFIX.length);
    }

    /** Behind the next space; one more than the length, if there is none. */
    private static int after(byte[] value, int from) {
        int at = from;
        while (at < value.length && value[at] != ' ') {
            at++;
        }
        return at + 1;
    }

    private static @Nullable Algorithm algorithm(byte[] value, int length) {
        for (Algorithm algorithm : ALGORITHMS) {
            String name = algorithm.wireName();
            if (name.length() == length && new String(value, 0, length, StandardCharsets.ISO_8859_1).equals(name)) {
                return algorithm;
            }
        }
        return null;
    }
}
