package io.dshm.server.replication.contracts;

import java.util.concurrent.ThreadLocalRandom;
import java.util.function.LongSupplier;

/**
 * The clocks and random numbers of the machine. Everything else that replication does depends on its inputs alone.
 *
 * @param nanoTime the monotonic clock, as {@link System#nanoTime()}
 * @param wallMillis the wall clock, in milliseconds since 1970
 * @param randomLong random numbers, each different from all others of the cluster
 */
public record ClockAndRandom(LongSupplier nanoTime, LongSupplier wallMillis, LongSupplier randomLong) {

    /** The machine that this process runs on. */
    public static ClockAndRandom real() {
        return new ClockAndRandom(
                System::nanoTime,
                System::currentTimeMillis,
                () -> ThreadLocalRandom.current().nextLong());
    }
}
