package io.dshm.server.torture;

import java.io.IOException;

/**
 * Something that is done to the cluster once, and taken back. It has the machines in hand that it works on, and lets them
 * go when it is healed. Used by one thread.
 */
interface Fault {

    /** Does it. */
    void inject() throws IOException, InterruptedException;

    /**
     * Takes it back, and returns when nothing of it is left: what it had stopped runs and takes part again.
     *
     * @throws AssertionError if a node did what it must not do
     */
    void heal() throws IOException, InterruptedException;

    /** What happens to whom. */
    @Override
    String toString();
}
