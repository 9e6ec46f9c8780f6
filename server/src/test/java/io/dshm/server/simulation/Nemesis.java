package io.dshm.server.simulation;

import com.google.protobuf.ByteString;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.LimitRegionCommand;
import io.dshm.proto.wire.WhenFull;

/** Breaks things, and mends most of them a while later. */
final class Nemesis {

    private final World world;
    private final Events events;
    private final int pauseMillisMax;
    private int userChanges;
    private boolean ended;

    Nemesis(World world) {
        this.world = world;
        this.events = world.events;
        this.pauseMillisMax = 100 + events.random.nextInt(1_500);
    }

    /** Goes on until {@link #end}. */
    void rage() {
        events.after(events.millis(20, pauseMillisMax), () -> {
            if (!ended) {
                strike();
                if (world.isLimited() && events.oneIn(2)) {
                    limit();
                }
                if (world.hasUsers() && (userChanges < 3 || events.oneIn(2))) {
                    changeUsers();
                }
                rage();
            }
        });
    }

    /** Everything works again. */
    void end() {
        ended = true;
        world.onOver();
        unblock();
        world.cluster.heal();
        for (SimulatedNode node : world.nodes) {
            if (node.running() == null) {
                node.start();
            }
        }
    }

    private void strike() {
        SimulatedNode node = world.anyNode();
        SimulatedNode.Running running = node.running();
        switch (events.random.nextInt(21)) {
            case 0, 1, 2 -> world.cluster.elect(node.number());
            case 3, 4 -> crash(node);
            case 5 -> hold(running);
            case 6 -> block(node.number());
            case 7 -> unblock();
            case 8 -> {
                world.network.breakAny();
                world.network.breakAny();
            }
            case 9, 10, 11 -> snapshot(running);
            case 12 -> node.stepWallClock();
            case 13 -> refuse();
            case 14 -> stop(node, running);
            case 15 -> loseData(node);
            case 16 -> loseDataAfterAnElection();
            case 17, 18 -> replace(node);
            case 19 -> leadForAnInstant();
            default -> crashAll();
        }
    }

    private void crash(SimulatedNode node) {
        crashFor(events.millis(100, 2_500), node);
    }

    private void crashFor(long nanos, SimulatedNode node) {
        node.kill();
        events.after(nanos, () -> {
            if (node.running() == null) {
                node.start();
            }
        });
    }

    /** Not of so many nodes that something acknowledged may be on no other. */
    private void loseData(SimulatedNode node) {
        long lacking = world.nodes.stream().filter(SimulatedNode::lacksData).count();
        if (!world.operator.isBusy() && lacking + 1 <= (world.size - 1) / 2 && !node.lacksData()) {
            crash(node);
            node.loseData();
        }
    }

    /** One at a time, and only where all have their data. */
    private void replace(SimulatedNode node) {
        if (!world.operator.isBusy() && world.nodes.stream().noneMatch(SimulatedNode::lacksData)) {
            world.operator.replace(node);
        }
    }

    /** The old leader, cut off, believes that it leads; who elected the next one forgets it, and the next one stands still. */
    private void loseDataAfterAnElection() {
        SimulatedNode old = leader();
        SimulatedNode next = world.nodes.get((old.number() + 1) % world.size);
        SimulatedNode forgetful = world.nodes.get((old.number() + 2) % world.size);
        for (SimulatedNode other : world.nodes) {
            if (other != old) {
                world.network.block(old.number(), other.number(), true);
                world.network.block(other.number(), old.number(), true);
            }
        }
        events.after(events.millis(1, 300), () -> {
            world.cluster.elect(next.number());
            events.after(events.millis(1, 500), () -> {
                loseData(forgetful);
                hold(next.running());
                unblock();
            });
        });
    }

    /**
     * The leader dies, and the next one as soon as it has stamped an entry, of which the only node that runs on hears
     * nothing. For seconds nobody leads, and then the next one again, with that entry.
     */
    private void leadForAnInstant() {
        if (world.size > 3 || world.operator.isBusy()) {
            return;
        }
        SimulatedNode old = leader();
        SimulatedNode next = world.nodes.get((old.number() + 1) % world.size);
        SimulatedNode witness = world.nodes.get((old.number() + 2) % world.size);
        crashFor(events.millis(4_000, 8_000), old);
        events.after(events.millis(1, 300), () -> {
            world.cluster.elect(next.number());
            events.after(events.millis(2, 30), () -> {
                world.network.block(next.number(), witness.number(), true);
                events.after(events.millis(1, 30), () -> {
                    crashFor(events.millis(3_000, 6_000), next);
                    unblock();
                });
            });
        });
    }

    private SimulatedNode leader() {
        return world.nodes.stream()
                .filter(node -> leads(node.running()))
                .findFirst()
                .orElseGet(world::anyNode);
    }

    private static boolean leads(SimulatedNode.@org.jspecify.annotations.Nullable Running running) {
        return running != null && running.raft.leads();
    }

    private void crashAll() {
        if (events.oneIn(4)) {
            world.nodes.forEach(this::crash);
        }
    }

    private void hold(SimulatedNode.@org.jspecify.annotations.Nullable Running running) {
        if (running != null) {
            world.trace.note("a node is held");
            running.process.holdFor(events.millis(20, 2_500));
        }
    }

    private void block(int one) {
        boolean forth = events.oneIn(2);
        boolean back = !forth || events.oneIn(2);
        for (int other = 0; other < world.size; other++) {
            if (other != one && !events.oneIn(3)) {
                world.trace.note("n%d and n%d are cut (%s, %s)", one + 1, other + 1, forth, back);
                world.network.block(one, other, forth);
                world.network.block(other, one, back);
            }
        }
        events.after(events.millis(100, 4_000), this::unblock);
    }

    private void unblock() {
        for (int from = 0; from < world.size; from++) {
            for (int to = 0; to < world.size; to++) {
                world.network.block(from, to, false);
            }
        }
    }

    /** Limits a region to less than it may come to hold, now and then to nothing less. */
    private void limit() {
        SimulatedNode.Running running = world.anyNode().running();
        if (running != null) {
            long bytesMax = events.oneIn(6) ? 0 : 150 + events.random.nextInt(600);
            running.submitForOperator(CommandRecord.newBuilder()
                    .setLimitRegion(LimitRegionCommand.newBuilder()
                            .setRegion(ByteString.copyFromUtf8(events.oneIn(3) ? "" : "r"))
                            .setBytesMax(bytesMax)
                            .setWhenFull(events.oneIn(3) ? WhenFull.REFUSE : WhenFull.EVICT)));
        }
    }

    /** Changes users, so that clients may do something most of the time. */
    private void changeUsers() {
        SimulatedNode.Running running = world.anyNode().running();
        if (running != null
                && running.submitForOperator(
                        CommandRecord.newBuilder().setChangeUsers(Logins.change(userChanges, events)))) {
            userChanges++;
        }
    }

    private static void snapshot(SimulatedNode.@org.jspecify.annotations.Nullable Running running) {
        if (running != null) {
            running.snapshot();
        }
    }

    private void refuse() {
        for (SimulatedNode node : world.nodes) {
            SimulatedNode.Running running = node.running();
            if (running != null) {
                running.raft.transfer();
            }
        }
    }

    /** The node refuses new commands, answers the others, and ends. */
    private void stop(SimulatedNode node, SimulatedNode.@org.jspecify.annotations.Nullable Running running) {
        if (running != null) {
            world.trace.note("%s is to stop", node.name());
            running.drain().thenRun(() -> {
                if (node.running() == running) {
                    crash(node);
                }
            });
        }
    }
}
