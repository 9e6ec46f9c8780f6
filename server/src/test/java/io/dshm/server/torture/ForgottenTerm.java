package io.dshm.server.torture;

import io.dshm.server.system.Await;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * The leader is cut off, and another one is elected. Then a node that voted for it loses its data, and starts again when it
 * can hear the old leader only: the new one stands still, and the old one may not know yet that it leads no longer, for as
 * long as its election timeout. At the usual one it does know by then; in runs with a long one the followers get a short one
 * first, so that they elect another leader in time. All machines are in hand meanwhile.
 */
final class ForgottenTerm implements Fault {

    /** In which the new leader acknowledges what the old one does not have. */
    private static final Duration WRITES = Duration.ofMillis(500);

    private static final int ALL = 100;

    /** An old leader with such an election timeout believes for long enough that it leads. */
    static final int LONG_MILLIS = 16_000;

    /** More than two of that leader's heartbeats, which come every tenth of its election timeout. */
    private static final int SHORT_MILLIS = 4_000;

    private final Machines machines;
    private final List<Machine> all;
    private Machine old;
    private final List<Network.Cut> cuts = new ArrayList<>();
    private @Nullable Machine next;
    private @Nullable Machine forgetful;

    private ForgottenTerm(Machines machines, List<Machine> all, Machine old) {
        this.machines = machines;
        this.all = all;
        this.old = old;
    }

    /** What happens while the new leader leads, and the old one hears nothing of it. */
    interface Meanwhile {
        void run(Machine leader) throws IOException, InterruptedException;
    }

    /** One for all machines, if somebody leads and none of them is in another one's hand. */
    static Optional<Fault> plan(Machines machines, Random random) {
        List<Machine> all = machines.take(machines.all().size(), random).orElse(List.of());
        Optional<Machine> leader = all.stream().allMatch(Machine::isHealthy)
                ? all.stream().filter(Machine::leads).findFirst()
                : Optional.empty();
        if (leader.isEmpty()) {
            machines.release(all);
        }
        return leader.map(old -> new ForgottenTerm(machines, all, old));
    }

    @Override
    public void inject() throws IOException, InterruptedException {
        inject(leader -> Await.pause(WRITES));
    }

    /** The same, with work of the caller's own. */
    void inject(Meanwhile meanwhile) throws IOException, InterruptedException {
        if (old.electionTimeoutMillis() != 0) {
            prepare();
        }
        all.forEach(Machine::impair);
        List<Machine> others = machines.others(old);
        for (Machine other : others) {
            cuts.add(machines.network().cut(old.name(), other.name(), ALL));
            cuts.add(machines.network().cut(other.name(), old.name(), ALL));
        }
        Machine elected = Await.value(
                "another one than " + old + " leads",
                () -> others.stream().filter(Machine::leads).findFirst());
        next = elected;
        meanwhile.run(elected);
        Machine voter = others.get(others.get(0) == elected ? 1 : 0);
        forgetful = voter;
        voter.node().kill();
        voter.node().deleteData();
        elected.node().pause();
        for (Network.Cut cut : cuts) {
            cut.heal();
        }
        voter.start();
        Await.until(voter + " answers", () -> !voter.node().health().isEmpty());
    }

    /** Makes it a leader with a long election timeout, and followers with short ones. */
    private void prepare() throws IOException, InterruptedException {
        if (old.electionTimeoutMillis() < LONG_MILLIS) {
            for (Machine machine : all) {
                machine.electionTimeoutMillis(LONG_MILLIS);
            }
            for (Machine follower : machines.others(old)) {
                follower.restart();
            }
            old.restart();
            old = Await.value(
                    "somebody leads", () -> all.stream().filter(Machine::leads).findFirst());
        }
        for (Machine follower : machines.others(old)) {
            follower.electionTimeoutMillis(SHORT_MILLIS);
            follower.restart();
        }
    }

    /** Who leads no longer, and may not know it. */
    Machine old() {
        return old;
    }

    /** Who leads, and stands still. */
    Machine next() {
        return known(next);
    }

    /** Who has lost its data. */
    Machine forgetful() {
        return known(forgetful);
    }

    private static Machine known(@Nullable Machine machine) {
        if (machine == null) {
            throw new IllegalStateException("not injected");
        }
        return machine;
    }

    @Override
    public void heal() throws IOException, InterruptedException {
        next().node().resume();
        for (Machine machine : all) {
            machine.awaitWhole();
        }
        machines.release(all);
    }

    @Override
    public String toString() {
        // Who it is turns out while the fault is injected.
        return forgetful == null || next == null
                ? "a node is to lose its data after it has elected another one in place of " + old
                : forgetful + " loses its data after it has elected " + next + " in place of " + old;
    }
}
