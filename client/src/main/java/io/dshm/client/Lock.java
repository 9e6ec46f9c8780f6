package io.dshm.client;

import java.security.SecureRandom;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/**
 * A lock: at most one holds it at a time, for a time that is named when it is taken. Who crashes holds it no longer
 * than that. Thread-safe; each {@link #tryLock} is a holder of its own, also within one program.
 *
 * <p>A holder that stands still may go on when its time is over. So send {@link Held#fence} along with whatever is done
 * under the lock, to a place that refuses a lower one than it has seen.
 */
public final class Lock {

    private static final SecureRandom RANDOM = new SecureRandom();
    private static final long PAUSE_MILLIS_MAX = 250;

    private final DshmClient client;
    private final String key;

    Lock(DshmClient client, String key) {
        this.client = client;
        this.key = key;
    }

    /** A name that nobody else has. */
    static String newHolder() {
        return Long.toHexString(RANDOM.nextLong()) + Long.toHexString(RANDOM.nextLong());
    }

    /** Takes the lock, if nobody has it. */
    public CompletableFuture<Optional<Held>> tryLock(Duration ttl) {
        Held held = new Held(newHolder());
        return held.acquire(ttl).thenApply(permit -> permit.allowed() ? Optional.of(held) : Optional.empty());
    }

    /**
     * Takes the lock as soon as it is free. A waiter asks again and again, so there is no queue.
     *
     * @param patience how long to wait: after that the future fails with an {@link UnavailableException}
     */
    public CompletableFuture<Held> lock(Duration ttl, Duration patience) {
        CompletableFuture<Held> result = new CompletableFuture<>();
        attempt(result, new Held(newHolder()), ttl, System.nanoTime() + patience.toNanos());
        return result;
    }

    private void attempt(CompletableFuture<Held> result, Held held, Duration ttl, long untilNanos) {
        held.acquire(ttl).whenComplete((permit, failure) -> {
            if (failure != null) {
                result.completeExceptionally(failure);
            } else if (permit.allowed()) {
                if (!result.complete(held)) {
                    held.release(); // nobody waits for it any more
                }
            } else if (!result.isDone()) {
                long left = TimeUnit.NANOSECONDS.toMillis(untilNanos - System.nanoTime());
                if (left <= 0) {
                    result.completeExceptionally(new UnavailableException("the lock was not free in time", null));
                    return;
                }
                long free = permit.retry().map(Duration::toMillis).orElse(PAUSE_MILLIS_MAX);
                long pause = Math.min(
                        Math.min(free, left), ThreadLocalRandom.current().nextLong(20, PAUSE_MILLIS_MAX));
                client.core().schedule(() -> attempt(result, held, ttl, untilNanos), Duration.ofMillis(pause));
            }
        });
    }

    /** Somebody who holds the lock, or held it. */
    public final class Held {

        private final String holder;
        private volatile long fence;
        private volatile long sureUntilNanos;

        private Held(String holder) {
            this.holder = holder;
        }

        private CompletableFuture<Permit> acquire(Duration ttl) {
            // The time counts from before it was asked for, and less a margin for clocks of different speed.
            long until = System.nanoTime() + ttl.toNanos() - ttl.toNanos() / 100;
            return client.acquire(key, 1, holder, ttl).whenComplete((permit, failure) -> {
                if (failure == null && permit.allowed()) {
                    fence = permit.fence();
                    sureUntilNanos = until;
                }
            });
        }

        /** A number above those of all who held the lock before. */
        public long fence() {
            return fence;
        }

        /** Whether nobody else can hold it at this moment. */
        public boolean isSure() {
            return sureUntilNanos - System.nanoTime() > 0;
        }

        /**
         * Holds it for that time from now on. False if somebody else has it meanwhile. A lock that was lost and is free
         * is taken again, with a new fence: look at it.
         */
        public CompletableFuture<Boolean> renew(Duration ttl) {
            return acquire(ttl).thenApply(Permit::allowed);
        }

        /** Gives it back, if this one still has it. */
        public CompletableFuture<Void> release() {
            sureUntilNanos = System.nanoTime();
            return client.release(key, holder);
        }
    }
}
