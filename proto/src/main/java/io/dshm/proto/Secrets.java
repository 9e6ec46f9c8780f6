package io.dshm.proto;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;

/**
 * Users' secrets. They are random and long, so that nobody finds one by trying, whatever a try costs: therefore one
 * round of SHA-256 is enough for what the nodes keep, and to be authenticated costs a microsecond. A slow hash is for
 * passwords that people choose.
 */
public final class Secrets {

    /** 256 bits. */
    private static final int RANDOM_BYTES = 32;

    private Secrets() {}

    /** A new secret of letters, digits, - and _. */
    public static String random() {
        byte[] bytes = new byte[RANDOM_BYTES];
        new SecureRandom().nextBytes(bytes);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    /**
     * A salt. It is always the same for a user and a secret, so that who gives a user a secret, and does not hear
     * whether it was done, can ask again for the same; as hard to guess as the secret, and another one wherever either
     * of them is.
     */
    public static byte[] saltOf(String user, byte[] secret) {
        byte[] name = ("dshm salt of " + user + "\n").getBytes(StandardCharsets.UTF_8);
        return Arrays.copyOf(hash(name, secret), Limits.SECRET_SALT_BYTES);
    }

    /** What is kept of a secret. */
    public static byte[] hash(byte[] salt, byte[] secret) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(salt);
            return digest.digest(secret);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    /** Whether a secret that somebody has chosen has a length that is allowed. */
    public static boolean isLongEnough(byte[] secret) {
        return secret.length >= Limits.SECRET_BYTES_MIN && secret.length <= Limits.SECRET_BYTES_MAX;
    }

    /** Whether a user may have that name: letters, digits, {@code . _ -}. */
    public static boolean isUserName(String name) {
        return name.matches("[A-Za-z0-9._-]{1," + Limits.USER_NAME_CHARS_MAX + "}");
    }
}
