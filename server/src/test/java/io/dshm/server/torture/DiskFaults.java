package io.dshm.server.torture;

import java.io.IOException;
import java.util.Optional;
import java.util.Random;

/** Faults of disks that lose nothing which was written to them with fsync. */
final class DiskFaults {

    private DiskFaults() {}

    /** No space is left, on one or two; later there is again. A node that has stopped because of it is started then. */
    static Optional<Fault> full(Machines machines, Random random) {
        return machines.take(1 + random.nextInt(2), random).map(victims -> new Fault() {

            @Override
            public void inject() throws IOException, InterruptedException {
                for (Machine victim : victims) {
                    victim.impair();
                    victim.disk().fill();
                }
            }

            @Override
            public void heal() throws IOException, InterruptedException {
                for (Machine victim : victims) {
                    victim.disk().free();
                }
                for (Machine victim : victims) {
                    victim.awaitWholeOrRestart();
                }
                machines.release(victims);
            }

            @Override
            public String toString() {
                return "disks of " + victims + " are full";
            }
        });
    }

    /** The power of one, of some or of all machines fails at the same moment. */
    static Optional<Fault> powerCut(Machines machines, Random random) {
        return machines.take(1 + random.nextInt(machines.all().size()), random).map(victims -> new Fault() {

            @Override
            public void inject() throws IOException, InterruptedException {
                // All stand still before the first disk is off: nobody hears of another's last moments.
                for (Machine victim : victims) {
                    victim.impair();
                    victim.node().pause();
                }
                for (Machine victim : victims) {
                    victim.disk().powerOff();
                    victim.node().kill();
                }
            }

            @Override
            public void heal() throws IOException, InterruptedException {
                for (Machine victim : victims) {
                    victim.disk().powerOn();
                    victim.start();
                }
                for (Machine victim : victims) {
                    victim.awaitWhole();
                }
                machines.release(victims);
            }

            @Override
            public String toString() {
                return "power cut of " + victims;
            }
        });
    }
}
