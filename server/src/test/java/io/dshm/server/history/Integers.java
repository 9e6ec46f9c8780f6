package io.dshm.server.history;

import java.util.OptionalLong;

/** What {@code INCR} takes for an integer: an optional sign and 1 to 19 digits that fit into 64 bits. */
final class Integers {

    private Integers() {}

    static OptionalLong parse(String text) {
        if (!text.matches("[-+]?[0-9]{1,19}")) {
            return OptionalLong.empty();
        }
        try {
            return OptionalLong.of(Long.parseLong(text));
        } catch (NumberFormatException e) {
            return OptionalLong.empty();
        }
    }

    static boolean isInteger(String text) {
        return parse(text).isPresent();
    }

    static boolean overflows(long a, long b) {
        long sum = a + b;
        return ((a ^ sum) & (b ^ sum)) < 0;
    }
}
