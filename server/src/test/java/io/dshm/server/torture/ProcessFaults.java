package io.dshm.server.torture;

import java.io.IOException;
import java.util.Optional;
import java.util.Random;

/** Faults of processes: their machines go on. */
final class ProcessFaults {

    private ProcessFaults() {}

    /** SIGKILL, and later a new start. */
    static Optional<Fault> kill(Machines machines, Random random) {
        return machines.take(1, random).map(victims -> new Fault() {
            private final Machine victim = victims.get(0);

            @Override
            public void inject() throws InterruptedException {
                victim.impair();
                victim.node().kill();
            }

            @Override
            public void heal() throws IOException, InterruptedException {
                victim.start();
                victim.awaitWhole();
                machines.release(victims);
            }

            @Override
            public String toString() {
                return "kill " + victim;
            }
        });
    }

    /** SIGSTOP, and later SIGCONT: for the others it is gone, for itself no time has passed. */
    static Optional<Fault> pause(Machines machines, Random random) {
        return machines.take(1, random).map(victims -> new Fault() {
            private final Machine victim = victims.get(0);

            @Override
            public void inject() throws IOException, InterruptedException {
                victim.impair();
                victim.node().pause();
            }

            @Override
            public void heal() throws IOException, InterruptedException {
                victim.node().resume();
                victim.awaitWhole();
                machines.release(victims);
            }

            @Override
            public String toString() {
                return "pause " + victim;
            }
        });
    }
}
