package io.dshm.server.simulation;

import io.dshm.proto.Formats;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** One run, from its seed to the last check. */
final class Simulation {

    /** After the faults have ended: how long the cluster may take to answer everything and to come to rest. */
    private static final long REST_NANOS = TimeUnit.SECONDS.toNanos(60);

    /** How many writes were answered, entries evicted, commands refused for want of room, and denied, limits decided from shares, and members replaced. */
    record Counts(int answered, int evictions, int refusals, int denials, int fromShares, int replaced) {}

    private final World world;
    private final List<Client> clients = new ArrayList<>();
    private final List<Taker> takers = new ArrayList<>();
    private final Nemesis nemesis;
    private final long faultNanos;

    private Simulation(World world) {
        this.world = world;
        int count = 2 + world.events.random.nextInt(4);
        boolean large = world.events.oneIn(40) || world.bug.needsLargeValues();
        for (int name = 0; name < count; name++) {
            clients.add(new Client(world, name, 10 + world.events.random.nextInt(40), large ? 1 : 0));
        }
        if (world.bug.needsShares() || world.events.oneIn(4)) {
            world.nodes.forEach(node -> takers.add(new Taker(world, node)));
            takers.add(new Taker(world, null));
        }
        this.nemesis = new Nemesis(world);
        this.faultNanos = world.events.millis(2_000, 8_000);
    }

    /**
     * Runs.
     *
     * @return what happened
     * @throws AssertionError if something does not hold, with the seed and the last events
     */
    static Counts run(long seed, PlantedBug bug) {
        Events events = new Events(seed);
        Trace trace = new Trace(events);
        try (Snapshots snapshots = new Snapshots()) {
            return new Simulation(new World(events, trace, snapshots, bug)).run();
        } catch (RuntimeException e) {
            throw new AssertionError(
                    "seed " + seed + ": " + e.getMessage() + "\nThe last events:\n" + trace + "Seed " + seed + ": "
                            + e.getMessage() + "; again with -D" + SimulationTest.SEED + "=" + seed,
                    e);
        }
    }

    /** The last events of a run in which everything holds. */
    static String events(long seed) {
        Events events = new Events(seed);
        Trace trace = new Trace(events);
        try (Snapshots snapshots = new Snapshots()) {
            new Simulation(new World(events, trace, snapshots, new PlantedBug())).run();
        }
        return trace.toString();
    }

    private Counts run() {
        world.nodes.forEach(SimulatedNode::start);
        clients.forEach(Client::think);
        takers.forEach(Taker::think);
        nemesis.rage();
        while (world.events.nowNanos() < faultNanos) {
            world.events.runNext();
        }
        world.trace.note("no more faults");
        nemesis.end();
        while (!isAtRest()) {
            world.events.runNext();
            Checks.require(
                    world.events.nowNanos() < faultNanos + REST_NANOS,
                    "no rest: %d writes are not answered, applied are %s of %d",
                    world.checks.openOperations(),
                    applied(),
                    world.cluster.committedIndex());
        }
        for (SimulatedNode node : world.nodes) {
            SimulatedNode.Running running = node.running();
            if (running != null) {
                running.checkDigest();
            }
        }
        Reference reference = world.checks.reference();
        return new Counts(
                world.checks.answeredOperations(),
                reference.evictions(),
                reference.refusals(),
                reference.denials(),
                world.checks.spends().count(),
                world.operator.replaced());
    }

    private List<Long> applied() {
        return world.nodes.stream()
                .map(node -> node.running())
                .map(running -> running == null ? -1 : running.raft.handedIndex())
                .toList();
    }

    private boolean isAtRest() {
        return clients.stream().allMatch(Client::isDone)
                && takers.stream().allMatch(Taker::isDone)
                && world.checks.openOperations() == 0
                && applied().stream().allMatch(index -> index == world.cluster.committedIndex())
                && !world.operator.isBusy()
                && isSwitched();
    }

    /** Once all nodes read the newest format, the cluster comes to use it. */
    private boolean isSwitched() {
        return world.checks.reference().format() == Formats.NEWEST
                || !world.nodes.stream()
                        .map(node -> node.running())
                        .allMatch(running -> running != null && running.format == Formats.NEWEST);
    }
}
