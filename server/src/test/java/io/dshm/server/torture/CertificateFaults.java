package io.dshm.server.torture;

import io.dshm.server.system.Await;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.Random;

/** What happens to certificates while nodes run. */
final class CertificateFaults {

    /** How long a node may take until it uses what is in its files. */
    private static final Duration RELOAD = Duration.ofMinutes(2);

    private CertificateFaults() {}

    /** A node gets another certificate and key: connections go on, and new ones get the new one. */
    static Optional<Fault> rotated(Machines machines, Random random) {
        return machines.take(1, random).map(victims -> new Fault() {
            private final Machine victim = victims.get(0);

            @Override
            public void inject() throws IOException, InterruptedException {
                victim.access().rotate(victim.node());
            }

            @Override
            public void heal() throws IOException, InterruptedException {
                // With too many faults for a handshake in time, it is asked again.
                Await.until(
                        victim + " uses its new certificate",
                        RELOAD,
                        () -> victim.access().isInUse(victim.node()));
                machines.release(victims);
            }

            @Override
            public String toString() {
                return "another certificate for " + victim;
            }
        });
    }
}
