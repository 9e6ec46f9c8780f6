package io.dshm.server.replication.contracts;

import java.util.concurrent.ThreadLocalRandom;
import java.util.function.LongSupplier;

/**
 * What replication takes from the machine that it runs on; everything else that it does follows from what it is told.
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
