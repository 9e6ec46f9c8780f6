package io.dshm.server.system;

import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Waits for what happens in other processes: asks again and again, but not without end. */
public final class Await {

    /**
     * Generous, because the machine may be small and busy; only a test that fails waits so long. {@code
     * -Ddshm.system.patience-seconds} is for one that is busier still.
     */
    public static final Duration LONG = Duration.ofSeconds(Integer.getInteger("dshm.system.patience-seconds", 60));

    private static final long POLL_MILLIS = 20;

    private Await() {}

    /** Something that may not work yet. */
    public interface Condition {
        boolean holds() throws IOException, InterruptedException;
    }

    /** Something that may not be there yet. */
    public interface Source<T> {
        Optional<T> get() throws IOException, InterruptedException;
    }

    /** Waits until it holds; an {@code IOException} is a no. */
    public static void until(String what, Condition condition) throws InterruptedException {
        until(what, LONG, condition);
    }

    /** Waits until it holds, for at most so long; an {@code IOException} is a no. */
    public static void until(String what, Duration atMost, Condition condition) throws InterruptedException {
        value(what, atMost, () -> condition.holds() ? Optional.of(true) : Optional.empty());
    }

    /** Waits until it is there; an {@code IOException} means that it is not. */
    public static <T> T value(String what, Source<T> source) throws InterruptedException {
        return value(what, LONG, source);
    }

    private static <T> T value(String what, Duration atMost, Source<T> source) throws InterruptedException {
        long deadline = System.nanoTime() + atMost.toNanos();
        IOException last;
        do {
            last = null;
            try {
                Optional<T> value = source.get();
                if (value.isPresent()) {
                    return value.get();
                }
            } catch (IOException e) {
                last = e;
            }
            pause(Duration.ofMillis(POLL_MILLIS));
        } while (System.nanoTime() - deadline < 0);
        throw failure("did not happen within " + atMost.toSeconds() + " s: " + what, last);
    }

    private static AssertionError failure(String message, @Nullable Throwable cause) {
        return new AssertionError(message, cause);
    }

    /** Lets time pass, where time is what the test is about. */
    public static void pause(Duration duration) throws InterruptedException {
        Thread.sleep(duration.toMillis());
    }
}
