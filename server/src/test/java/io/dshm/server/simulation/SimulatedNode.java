package io.dshm.server.simulation;

import io.dshm.proto.Formats;
import io.dshm.proto.Key;
import io.dshm.proto.ReadMode;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.StatusReply;
import io.dshm.server.replication.ClusterFormat;
import io.dshm.server.replication.Lane;
import io.dshm.server.replication.Replicator;
import io.dshm.server.replication.Roles;
import io.dshm.server.replication.contracts.ClockAndRandom;
import io.dshm.server.replication.contracts.RaftLog;
import io.dshm.server.replication.reads.LocalReads;
import io.dshm.server.replication.writes.RegistrationCheck;
import io.dshm.server.statemachine.ClusterClock;
import io.dshm.server.statemachine.ClusterState;
import io.dshm.server.statemachine.Outcome;
import io.dshm.server.statemachine.SnapshotReader;
import io.dshm.server.statemachine.SnapshotWriter;
import io.dshm.server.statemachine.StateMachine;
import io.dshm.server.statemachine.StateView;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.AbstractCollection;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A node over all of its starts: its disk, its clocks, and the real parts that run while it is up. */
final class SimulatedNode {

    private static final long WALL_MILLIS = 1_700_000_000_000L;
    private static final long CATCH_UP_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final int SEARCH_MICROS = 20_000;

    private final World world;
    private final int number;
    private RaftDisk disk;
    private final NodeReads nodeReads;
    private final long monotonicOffset;
    private final double speed;
    private final int laneCount;
    private final int applyMicros;
    private long wallOffset;
    private long starts;
    private long folders;

    private @Nullable Running running;

    SimulatedNode(World world, int number) {
        this.world = world;
        this.number = number;
        this.disk = new RaftDisk(RaftConfig.of(world.size));
        this.nodeReads = new NodeReads(name(), Client.ALL_KEYS);
        this.monotonicOffset = world.events.random.nextLong() >> 2;
        this.speed = world.speedOfClock();
        this.laneCount = 1 + world.events.random.nextInt(2);
        this.applyMicros = world.events.oneIn(4) ? 5_000 : 200;
        stepWallClock();
    }

    String name() {
        return "n" + (number + 1);
    }

    int number() {
        return number;
    }

    NodeReads reads() {
        return nodeReads;
    }

    /** What runs, or null while the node is down. */
    @Nullable
    Running running() {
        return running;
    }

    void stepWallClock() {
        wallOffset = (world.events.random.nextInt(7_200) - 3_600) * 1_000L;
    }

    long monotonicNanos() {
        return monotonicOffset + (long) (world.events.nowNanos() * speed);
    }

    double speed() {
        return speed;
    }

    long wallMillis() {
        return WALL_MILLIS + world.events.nowMillis() + wallOffset;
    }

    void start() {
        starts++;
        world.trace.note("%s starts", name());
        Running started = new Running();
        running = started;
        started.start();
    }

    void kill() {
        Running dying = running;
        if (dying != null) {
            world.trace.note("%s dies", name());
            running = null;
            dying.process.kill();
            disk.crash(world.events);
            world.cluster.join(number, null);
            world.network.onKilled(dying.process);
        }
    }

    /** The data folder is gone, while the node is down. */
    void loseData() {
        world.trace.note("%s loses its data", name());
        disk = new RaftDisk(RaftConfig.of(world.size));
        disk.lost = true;
        folders++;
        starts = 0;
    }

    /** Whether it has lost its data, and does not have all of it back. */
    boolean lacksData() {
        return disk.lost;
    }

    /** One start of the node. */
    final class Running implements RaftMember.Applier {

        /** The newest format that the node's version reads. */
        final int format = world.formatOfStart();

        final Lifetime process = new Lifetime(world.events);
        final List<SimulatedThread> lanes = new ArrayList<>();
        final List<Long> origins = new ArrayList<>();
        final ClusterClock clock = new ClusterClock(() -> world.bug.monotonicNanos(SimulatedNode.this));
        final StateMachine stateMachine =
                new StateMachine(clock, world.room, new SimulatedThread(world.events, process, SEARCH_MICROS));
        final LocalReads reads = new LocalReads(stateMachine, clock, SimulatedNode.this::monotonicNanos, 0);
        final RegistrationCheck registrations = new RegistrationCheck(
                format == Formats.FIRST
                        ? (registration, timeoutMillis) -> CompletableFuture.completedFuture(true)
                        : world.network.registrationsOf(SimulatedNode.this, process),
                stateMachine::format);
        final Replicator replicator;
        final RaftMember raft;
        private final SimulatedThread applying;
        private boolean viewOpen;

        /** The node's version does not know what it has met. */
        private boolean stopped;

        private boolean drains;

        Running() {
            for (int i = 0; i < laneCount; i++) {
                lanes.add(new SimulatedThread(world.events, process, 100));
            }
            applying = new SimulatedThread(world.events, process, applyMicros);
            RaftLog log = new RaftLog() {
                @Override
                public void propose(byte[] entry, long term, Proposal proposal) {
                    raft.propose(entry, term, proposal);
                }

                @Override
                public void readIndex(ReadIndexListener listener) {
                    askForIndex(listener);
                }
            };
            replicator = new Replicator(
                    new Replicator.Identity(name(), 100 * folders + number, starts),
                    () -> ++starts,
                    lanes,
                    world.requestTimeoutMillis,
                    log,
                    world.network.linksOf(SimulatedNode.this, process),
                    reads,
                    new ClusterFormat(format, stateMachine::format, () -> stateMachine.formatReadBy(members())),
                    clock,
                    new ClockAndRandom(
                            SimulatedNode.this::monotonicNanos, SimulatedNode.this::wallMillis, this::newOrigin),
                    this::onUnknown);
            Roles roles = new Roles(
                    name(),
                    others(),
                    clock,
                    world.network.statusesOf(SimulatedNode.this, process),
                    lanes.get(0),
                    this::wallMillisForTime,
                    stateMachine::clockMillis,
                    stateMachine::wallMillis,
                    () -> world.checks.needsTime(stateMachine),
                    replicator::onLeadership);
            raft = new RaftMember(world.cluster, number, disk, process, applying, this, roles);
        }

        /** The names of all members, as far as this node knows them. */
        private Collection<String> members() {
            ClusterState cluster = stateMachine.cluster();
            return cluster.id() == 0
                    ? world.nodes.stream().map(SimulatedNode::name).toList()
                    : cluster.members().keySet();
        }

        /** Those of the others; they may change. */
        private Collection<String> others() {
            return new AbstractCollection<>() {
                private List<String> now() {
                    return members().stream()
                            .filter(member -> !member.equals(name()))
                            .toList();
                }

                @Override
                public Iterator<String> iterator() {
                    return now().iterator();
                }

                @Override
                public int size() {
                    return now().size();
                }
            };
        }

        /** The cluster does not know this start: it may say so of a node that was removed. */
        private void onUnknown(String why) {
            if (!world.operator.isReplacing(SimulatedNode.this)) {
                throw new Violation(name() + " stops: " + why);
            }
            world.trace.note("%s stops: %s", name(), why);
            stopped = true;
            world.events.after(0, () -> {
                if (running == this) {
                    kill();
                }
            });
        }

        /** The question travels; a leader that is confirmed when it arrives has confirmed itself after it was asked. */
        private void askForIndex(RaftLog.ReadIndexListener listener) {
            long shown = world.checks.shownIndex();
            process.after(world.cluster.network.delay(), () -> {
                boolean asked = raft.readIndex(() -> {
                    if (stopped) {
                        return; // As a process that has ended: the event that kills this one is next.
                    }
                    Checks.require(
                            reads.appliedIndex() >= shown,
                            "a round on %s is over, and what was shown at index %d is not applied",
                            name(),
                            shown);
                    listener.confirmed();
                });
                if (!asked) {
                    process.after(CATCH_UP_NANOS, () -> listener.failed("no leader is confirmed"));
                }
            });
        }

        private long newOrigin() {
            long random = world.events.random.nextLong();
            origins.add(random | 1);
            return random;
        }

        /** Roles ask for the wall clock in one case only: when it is to say what time it is. */
        private long wallMillisForTime() {
            world.trace.note("%s goes by its wall clock", name());
            world.onTimeByWallClock();
            return wallMillis();
        }

        void start() {
            nodeReads.onStart(reads, clock);
            world.cluster.join(number, raft);
            replicator.start(clock, () -> world.checks.needsTime(stateMachine), stateMachine::clockMillis);
            if (disk.snapshot.index() > 0) {
                applying.execute(() -> install(disk.snapshot));
            }
            raft.start();
            catchUp();
        }

        private void catchUp() {
            boolean registered = replicator.isRegistered();
            boolean asked = raft.readIndex(() -> {
                if (!reads.isCaughtUp()) {
                    world.trace.note("%s is up to date", name());
                    reads.onCaughtUp();
                    replicator.onAppliedBatch();
                }
                if (registered) {
                    raft.onRestored();
                } else {
                    process.after(CATCH_UP_NANOS, this::catchUp);
                }
            });
            if (!asked) {
                process.after(CATCH_UP_NANOS, this::catchUp);
            }
        }

        StatusReply status() {
            return world.bug.onStatus(
                    this, clock.answer().toStatus().setHasState(true).build());
        }

        ScheduledExecutorService anyLane() {
            return lanes.get(world.events.random.nextInt(lanes.size()));
        }

        SimulatedNode node() {
            return SimulatedNode.this;
        }

        Lane lane(int index) {
            return replicator.lane(lanes.get(index));
        }

        @Override
        public void apply(RaftDisk.Entry entry, RaftLog.@Nullable Proposal proposal) {
            byte[] data = entry.data();
            if (data == null) {
                throw new IllegalArgumentException("an entry of Raft's own");
            }
            if (stopped || stopIfTooNew(data)) {
                return;
            }
            Outcome[] outcomes;
            try {
                byte[] applied = world.bug.onApply(SimulatedNode.this, this, entry, data);
                stateMachine.ofTerm(entry.term());
                outcomes = stateMachine.apply(entry.index(), ByteBuffer.wrap(applied));
                stateMachine.purge();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            world.checks.onApplied(SimulatedNode.this, entry.index(), outcomes, stateMachine, !viewOpen);
            reads.onApplied(entry.index());
            if (proposal != null) {
                proposal.applied(entry.index(), outcomes);
            }
        }

        /** What a node of an older version does when it meets the switch, because it was put back at the very last moment. */
        private boolean stopIfTooNew(byte[] data) {
            boolean tooNew = format == Formats.FIRST
                    && Checks.parse(data).getRecordsList().stream().anyMatch(CommandRecord::hasSwitchFormat);
            if (tooNew) {
                stop();
            }
            return tooNew;
        }

        private void stop() {
            stopped = true;
            world.trace.note("%s does not know the cluster's format, and stops", name());
            world.events.after(0, () -> {
                if (running == this) {
                    kill();
                    SimulatedNode.this.start();
                }
            });
        }

        @Override
        public void onBatch() {
            replicator.onAppliedBatch();
        }

        @Override
        public void came(long term) {
            stateMachine.came(term);
        }

        @Override
        public boolean mayInstall() {
            return !viewOpen;
        }

        @Override
        public boolean knowsTime() {
            return clock.isAnchored();
        }

        @Override
        public void install(Snapshots.Snapshot snapshot) {
            try {
                stateMachine.ofTerm(snapshot.term());
                stateMachine.load(new SnapshotReader(snapshot.folder()));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            if (stateMachine.format() > format) {
                stop();
                return;
            }
            nodeReads.onClock(stateMachine.clockMillis());
            nodeReads.checkContents(stateMachine, world.checks.reference());
            world.checks.onDigest(SimulatedNode.this, stateMachine);
            reads.onApplied(stateMachine.appliedIndex());
            replicator.onAppliedBatch();
        }

        /** Takes a snapshot: the view now, the files a while later. */
        void snapshot() {
            applying.execute(() -> {
                if (!viewOpen && !stopped && stateMachine.appliedIndex() > 0) {
                    viewOpen = true;
                    long index = raft.handedIndex();
                    long term = raft.handedTerm();
                    RaftConfig config = raft.configAt(index);
                    StateView view = stateMachine.view();
                    process.after(world.events.millis(0, 60), () -> write(view, new Place(index, term, config)));
                }
            });
        }

        /** Takes nothing any more; done when all that was taken is answered. */
        CompletableFuture<Void> drain() {
            drains = true;
            return replicator.drain();
        }

        boolean drains() {
            return drains;
        }

        /** Does what an operator asks for here; false if it is not taken. */
        boolean submitForOperator(CommandRecord.Builder record) {
            if (stopped || drains || stateMachine.format() < Formats.BOUNDS) {
                return false;
            }
            Operation operation = new Operation(SimulatedNode.this, record.build(), world.checks.acknowledgedIndex());
            // The lane does one after the other: it takes the record next.
            lanes.get(0).execute(() -> world.checks.onSubmit(operation, origins.get(0)));
            replicator.submitForOperator(record).thenAccept(reply -> world.checks.onReply(operation, reply));
            return true;
        }

        /** Where in the log a snapshot is. */
        private record Place(long index, long term, RaftConfig config) {}

        private void write(StateView view, Place place) {
            try (view) {
                Path folder = world.snapshots.newFolder();
                new SnapshotWriter(folder, view).write();
                view.close();
                viewOpen = false;
                world.bug.onSnapshot(this, folder);
                world.trace.note("%s has a snapshot as of index %d", name(), place.index);
                raft.onSnapshotTaken(new Snapshots.Snapshot(place.index, place.term, folder, place.config));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        /** Whether a snapshot is being written. */
        boolean isViewOpen() {
            return viewOpen;
        }

        /** Compares the whole state with that of the others, unless a snapshot is being written. */
        void checkDigest() {
            if (!viewOpen && !stopped) {
                world.checks.onDigest(SimulatedNode.this, stateMachine);
            }
        }

        /** The key is read as a client's connection does it. */
        void read(Key key, ReadMode mode, Lane lane, java.util.function.Consumer<io.dshm.proto.Reply> listener) {
            io.dshm.proto.Command.Get get = new io.dshm.proto.Command.Get(key);
            if (mode == ReadMode.LINEARIZABLE) {
                lane.readLinearizable(get, listener::accept);
            } else if (world.bug.readsAtOnce() || reads.isCurrent(get)) {
                listener.accept(reads.read(get));
            } else {
                lane.awaitRead(get, listener::accept);
            }
        }
    }
}
