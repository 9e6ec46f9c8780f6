package io.dshm.server.shares;

import java.util.OptionalLong;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * A clock that never goes back, and goes on while the machine sleeps: nanoseconds from an unknown origin.
 *
 * <p>Java has no such clock. {@link System#nanoTime} is {@code CLOCK_MONOTONIC}: it goes on while a process is stopped,
 * but not while its machine is suspended. So the time asleep is added. After sleep the wall clock has moved further
 * than the monotonic one: once they have come apart by {@value #APART_MILLIS} ms since the last look, and at least
 * every {@value #LOOK_MILLIS} ms of use, the time since boot is read ({@code /proc/uptime}, which is
 * {@code CLOCK_BOOTTIME}, in hundredths of seconds). A step of the wall clock costs a look, and changes nothing. Where
 * there is no time since boot, whatever the wall clock is ahead counts as sleep: that makes shares end early, never
 * late.
 *
 * <p>What a look does not tell for certain counts as sleep at the end of a period, and does not at its beginning. So
 * this is behind the true time asleep by at most {@value #ERROR_MILLIS} ms between any two readings, unless within one
 * of those periods the machine sleeps and its wall clock is put back by just as much.
 *
 * <p>Confined to one thread.
 */
public final class BootTime implements LongSupplier {

    /** Two roundings of hundredths of seconds, what is not looked at, and twice {@link #NARROW_NANOS}. */
    static final long ERROR_MILLIS = 25;

    private static final long APART_MILLIS = 3;
    private static final long LOOK_MILLIS = 1_000;
    private static final long NANOS_PER_MILLI = 1_000_000;

    /** How long it may take to read all clocks once, if they are to be compared. */
    private static final long NARROW_NANOS = NANOS_PER_MILLI;

    private static final int READINGS_MAX = 10;

    /**
     * All clocks at once, as nearly as that is possible: the monotonic one is read before and after the others.
     *
     * @param boot milliseconds since the machine has started
     */
    private record Reading(long nanosBefore, long nanosAfter, long wall, OptionalLong boot) {}

    private final LongSupplier nanoTime;
    private final LongSupplier wallMillis;
    private final Supplier<OptionalLong> bootMillis;

    /**
     * By how much the time since boot was ahead of the monotonic clock at the start, at least; whatever it is ahead
     * further is sleep.
     */
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
        Reading first = readAll();
        this.lookedNanos = first.nanosBefore;
        this.wallAheadMillis = first.wall - first.nanosAfter / NANOS_PER_MILLI;
        this.bootAhead = ahead(first.boot, first.nanosAfter);
    }

    @Override
    public long getAsLong() {
        long nanos = nanoTime.getAsLong();
        long ahead = wallMillis.getAsLong() - nanos / NANOS_PER_MILLI;
        boolean apart = Math.abs(ahead - wallAheadMillis) >= APART_MILLIS;
        if (apart || nanos - lookedNanos >= LOOK_MILLIS * NANOS_PER_MILLI) {
            look();
        }
        return nanos + sleptNanos;
    }

    private void look() {
        Reading now = readAll();
        long wallAhead = now.wall - now.nanosBefore / NANOS_PER_MILLI;
        OptionalLong boot = ahead(now.boot, now.nanosBefore);
        if (boot.isPresent() && bootAhead.isPresent()) {
            sleptNanos = Math.max(sleptNanos, (boot.getAsLong() - bootAhead.getAsLong()) * NANOS_PER_MILLI);
        } else {
            sleptNanos += Math.max(0, wallAhead - wallAheadMillis) * NANOS_PER_MILLI;
        }
        wallAheadMillis = now.wall - now.nanosAfter / NANOS_PER_MILLI;
        lookedNanos = now.nanosBefore;
    }

    /**
     * This thread may stand still between two clocks: then they are read again, and if it always does, the shortest
     * time counts.
     */
    private Reading readAll() {
        Reading best = readOnce();
        for (int i = 1; i < READINGS_MAX && width(best) > NARROW_NANOS; i++) {
            Reading next = readOnce();
            best = width(next) < width(best) ? next : best;
        }
        return best;
    }

    private Reading readOnce() {
        long before = nanoTime.getAsLong();
        long wall = wallMillis.getAsLong();
        OptionalLong boot = bootMillis.get();
        return new Reading(before, nanoTime.getAsLong(), wall, boot);
    }

    private static long width(Reading reading) {
        return reading.nanosAfter - reading.nanosBefore;
    }

    private static OptionalLong ahead(OptionalLong boot, long nanos) {
        return boot.isPresent() ? OptionalLong.of(boot.getAsLong() - nanos / NANOS_PER_MILLI) : boot;
    }
}
