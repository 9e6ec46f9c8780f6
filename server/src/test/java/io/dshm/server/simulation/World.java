package io.dshm.server.simulation;

import io.dshm.proto.Formats;
import io.dshm.server.statemachine.StateRoom;
import java.util.ArrayList;
import java.util.List;

/** What a run consists of. */
final class World {

    final Events events;
    final Trace trace;
    final Checks checks;
    final Network network;
    final RaftCluster cluster;
    final Snapshots snapshots;
    final PlantedBug bug;
    final int size;
    final long requestTimeoutMillis;

    /** Whether nodes of two versions run together, see {@link #formatOfStart}. */
    private final boolean upgrading;

    /** Whether limits of memory are so low that they are reached: what the state may take, {@link StateRoom#UNLIMITED} if not. */
    final StateRoom room;

    /** Whether the clocks of machines run as differently as somebody who keeps the time may make them. */
    final boolean slewed;

    private boolean over;

    final List<SimulatedNode> nodes = new ArrayList<>();
    final Operator operator = new Operator(this);

    World(Events events, Trace trace, Snapshots snapshots, PlantedBug bug) {
        this.events = events;
        this.trace = trace;
        this.snapshots = snapshots;
        this.bug = bug;
        this.size = events.oneIn(6) ? 5 : 3;
        this.upgrading = events.oneIn(2);
        this.requestTimeoutMillis = 300 + events.random.nextInt(4) * 1_500L;
        this.room = events.oneIn(3)
                ? StateRoom.UNLIMITED.withGrowthMax(1_000 + events.random.nextInt(3_000))
                : StateRoom.UNLIMITED;
        this.slewed = events.oneIn(4);
        this.checks = new Checks(trace, slewed);
        this.network = new Network(events, trace, size);
        this.cluster = new RaftCluster(events, trace, network, checks, bug, size);
        for (int number = 0; number < size; number++) {
            nodes.add(new SimulatedNode(this, number));
        }
        network.connect(nodes);
        bug.plant(this);
    }

    void onTimeByWallClock() {
        boolean ambiguous = nodes.stream()
                .map(node -> node.running())
                .anyMatch(running -> running != null && running.clock.isAnchored());
        checks.time().onTimeByWallClock(events.nowMillis(), ambiguous);
        nodes.forEach(node -> node.reads().onTimeByWallClock(ambiguous));
    }

    /** What the node that starts now reads: each start may change its version, and put it back as long as that is possible. */
    int formatOfStart() {
        return upgrading && checks.reference().format() == Formats.FIRST && events.oneIn(3)
                ? Formats.FIRST
                : Formats.NEWEST;
    }

    boolean isLimited() {
        return !room.equals(StateRoom.UNLIMITED);
    }

    /** Whether there are users, and who is none is denied, at times. */
    boolean hasUsers() {
        return !isLimited() && requestTimeoutMillis > 1_000;
    }

    /** Whether no more faults are to happen. */
    boolean isOver() {
        return over;
    }

    void onOver() {
        over = true;
    }

    /** How fast a machine's clocks are, those of the day and of the time since boot too. */
    double speedOfClock() {
        return 1 + (events.random.nextInt(401) - 200) / (slewed ? 2_400.0 : 1e6);
    }

    SimulatedNode anyNode() {
        return nodes.get(events.random.nextInt(size));
    }
}
