package io.dshm.server.admin;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.function.BiPredicate;
import org.jspecify.annotations.Nullable;

/**
 * Who a request to the admin port is of: its header {@code Authorization}, {@code Bearer SECRET}, or {@code Basic},
 * which is what a browser sends for a user and a password. A secret is any bytes.
 *
 * @param user empty if there is none
 * @param secret empty if there is none
 */
@SuppressWarnings("ArrayRecordComponent") // handed over
record Authorization(String user, byte[] secret) {

    private static final String BEARER = "Bearer ";
    private static final String BASIC = "Basic ";
    private static final Authorization NONE = new Authorization("", new byte[0]);

    /** What is in that header, if it was sent. */
    static Authorization in(@Nullable String header) {
        if (header == null) {
            return NONE;
        }
        if (header.regionMatches(true, 0, BEARER, 0, BEARER.length())) {
            return new Authorization(
                    "", header.substring(BEARER.length()).strip().getBytes(StandardCharsets.ISO_8859_1));
        }
        return header.regionMatches(true, 0, BASIC, 0, BASIC.length())
                ? basic(header.substring(BASIC.length()).strip())
                : NONE;
    }

    private static Authorization basic(String encoded) {
        byte[] both;
        try {
            both = Base64.getDecoder().decode(encoded);
        } catch (IllegalArgumentException e) {
            return NONE;
        }
        int colon = 0;
        while (colon < both.length && both[colon] != ':') {
            colon++;
        }
        return colon == both.length
                ? NONE
                : new Authorization(
                        new String(both, 0, colon, StandardCharsets.UTF_8),
                        Arrays.copyOfRange(both, colon + 1, both.length));
    }

    /** Whether it is of a user of whom that holds. */
    boolean isOf(BiPredicate<String, byte[]> userAndSecret) {
        return !user.isEmpty() && userAndSecret.test(user, secret);
    }
}
