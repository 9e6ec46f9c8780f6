package io.dshm.server.torture;

import java.util.Arrays;
import java.util.Locale;

/** How the constants of an enum are written on the command line: {@code NO_FSYNC} as {@code no-fsync}. */
final class Labels {

    private Labels() {}

    static String of(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /**
     * The constant with that label.
     *
     * @param all the constants that there are
     * @param what they are, for the message
     * @throws IllegalArgumentException if there is none; its message names all
     */
    static <E extends Enum<E>> E parse(E[] all, String what, String label) {
        return Arrays.stream(all)
                .filter(constant -> of(constant).equals(label))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("there is no " + what + " " + label + "; there are "
                        + Arrays.stream(all).map(Labels::of).toList()));
    }
}
