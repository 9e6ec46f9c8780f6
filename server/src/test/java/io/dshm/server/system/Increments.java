package io.dshm.server.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dshm.client.CommandFailedException;
import io.dshm.client.DshmConnection;
import io.dshm.proto.ErrorCode;
import java.io.Closeable;
import java.io.IOException;
import java.net.ConnectException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Clients that add one to one key, each over a connection of its own, without a pause, until they are stopped. They keep
 * book: of the values they got, and of the commands whose outcome nobody told them.
 */
final class Increments implements AutoCloseable {

    private static final Duration RECONNECT = Duration.ofMillis(20);
    private static final Duration JOIN = Duration.ofSeconds(60);

    /** One client's connection to whatever counts. */
    interface Counter extends Closeable {
        long increment() throws IOException;
    }

    /** Something that counts, and goes by a name. */
    interface Target {
        Counter connect() throws IOException;
    }

    /**
     * What the clients' books say.
     *
     * @param values all values that were replied
     * @param unknown how many commands may or may not have been counted
     * @param failures all that went wrong, in words
     */
    record Books(List<Long> values, int unknown, List<String> failures) {

        /** Every reply was counted exactly once, and nothing else was, but for what has no known outcome. */
        void assertExact(long finalValue) {
            Set<Long> distinct = new HashSet<>(values);
            assertEquals(values.size(), distinct.size(), "values that occur twice");
            long highest = values.stream().mapToLong(Long::longValue).max().orElse(0);
            assertTrue(highest <= finalValue, () -> "value " + highest + " was replied, but the sum is " + finalValue);
            assertTrue(
                    finalValue >= values.size(),
                    () -> values.size() + " were acknowledged, but the sum is " + finalValue);
            assertTrue(
                    finalValue <= values.size() + unknown,
                    () -> values.size() + " were acknowledged and " + unknown
                            + " have no known outcome, but the sum is " + finalValue + "; " + failures);
        }

        /** For people. */
        String summary() {
            return values.size() + " acknowledged, " + unknown + " with an unknown outcome, failures: "
                    + failures.stream().collect(Collectors.groupingBy(failure -> failure, Collectors.counting()));
        }

        /** All books together. */
        static Books sum(List<Books> all) {
            List<Long> values = new ArrayList<>();
            List<String> failures = new ArrayList<>();
            int unknown = 0;
            for (Books books : all) {
                values.addAll(books.values);
                failures.addAll(books.failures);
                unknown += books.unknown;
            }
            return new Books(values, unknown, failures);
        }
    }

    private final List<Thread> threads = new ArrayList<>();
    private final List<Long> values = new ArrayList<>();
    private final List<String> failures = new ArrayList<>();
    private int unknown;
    private volatile boolean stopped;

    private Increments() {}

    /** That many clients of one target. */
    static Increments start(Target target, int clients) {
        Increments started = new Increments();
        for (int i = 0; i < clients; i++) {
            Thread thread = new Thread(() -> started.run(target), "increments-" + i);
            thread.setDaemon(true);
            started.threads.add(thread);
        }
        started.threads.forEach(Thread::start);
        return started;
    }

    /** That many clients of a node. */
    static Increments start(NodeProcess node, String key, int clients) {
        return start(
                () -> {
                    DshmConnection connection = node.connect();
                    return new Counter() {
                        @Override
                        public long increment() throws IOException {
                            return connection.incr(key, 1);
                        }

                        @Override
                        public void close() throws IOException {
                            connection.close();
                        }
                    };
                },
                clients);
    }

    private void run(Target target) {
        while (!stopped) {
            try (Counter counter = target.connect()) {
                while (!stopped) {
                    increment(counter);
                }
            } catch (IOException e) {
                try {
                    Await.pause(RECONNECT);
                } catch (InterruptedException interrupted) {
                    return;
                }
            }
        }
    }

    /** Throws if the connection is not to be used again. */
    private void increment(Counter counter) throws IOException {
        try {
            long value = counter.increment();
            synchronized (this) {
                values.add(value);
                notifyAll();
            }
        } catch (CommandFailedException e) {
            failed(e, e.code().effect() == ErrorCode.Effect.UNKNOWN);
        } catch (ConnectException e) {
            throw e;
        } catch (IOException e) {
            failed(e, true);
            throw e;
        }
    }

    private synchronized void failed(IOException failure, boolean outcomeUnknown) {
        failures.add(failure.toString());
        unknown += outcomeUnknown ? 1 : 0;
    }

    /** Waits until so many more have been replied. */
    synchronized void awaitMore(int more) throws InterruptedException {
        int wanted = values.size() + more;
        long deadline = System.nanoTime() + Await.LONG.toNanos();
        while (values.size() < wanted) {
            long left = (deadline - System.nanoTime()) / 1_000_000;
            if (left <= 0) {
                throw new AssertionError("no " + more + " more increments in time; " + failures);
            }
            wait(left);
        }
    }

    /** Lets each client finish what it has begun, and returns the books. */
    Books stop() throws InterruptedException {
        stopped = true;
        for (Thread thread : threads) {
            thread.join(JOIN.toMillis());
            if (thread.isAlive()) {
                throw new AssertionError("a client still waits for a reply");
            }
        }
        synchronized (this) {
            return new Books(List.copyOf(values), unknown, List.copyOf(failures));
        }
    }

    @Override
    public void close() {
        stopped = true;
    }
}
