package io.dshm.server.torture;

import java.io.IOException;
import java.util.Optional;
import java.util.Random;

/** A wall clock that is wrong by an hour, and later right again. The node counts as whole: it must not mind. */
final class ClockFault implements Fault {

    private static final long HOUR_SECONDS = 3_600;

    private final Machines machines;
    private final Machine victim;
    private final long seconds;

    private ClockFault(Machines machines, Machine victim, long seconds) {
        this.machines = machines;
        this.victim = victim;
        this.seconds = seconds;
    }

    static Optional<Fault> step(Machines machines, Random random) {
        long seconds = random.nextBoolean() ? HOUR_SECONDS : -HOUR_SECONDS;
        return machines.takeClock(random).map(victim -> new ClockFault(machines, victim, seconds));
    }

    @Override
    public void inject() throws IOException {
        victim.clock().set(seconds);
    }

    @Override
    public void heal() throws IOException {
        victim.clock().set(0);
        machines.releaseClock(victim);
    }

    @Override
    public String toString() {
        return "clock of " + victim + " steps by " + seconds + " s";
    }
}
