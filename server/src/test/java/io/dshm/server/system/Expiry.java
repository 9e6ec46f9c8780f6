package io.dshm.server.system;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.client.DshmConnection;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** Entries that were written just now, and when they have to be gone. */
final class Expiry {

    /** How far an expiry may be off: the time that a new leader knows is that of the last second. */
    private static final Duration TOLERANCE = Duration.ofMillis(1_500);

    private final String key;
    private final Duration ttl;
    private final long beforeNanos;
    private final long afterNanos;

    private Expiry(String key, Duration ttl, long beforeNanos, long afterNanos) {
        this.key = key;
        this.ttl = ttl;
        this.beforeNanos = beforeNanos;
        this.afterNanos = afterNanos;
    }

    /** Writes a value, a number and a limiter that are all to live so long. */
    static Expiry write(DshmConnection connection, String key, Duration ttl) throws IOException {
        long before = System.nanoTime();
        connection.set(key + "-value", new byte[] {'v'}, ttl);
        connection.incr(key + "-number", 1, 0, ttl);
        connection.rateLimiter(key + "-limiter", 5, ttl);
        return new Expiry(key, ttl, before, System.nanoTime());
    }

    /** The time since they were written. */
    Duration age() {
        return Duration.ofNanos(System.nanoTime() - beforeNanos);
    }

    /** Waits until all are gone on all nodes, and asserts that each was there until its time, and not much longer. */
    void assertOnEveryNode(List<NodeProcess> nodes) throws IOException, InterruptedException {
        // A node shows what others have acknowledged a moment later.
        for (NodeProcess node : nodes) {
            forEach(node, (connection, name) -> connection.get(name).isPresent() || isDue());
        }
        for (NodeProcess node : nodes) {
            forEach(node, (connection, name) -> isGone(connection, node, name));
        }
    }

    private interface Check {
        boolean holds(DshmConnection connection, String name) throws IOException;
    }

    private void forEach(NodeProcess node, Check check) throws IOException, InterruptedException {
        try (DshmConnection connection = node.connect()) {
            for (String name : List.of(key + "-value", key + "-number", key + "-limiter")) {
                Await.until(name + " is on " + node + ", and later gone", () -> check.holds(connection, name));
            }
        }
    }

    private boolean isDue() {
        return age().compareTo(ttl.minus(TOLERANCE)) >= 0;
    }

    /** However long a call takes, it says: gone at its end, or there at its beginning. */
    private boolean isGone(DshmConnection connection, NodeProcess node, String name) throws IOException {
        long asked = System.nanoTime();
        Optional<byte[]> value = connection.get(name);
        long answered = System.nanoTime();
        if (value.isPresent()) {
            Duration age = Duration.ofNanos(asked - afterNanos);
            assertTrue(age.compareTo(ttl.plus(TOLERANCE)) <= 0, () -> name + " is there on " + node + " after " + age);
            return false;
        }
        Duration age = Duration.ofNanos(answered - beforeNanos);
        assertTrue(age.compareTo(ttl.minus(TOLERANCE)) >= 0, () -> name + " is gone on " + node + " after " + age);
        return true;
    }
}
