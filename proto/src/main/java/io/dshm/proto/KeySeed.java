package io.dshm.proto;

import java.security.SecureRandom;
import org.jspecify.annotations.Nullable;

/**
 * The seed of this process's {@linkplain Key#hash hashes}. A node keeps its seed in its data folder, so that the
 * entries of its snapshot come in the order of the table into which they are loaded: each part of the table is then in
 * the processor's cache while it is filled, which takes half as long.
 *
 * <p>Who knows it can choose keys that collide, so it is as secret as the data. Any thread.
 */
public final class KeySeed {

    private static @Nullable Long offered;
    private static boolean taken;

    private KeySeed() {}

    /** A new one, which nobody can predict. */
    public static long random() {
        return new SecureRandom().nextLong();
    }

    /**
     * Makes this the seed, unless there is one already, because a key was made or another node runs in this process.
     *
     * @return whether it is the seed now
     */
    public static synchronized boolean offer(long seed) {
        if (!taken) {
            offered = seed;
        }
        return !taken || Long.valueOf(seed).equals(offered);
    }

    static synchronized long take() {
        taken = true;
        if (offered == null) {
            offered = random();
        }
        return offered;
    }
}
