package io.dshm.client.cli.bench;

import java.util.Locale;
import java.util.Set;

/**
 * The limit of all keys that {@code take} names.
 *
 * @param tokens a period, 1 or more
 * @param burst of {@code gcra} and {@code leaky}: so many and one more may come at once
 */
public record Limit(String algorithm, long tokens, long periodMillis, long burst) {

    private static final Set<String> EVEN = Set.of("gcra", "leaky");
    private static final Set<String> ALL = Set.of("fixed", "log", "counter", "gcra", "leaky");

    /**
     * A limit whose burst is the whole of it.
     *
     * @throws IllegalArgumentException if there is no such algorithm, with a message for the user
     */
    public static Limit of(String algorithm, long tokens, long periodMillis) {
        if (!ALL.contains(algorithm)) {
            throw new IllegalArgumentException(
                    "--algorithm is fixed, log, counter, gcra or leaky, not '" + algorithm + "'");
        }
        return new Limit(algorithm, tokens, periodMillis, tokens - 1);
    }

    /** What {@code TAKE} has after the key. */
    String words() {
        return String.format(
                Locale.ROOT,
                "%s %d %d.%03d%s",
                algorithm,
                tokens,
                periodMillis / 1000,
                periodMillis % 1000,
                EVEN.contains(algorithm) ? " burst=" + burst : "");
    }

    /** The most that may be admitted within any stretch of so many periods; see proto/README.md. */
    long most(int periods) {
        return switch (algorithm) {
            case "log" -> tokens * periods;
            case "gcra", "leaky" -> tokens * periods + burst;
            default -> tokens * (periods + 1);
        };
    }
}
