package io.dshm.server.system;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Ports of the loopback address that nobody uses. They lie below the range from which the kernel takes ports for outgoing
 * connections, so that they are still free when a node that was killed starts again.
 */
public final class Ports {

    private static final int FIRST = 11_000;
    private static final int LAST = 31_000;
    private static final int ATTEMPTS_MAX = 1_000;

    private static final Set<Integer> GIVEN = new HashSet<>();

    private Ports() {}

    /** A port that this JVM has not given before. */
    public static synchronized int free() {
        for (int i = 0; i < ATTEMPTS_MAX; i++) {
            int port = ThreadLocalRandom.current().nextInt(FIRST, LAST);
            if (!GIVEN.contains(port) && isFree(port)) {
                GIVEN.add(port);
                return port;
            }
        }
        throw new AssertionError("no free port between " + FIRST + " and " + LAST);
    }

    public static boolean isFree(int port) {
        try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
            return socket.isBound();
        } catch (IOException e) {
            return false;
        }
    }
}
