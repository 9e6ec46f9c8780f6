package io.dshm.server.torture;

import io.dshm.server.system.Await;
import io.dshm.server.system.ClusterProcess;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * All machines, the network between them, and who has which of them in hand. Thread-safe.
 *
 * <p>Faults come several at a time, but no machine is in two faults' hands at once, and at most one has lost something for
 * good: Raft promises nothing when a majority has. Nor are all in hand while a clock is wrong or behind: when all nodes
 * start again at once, the wall clock is all that says how long they were down, or a node that runs on and is no member
 * any more, which counts 11/13 of the time since it heard the last stamp.
 */
final class Machines {

    private static final Duration CATCH_UP = Duration.ofSeconds(3);

    private final List<Machine> machines;
    private final Network network;
    private final Availability availability;
    private final ClusterProcess cluster;
    private final Set<Machine> taken = new HashSet<>();
    private final Set<Machine> doubtfulClocks = new HashSet<>();
    private @Nullable Machine damaged;

    Machines(List<Machine> machines, Network network, Availability availability, ClusterProcess cluster) {
        this.machines = machines;
        this.network = network;
        this.availability = availability;
        this.cluster = cluster;
    }

    List<Machine> all() {
        return machines;
    }

    Network network() {
        return network;
    }

    Availability availability() {
        return availability;
    }

    ClusterProcess cluster() {
        return cluster;
    }

    /** So many machines that nobody has in hand, if there are; every other time the leader is one of them. */
    synchronized Optional<List<Machine>> take(int count, Random random) {
        List<Machine> free = shuffled(random);
        free.removeAll(taken);
        if (free.size() < count || (free.size() == count && !doubtfulClocks.isEmpty())) {
            return Optional.empty();
        }
        List<Machine> chosen = List.copyOf(free.subList(0, count));
        taken.addAll(chosen);
        return Optional.of(chosen);
    }

    /**
     * One machine to be damaged for good: nobody has it in hand, none is damaged, and all the others run, reach each other
     * and have caught up.
     */
    synchronized Optional<Machine> takeToDamage(Random random) throws InterruptedException {
        if (damaged != null) {
            return Optional.empty();
        }
        Optional<List<Machine>> chosen = take(1, random);
        if (chosen.isEmpty()) {
            return Optional.empty();
        }
        Machine victim = chosen.get().get(0);
        if (!areCaughtUp(others(victim))) {
            taken.remove(victim);
            return Optional.empty();
        }
        damaged = victim;
        return Optional.of(victim);
    }

    private boolean areCaughtUp(List<Machine> others) throws InterruptedException {
        for (Machine one : others) {
            if (taken.contains(one) || !one.isHealthy()) {
                return false;
            }
            for (Machine other : others) {
                if (!network.isWhole(one.name(), other.name())) {
                    return false;
                }
            }
        }
        try {
            long furthest = 0;
            Set<String> leaders = new HashSet<>();
            for (Machine machine : others) {
                Map<String, String> status = machine.node().status();
                leaders.add(status.getOrDefault("leader", "") + status.get("term"));
                furthest = Math.max(furthest, machine.appliedIndex());
            }
            long index = furthest;
            Await.until("the others have caught up", CATCH_UP, () -> {
                for (Machine machine : others) {
                    if (machine.appliedIndex() < index) {
                        return false;
                    }
                }
                return true;
            });
            return leaders.size() == 1;
        } catch (IOException | AssertionError e) {
            // Something happens to them right now.
            return false;
        }
    }

    /** A machine whose clock may be wrong or behind for a while, unless all of them are in hand. */
    synchronized Optional<Machine> takeClock(Random random) {
        Machine victim = shuffled(random).get(0);
        return takeClock(victim) ? Optional.of(victim) : Optional.empty();
    }

    /** The same of that machine. */
    synchronized boolean takeClock(Machine victim) {
        return taken.size() < machines.size() && doubtfulClocks.add(victim);
    }

    /** Its clock is right again. */
    synchronized void releaseClock(Machine victim) {
        doubtfulClocks.remove(victim);
    }

    /** Those that nobody has in hand. */
    synchronized List<Machine> free() {
        return machines.stream().filter(machine -> !taken.contains(machine)).toList();
    }

    /** Whoever has it in hand lets it go: it is whole again. */
    synchronized void release(List<Machine> released) {
        released.forEach(taken::remove);
        if (damaged != null && released.contains(damaged)) {
            damaged = null;
        }
    }

    /** Nodes that should run, since nobody has them in hand, and do not. */
    synchronized List<Machine> ended() {
        return machines.stream()
                .filter(machine -> !taken.contains(machine) && !machine.node().isAlive())
                .toList();
    }

    /** Whether nobody has any of them in hand, and all run. */
    synchronized boolean areWhole() {
        return taken.isEmpty() && ended().isEmpty();
    }

    List<Machine> others(Machine machine) {
        return machines.stream().filter(other -> other != machine).toList();
    }

    /** All of them, in any order; every other time the leader is the first one. */
    synchronized List<Machine> shuffled(Random random) {
        List<Machine> all = new ArrayList<>(machines);
        Collections.shuffle(all, random);
        if (random.nextBoolean()) {
            // Not those in hand, which may be standing still and would not answer.
            all.stream()
                    .filter(machine -> !taken.contains(machine))
                    .filter(Machine::leads)
                    .findFirst()
                    .ifPresent(leader -> {
                        all.remove(leader);
                        all.add(0, leader);
                    });
        }
        return all;
    }
}
