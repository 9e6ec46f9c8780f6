package io.dshm.server.guard;

import java.time.Duration;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Handles unexpected exceptions. A {@link RuntimeException} is a fault of the one callback or task that threw it: it is
 * logged, and everything else goes on. An {@link Error} (no memory, no stack, a class that cannot be loaded) may leave
 * anything half done, so the process ends. Any thread.
 */
public final class Guard {

    private static final Logger LOG = LoggerFactory.getLogger(Guard.class);

    /** Between two reports: a fault that comes with every request must not fill the disk. */
    private static final SeldomLogged REPORTS = new SeldomLogged(System::nanoTime, Duration.ofSeconds(1));

    private static volatile Consumer<String> endProcess = why -> {};

    private Guard() {}

    /**
     * Has errors end the process, on all threads. Before this is called, and in tests, they are only thrown on.
     *
     * @param end ends the process with that message; does not return
     */
    public static void endProcessOnError(Consumer<String> end) {
        endProcess = end;
        Thread.setDefaultUncaughtExceptionHandler((thread, thrown) -> thrown(thread.getName(), thrown));
    }

    /** Logs an exception that was thrown there, at most one a second; ends the process for an error. */
    public static void thrown(String where, Throwable thrown) {
        check(where, thrown);
        long count = REPORTS.next();
        if (count > 0) {
            LOG.error("{} has failed; others go on ({} more since the last report)", where, count - 1, thrown);
        }
    }

    /** Ends the process if that is an error. */
    public static void check(String where, Throwable thrown) {
        if (thrown instanceof Error) {
            endProcess.accept(where + " has met " + thrown);
        }
    }

    /**
     * Runs the task; an error in it ends the process. For callers that would only log it. What is thrown goes on to the
     * caller.
     */
    public static void errorsOf(String what, Runnable task) {
        try {
            task.run();
        } catch (Error e) {
            check(what, e);
            throw e;
        }
    }

    /** The task, without exceptions; an error goes on to the caller when it does not end the process. */
    public static Runnable of(String what, Runnable task) {
        return () -> {
            try {
                task.run();
            } catch (RuntimeException e) {
                thrown(what, e);
            } catch (Error e) {
                check(what, e);
                throw e;
            }
        };
    }

    /**
     * The last step of a future, which nobody waits for: what it throws is reported, and an error ends the process,
     * also one that the future itself has failed with.
     */
    public static <T> BiConsumer<T, @Nullable Throwable> last(String what, BiConsumer<T, @Nullable Throwable> step) {
        return (result, failure) -> {
            Throwable cause =
                    failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
            if (cause != null) {
                check(what, cause);
            }
            of(what, () -> step.accept(result, failure)).run();
        };
    }

    /** The executor, with every task {@linkplain #of guarded}. */
    public static Executor executor(String what, Executor executor) {
        return task -> executor.execute(of(what, task));
    }
}
