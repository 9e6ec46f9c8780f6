package io.dshm.server.admin;

import io.dshm.proto.Limits;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * The secret that operators send with each request, see {@link Authorization}. Only its SHA-256 is kept. Immutable.
 */
final class AdminToken {

    private final byte[] hash;

    private AdminToken(String token) {
        this.hash = hashOf(token.getBytes(StandardCharsets.US_ASCII));
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

    /** Whether that is it. It takes as long whatever is wrong in the secret. */
    boolean is(byte[] secret) {
        return MessageDigest.isEqual(hash, hashOf(secret));
    }

    private static byte[] hashOf(byte[] token) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(token);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
