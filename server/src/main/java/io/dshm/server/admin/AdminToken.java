package io.dshm.server.admin;

import io.dshm.proto.Limits;
import io.dshm.server.guard.SeldomLogged;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.Base64;
import java.util.function.BiPredicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The secret that operators send with each request: {@code Authorization: Bearer TOKEN}, or as the password of any user, which is what a
 * browser asks for. Only its SHA-256 is kept. Thread-safe.
 */
final class AdminToken {

    private static final Logger LOG = LoggerFactory.getLogger(AdminToken.class);

    /** Between two lines about requests with a wrong token. */
    private static final Duration LOG_INTERVAL = Duration.ofSeconds(10);

    private static final String BEARER = "Bearer ";
    private static final String BASIC = "Basic ";

    private final byte[] hash;
    private final SeldomLogged refused = new SeldomLogged(System::nanoTime, LOG_INTERVAL);

    private AdminToken(String token) {
        this.hash = hashOf(token);
    }

    /**
     * The token in that file: its text without blanks and line ends around it.
     *
     * @throws IOException if it cannot be read, or is no token; the message says why
     */
    static AdminToken read(Path file) throws IOException {
        // Not all of a file that was named by mistake.
        byte[] bytes;
        try (var in = Files.newInputStream(file)) {
            bytes = in.readNBytes(Limits.ADMIN_TOKEN_CHARACTERS_MAX + 2);
        }
        String token = new String(bytes, StandardCharsets.US_ASCII).strip();
        if (!token.matches(
                "[!-~]{" + Limits.ADMIN_TOKEN_CHARACTERS_MIN + "," + Limits.ADMIN_TOKEN_CHARACTERS_MAX + "}")) {
            throw new IOException("admin-token-file: in " + file + " there must be " + Limits.ADMIN_TOKEN_CHARACTERS_MIN
                    + " to " + Limits.ADMIN_TOKEN_CHARACTERS_MAX
                    + " letters, digits and signs, without blanks: for example what \"openssl rand -hex 32\" prints");
        }
        return new AdminToken(token);
    }

    /**
     * Whether a request with that header {@code Authorization} has the token, or is of a user who needs none. It takes as long whatever is
     * wrong in the token.
     *
     * @param isAdmin whether a user may, and has that secret
     */
    boolean admits(@Nullable String authorization, BiPredicate<String, String> isAdmin) {
        if (authorization == null) {
            return false;
        }
        String basic = basicIn(authorization);
        int colon = basic.indexOf(':');
        return MessageDigest.isEqual(hash, hashOf(secretIn(authorization)))
                || (colon > 0 && isAdmin.test(basic.substring(0, colon), basic.substring(colon + 1)));
    }

    /** A request of that client was refused. */
    void onRefused(Object client) {
        long times = refused.next();
        if (times > 0) {
            LOG.warn(
                    "refused {} requests to the admin port without the right token, the last of them of {}",
                    times,
                    client);
        }
    }

    private static String secretIn(String authorization) {
        if (authorization.regionMatches(true, 0, BEARER, 0, BEARER.length())) {
            return authorization.substring(BEARER.length()).strip();
        }
        String basic = basicIn(authorization);
        return basic.substring(basic.indexOf(':') + 1);
    }

    /** {@code user:password}; empty if there is no such thing. */
    private static String basicIn(String authorization) {
        if (!authorization.regionMatches(true, 0, BASIC, 0, BASIC.length())) {
            return "";
        }
        try {
            byte[] decoded = Base64.getDecoder()
                    .decode(authorization.substring(BASIC.length()).strip());
            return new String(decoded, StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            return "";
        }
    }

    private static byte[] hashOf(String token) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
