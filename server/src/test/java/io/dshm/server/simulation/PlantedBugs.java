package io.dshm.server.simulation;

import io.dshm.proto.Command;
import io.dshm.proto.Reply;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.LogEntry;
import io.dshm.proto.wire.SnapshotEntries;
import io.dshm.proto.wire.SnapshotEntry;
import io.dshm.proto.wire.SnapshotFrame;
import io.dshm.proto.wire.SnapshotHeader;
import io.dshm.proto.wire.SnapshotNode;
import io.dshm.proto.wire.StatusReply;
import io.dshm.server.statemachine.SnapshotReader;
import io.dshm.server.statemachine.SnapshotWriter;
import io.dshm.server.statemachine.StateView;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.function.LongUnaryOperator;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** The bugs that the simulation must find. */
enum PlantedBugs {
    /** A linearizable read asks a leader whose lease never ends, and which may have been replaced. */
    LEASE_READ {
        @Override
        PlantedBug plant() {
            return new PlantedBug() {
                @Override
                boolean trustsLeaders() {
                    return true;
                }
            };
        }
    },
    /** After a restart or an installed snapshot, nobody knows which commands were applied before it. */
    SNAPSHOT_WITHOUT_OUTCOMES {
        @Override
        PlantedBug plant() {
            return new PlantedBug() {
                @Override
                void onSnapshot(SimulatedNode.Running running, Path folder) throws IOException {
                    Snapshots.rewrite(folder, PlantedBugs::withoutOutcomes);
                }
            };
        }
    },
    /** The files hold what the store held when they were written, not when the snapshot was taken. */
    SNAPSHOT_OF_THE_LIVE_MAP {
        @Override
        PlantedBug plant() {
            return new PlantedBug() {
                @Override
                void onSnapshot(SimulatedNode.Running running, Path folder) throws IOException {
                    SnapshotHeader taken = Snapshots.headerIn(folder);
                    Files.delete(Snapshots.fileIn(folder));
                    try (StateView live = running.stateMachine.view()) {
                        new SnapshotWriter(folder, live).write();
                    }
                    Snapshots.rewrite(folder, frame -> frame.hasHeader() ? headed(taken) : frame);
                }
            };
        }
    },
    /** With the first entry of a new leader, everything begins to live anew. */
    TTL_STARTS_AGAIN_AT_AN_ELECTION {
        @Override
        PlantedBug plant() {
            return new Reloading() {
                private final Map<SimulatedNode.Running, Long> terms = new HashMap<>();

                @Override
                byte[] onApply(SimulatedNode node, SimulatedNode.Running running, RaftDisk.Entry entry, byte[] data)
                        throws IOException {
                    Long before = terms.put(running, entry.term());
                    if (before != null && before != entry.term()) {
                        reload(running, PlantedBugs::prolonged);
                    }
                    return data;
                }
            };
        }
    },
    /** While nobody leads, the cluster's time does not go on. */
    TIME_STANDS_STILL_WITHOUT_A_LEADER {
        @Override
        PlantedBug plant() {
            return new PlantedBug() {
                private @Nullable World world;
                private long lostNanos;
                private long seenNanos;

                @Override
                void plant(World planted) {
                    world = planted;
                }

                @Override
                long monotonicNanos(SimulatedNode node) {
                    World known = world;
                    if (known != null) {
                        long now = known.events.nowNanos();
                        if (!known.cluster.hasLeader()) {
                            lostNanos += now - seenNanos;
                        }
                        seenNanos = now;
                    }
                    return node.monotonicNanos() - lostNanos;
                }
            };
        }
    },
    /** A node tells the time that it has shown, which may be ahead of its leader's, as if it were its leader's. */
    TIME_AHEAD_OF_ITS_LEADER {
        @Override
        PlantedBug plant() {
            return new PlantedBug() {
                @Override
                StatusReply onStatus(SimulatedNode.Running running, StatusReply status) {
                    return status.toBuilder()
                            .setClusterTimeMillis(running.clock.estimateMillis())
                            .setClockTerm(running.raft.term())
                            .build();
                }
            };
        }
    },
    /** The cluster clock is the last stamp, not the largest. */
    CLOCK_GOES_BACK_WITH_A_STAMP {
        @Override
        PlantedBug plant() {
            return new Reloading() {
                @Override
                byte[] onApply(SimulatedNode node, SimulatedNode.Running running, RaftDisk.Entry entry, byte[] data)
                        throws IOException {
                    long stamp = Checks.parse(data).getStampMillis();
                    if (stamp < running.stateMachine.clockMillis()) {
                        reload(running, frame -> frame.hasHeader() ? at(frame.getHeader(), stamp) : frame);
                    }
                    return data;
                }
            };
        }
    },
    /** A node takes its own wall clock for the time. */
    WALL_CLOCK_READ_IN_APPLY {
        @Override
        PlantedBug plant() {
            return new PlantedBug() {
                @Override
                byte[] onApply(SimulatedNode node, SimulatedNode.Running running, RaftDisk.Entry entry, byte[] data) {
                    return Checks.parse(data).toBuilder()
                            .setStampMillis(node.wallMillis())
                            .build()
                            .toByteArray();
                }
            };
        }
    },
    /** What a leader had proposed when it stepped down is sent again as if it were new. */
    NEW_NUMBER_AFTER_A_STEP_DOWN {
        @Override
        PlantedBug plant() {
            return new Renumbering();
        }
    },
    /** A large value is published when its first piece has arrived. */
    PUBLISHED_WITHOUT_ALL_PIECES {
        @Override
        PlantedBug plant() {
            return new FirstPieceOnly();
        }
    },
    /** A node that lost its data acknowledges entries of a leader that it had helped to replace. */
    COUNTS_WITHOUT_ITS_TERM {
        @Override
        PlantedBug plant() {
            return new PlantedBug() {
                @Override
                boolean countsAtOnce() {
                    return true;
                }
            };
        }
    },
    /** A node that lost its data helps to elect a leader that lacks what it had acknowledged. */
    VOTES_WITHOUT_ITS_DATA {
        @Override
        PlantedBug plant() {
            return new PlantedBug() {
                @Override
                boolean votesAtOnce() {
                    return true;
                }
            };
        }
    },
    /** A learner counts for commits. */
    COUNTS_LEARNERS {
        @Override
        PlantedBug plant() {
            return new PlantedBug() {
                @Override
                boolean countsLearners() {
                    return true;
                }
            };
        }
    },
    /** A node that was removed counts for commits. */
    COUNTS_REMOVED_NODES {
        @Override
        PlantedBug plant() {
            return new PlantedBug() {
                @Override
                boolean countsRemovedNodes() {
                    return true;
                }
            };
        }
    },
    /** A node that was removed may still register, and its commands are applied. */
    REMOVED_NODES_STAY_KNOWN {
        @Override
        PlantedBug plant() {
            return new PlantedBug() {
                @Override
                byte[] onApply(SimulatedNode node, SimulatedNode.Running running, RaftDisk.Entry entry, byte[] data) {
                    LogEntry.Builder kept = Checks.parse(data).toBuilder();
                    kept.getRecordsBuilderList().stream()
                            .filter(record -> record.hasChangeMember())
                            .forEach(record -> record.getChangeMemberBuilder().setRemoved(false));
                    return kept.build().toByteArray();
                }
            };
        }
    },
    /** One node keeps what the leader has evicted. */
    KEEPS_WHAT_IS_EVICTED {
        @Override
        PlantedBug plant() {
            return new PlantedBug() {
                @Override
                byte[] onApply(SimulatedNode node, SimulatedNode.Running running, RaftDisk.Entry entry, byte[] data) {
                    return node.number() == 0
                            ? Checks.parse(data).toBuilder()
                                    .clearEvicted()
                                    .build()
                                    .toByteArray()
                            : data;
                }
            };
        }
    },
    /** A holder does not look whether the life of its share is over. */
    SHARE_USED_AFTER_ITS_LIFE {
        @Override
        PlantedBug plant() {
            return new OfShares() {
                @Override
                long shareNanos(long startNanos, long bootNanos) {
                    return startNanos;
                }
            };
        }
    },
    /** A holder uses its share for somewhat longer than its life, in place of somewhat shorter. */
    MARGIN_OF_THE_WRONG_SIGN {
        @Override
        PlantedBug plant() {
            return new OfShares() {
                @Override
                Reply onShareReply(Command.Write write, Reply reply) {
                    return changed(reply, "life", life -> life * 6 / 5 * 6 / 5 + 50);
                }
            };
        }
    },
    /** The tokens of a share are there twice. */
    SHARE_GIVEN_TWICE {
        @Override
        PlantedBug plant() {
            return new OfShares() {
                @Override
                Reply onShareReply(Command.Write write, Reply reply) {
                    return changed(reply, "granted", granted -> 2 * granted);
                }
            };
        }
    },
    /** What a holder gives back is counted twice. */
    RETURN_COUNTED_TWICE {
        @Override
        PlantedBug plant() {
            return new OfShares() {
                @Override
                Command.Write onShareWrite(Command.Write write) {
                    return write instanceof Command.Return giveBack
                            ? new Command.Return(giveBack.key(), giveBack.holder(), 2 * giveBack.unused())
                            : write;
                }
            };
        }
    },
    /** A read looks at the store without asking whether all is there that it must not miss. */
    READ_BEFORE_THE_NODES_OWN_WRITE {
        @Override
        PlantedBug plant() {
            return new PlantedBug() {
                @Override
                boolean readsAtOnce() {
                    return true;
                }
            };
        }
    };

    private static final long PROLONGED_MILLIS = 500;

    /** The bug, for one run. */
    abstract PlantedBug plant();

    private static SnapshotFrame withoutOutcomes(SnapshotFrame frame) {
        if (!frame.hasNode()) {
            return frame;
        }
        SnapshotNode.Builder node = frame.getNode().toBuilder();
        node.getOriginsBuilderList().forEach(origin -> origin.clearResults());
        return SnapshotFrame.newBuilder().setNode(node).build();
    }

    private static SnapshotFrame prolonged(SnapshotFrame frame) {
        if (!frame.hasEntries()) {
            return frame;
        }
        SnapshotEntries.Builder entries = frame.getEntries().toBuilder();
        for (SnapshotEntry.Builder entry : entries.getEntriesBuilderList()) {
            if (entry.getExpiresAtMillis() != 0) {
                entry.setExpiresAtMillis(entry.getExpiresAtMillis() + PROLONGED_MILLIS);
            }
        }
        return SnapshotFrame.newBuilder().setEntries(entries).build();
    }

    private static SnapshotFrame headed(SnapshotHeader header) {
        return SnapshotFrame.newBuilder().setHeader(header).build();
    }

    private static SnapshotFrame at(SnapshotHeader header, long clockMillis) {
        return headed(header.toBuilder().setClockMillis(clockMillis).build());
    }

    private static class OfShares extends PlantedBug {

        @Override
        boolean needsShares() {
            return true;
        }

        /** The reply with another number under that name. */
        static Reply changed(Reply reply, String name, LongUnaryOperator change) {
            if (!(reply instanceof Reply.Detailed detailed)
                    || !detailed.details().startsWith("granted=")) {
                return reply;
            }
            StringBuilder words = new StringBuilder();
            for (String word : detailed.details().split(" ", -1)) {
                int at = word.indexOf('=') + 1;
                long number = Long.parseLong(word.substring(at));
                words.append(words.isEmpty() ? "" : " ")
                        .append(word, 0, at)
                        .append(word.startsWith(name + "=") ? change.applyAsLong(number) : number);
            }
            return new Reply.Detailed(null, words.toString());
        }
    }

    /** Changes a state by way of a snapshot. */
    private abstract static class Reloading extends PlantedBug {

        private @Nullable World world;

        @Override
        void plant(World planted) {
            world = planted;
        }

        void reload(SimulatedNode.Running running, UnaryOperator<SnapshotFrame> change) throws IOException {
            World known = world;
            if (known == null || running.isViewOpen()) {
                return;
            }
            Path folder = known.snapshots.newFolder();
            try (StateView view = running.stateMachine.view()) {
                new SnapshotWriter(folder, view).write();
            }
            Snapshots.rewrite(folder, change);
            running.stateMachine.load(new SnapshotReader(folder));
        }
    }

    private static final class Renumbering extends PlantedBug {

        private @Nullable World world;
        private final Map<CommandRecord, Long> terms = new HashMap<>();
        private final Map<Long, Long> given = new HashMap<>();

        @Override
        void plant(World planted) {
            world = planted;
        }

        @Override
        byte[] onProposed(int node, byte[] entry, long term) {
            LogEntry.Builder changed = Checks.parse(entry).toBuilder();
            for (CommandRecord.Builder record : changed.getRecordsBuilderList()) {
                Long before = terms.putIfAbsent(record.build(), term);
                if (before != null && before != term && !record.hasRegisterNode() && !record.hasChunk()) {
                    renumber(record);
                }
            }
            return changed.build().toByteArray();
        }

        /** The second outbox of the node that took it has numbers to spare. */
        private void renumber(CommandRecord.Builder record) {
            World known = world;
            if (known == null) {
                return;
            }
            for (SimulatedNode node : known.nodes) {
                SimulatedNode.Running running = node.running();
                if (running != null && running.origins.indexOf(record.getOrigin()) >= 0 && !record.hasSetChunked()) {
                    long origin = running.origins.get(running.origins.size() - 1);
                    long sequence = given.merge(origin, 1L, Long::sum);
                    known.checks.onRenumbered(record.getOrigin(), record.getSequence(), origin, sequence);
                    record.setOrigin(origin).setSequence(sequence);
                }
            }
        }
    }

    private static final class FirstPieceOnly extends PlantedBug {

        private int length;

        @Override
        boolean needsLargeValues() {
            return true;
        }

        @Override
        byte[] onProposed(int node, byte[] entry, long term) {
            LogEntry.Builder changed = Checks.parse(entry).toBuilder();
            for (CommandRecord.Builder record : changed.getRecordsBuilderList()) {
                if (record.hasChunk()) {
                    var chunk = record.getChunkBuilder();
                    if (chunk.getOffset() == 0) {
                        length = chunk.getData().size();
                    } else {
                        chunk.setOffset(length).clearData();
                    }
                    chunk.setValueLength(length);
                } else if (record.hasSetChunked()) {
                    record.getSetChunkedBuilder().setValueLength(length);
                }
            }
            return changed.build().toByteArray();
        }
    }
}
