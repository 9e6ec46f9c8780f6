package io.dshm.server.shares;

import java.util.OptionalLong;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * A clock that never goes back, and goes on while the machine sleeps: nanoseconds from an unknown origin.
 *
 * <p>Java has no such clock. {@link System#nanoTime} is {@code CLOCK_MONOTONIC}: it goes on while a process is stopped, but not while
 * its machine is suspended. So the time asleep is added. After sleep the wall clock has moved further than the monotonic one: once they
 * have come apart by {@value #APART_MILLIS} ms since the last look, and at least every {@value #LOOK_MILLIS} ms of use, the time since
 * boot is read ({@code /proc/uptime}, which is {@code CLOCK_BOOTTIME}, in hundredths of seconds). A step of the wall clock costs a
 * look, and changes nothing. Where there is no time since boot, whatever the wall clock is ahead counts as sleep: that makes shares
 * end early, never late.
 *
 * <p>It is behind the true time asleep by at most {@value #ERROR_MILLIS} ms between any two readings, unless within one of those periods the machine
 * sleeps and its wall clock is put back by just as much.
 *
 * <p>Confined to one thread.
 */
public final class BootTime implements LongSupplier {

    /** Two roundings of hundredths of seconds, and what is not looked at. */
    static final long ERROR_MILLIS = 25;

    private static final long APART_MILLIS = 3;
    private static final long LOOK_MILLIS = 1_000;
    private static final long NANOS_PER_MILLI = 1_000_000;

    private final LongSupplier nanoTime;
    private final LongSupplier wallMillis;
    private final Supplier<OptionalLong> bootMillis;

    /** By how much the time since boot was ahead of the monotonic clock at the start; whatever it is ahead further is sleep. */
    private final OptionalLong bootAhead;

    private long wallAheadMillis;
    private long lookedNanos;
    private long sleptNanos;

    /**
     * Nothing is slept yet.
     *
     * @param nanoTime the monotonic clock, as {@link System#nanoTime()}
     * @param wallMillis the wall clock, in milliseconds since 1970
     * @param bootMillis the milliseconds since the machine has started, sleep included; empty if it does not say
     */
    public BootTime(LongSupplier nanoTime, LongSupplier wallMillis, Supplier<OptionalLong> bootMillis) {
        this.nanoTime = nanoTime;
        this.wallMillis = wallMillis;
        this.bootMillis = bootMillis;
        this.lookedNanos = nanoTime.getAsLong();
        this.wallAheadMillis = wallMillis.getAsLong() - lookedNanos / NANOS_PER_MILLI;
        this.bootAhead = bootAhead(lookedNanos);
    }

    @Override
    public long getAsLong() {
        long nanos = nanoTime.getAsLong();
        long ahead = wallMillis.getAsLong() - nanos / NANOS_PER_MILLI;
        boolean apart = Math.abs(ahead - wallAheadMillis) >= APART_MILLIS;
        if (apart || nanos - lookedNanos >= LOOK_MILLIS * NANOS_PER_MILLI) {
            look(nanos, ahead);
        }
        return nanos + sleptNanos;
    }

    private void look(long nanos, long ahead) {
        OptionalLong boot = bootAhead(nanos);
        if (boot.isPresent() && bootAhead.isPresent()) {
            sleptNanos = Math.max(sleptNanos, (boot.getAsLong() - bootAhead.getAsLong()) * NANOS_PER_MILLI);
        } else {
            sleptNanos += Math.max(0, ahead - wallAheadMillis) * NANOS_PER_MILLI;
        }
        wallAheadMillis = ahead;
        lookedNanos = nanos;
    }

    private OptionalLong bootAhead(long nanos) {
        OptionalLong boot = bootMillis.get();
        return boot.isPresent() ? OptionalLong.of(boot.getAsLong() - nanos / NANOS_PER_MILLI) : boot;
    }
}
