package io.dshm.server.statemachine;

import io.dshm.proto.wire.RegisterNode;
import io.dshm.proto.wire.SnapshotNode;
import io.dshm.proto.wire.SnapshotOrigin;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Exactly once: the outcomes that may still be asked for again, by the identity of their commands (Raft thesis, 6.3).
 *
 * <p>In order: a command is applied after those before it only, see {@code CommandRecord} in log.proto.
 *
 * <p>A node registers its origins when it starts, which ends those of its earlier start. An origin counts its commands
 * 1, 2, 3 ... and lets the log know below which number it has got all its outcomes; from there on they are forgotten,
 * and a late copy is recognised by its number alone. So the table holds what is in flight, and no more.
 *
 * <p>Confined to the thread that applies.
 */
final class Origins {

    private static final class Registration {
        final long folder;
        final long start;
        final List<Long> origins;

        Registration(long folder, long start, List<Long> origins) {
            this.folder = folder;
            this.start = start;
            this.origins = List.copyOf(origins);
        }
    }

    /** Sorted, so that a snapshot's bytes do not depend on the order of registrations. */
    private final TreeMap<String, Registration> nodes = new TreeMap<>();

    private final Map<Long, Origin> origins = new HashMap<>();

    /** The origin's table, or null if it is not registered (any more). */
    @Nullable
    Origin get(long origin) {
        return origins.get(origin);
    }

    /** A node has started; its earlier origins end. A registration that was overtaken by a later one is ignored. */
    List<Long> register(RegisterNode command) {
        Registration current = nodes.get(command.getNode());
        if (current != null) {
            boolean overtaken = current.folder == command.getFolder() && current.start > command.getStart();
            if (overtaken || current.origins.equals(command.getOriginsList())) {
                return List.of();
            }
            current.origins.forEach(origins::remove);
        }
        nodes.put(
                command.getNode(), new Registration(command.getFolder(), command.getStart(), command.getOriginsList()));
        command.getOriginsList().forEach(origin -> origins.put(origin, new Origin()));
        return current == null ? List.of() : current.origins;
    }

    /** All of it, for a snapshot. */
    List<SnapshotNode> toWire() {
        List<SnapshotNode> result = new ArrayList<>();
        nodes.forEach((name, registration) -> {
            SnapshotNode.Builder node = SnapshotNode.newBuilder()
                    .setNode(name)
                    .setFolder(registration.folder)
                    .setStart(registration.start);
            for (long id : registration.origins) {
                Origin origin = origins.get(id);
                if (origin == null) {
                    throw new IllegalStateException("origin " + id + " of node " + name + " has no table");
                }
                node.addOrigins(origin.toWire(id));
            }
            result.add(node.build());
        });
        return result;
    }

    /** Takes one node out of a snapshot. */
    void load(SnapshotNode node) {
        List<Long> ids = new ArrayList<>();
        for (SnapshotOrigin origin : node.getOriginsList()) {
            ids.add(origin.getOrigin());
            origins.put(origin.getOrigin(), Origin.fromWire(origin));
        }
        nodes.put(node.getNode(), new Registration(node.getFolder(), node.getStart(), ids));
    }

    /** One origin's outcomes, in a ring: sequences are dense, so the sequence says where. */
    static final class Origin {

        /**
         * An origin has at most {@link io.dshm.proto.Limits#COMMANDS_OUTSTANDING_MAX} commands outstanding; some more
         * may be remembered, because what is settled reaches the log a little later. Beyond this an entry is wrong.
         */
        private static final int WINDOW_MAX = 4 * io.dshm.proto.Limits.COMMANDS_OUTSTANDING_MAX;

        private long settledBelow = 1;
        private long end = 1;
        private @Nullable Outcome[] ring = new Outcome[64];

        /** The outcome of that command if it has one, {@link Outcome#ALREADY_SETTLED} if it was forgotten, or null. */
        @Nullable
        Outcome recall(long sequence) {
            if (sequence < settledBelow) {
                return Outcome.ALREADY_SETTLED;
            }
            return sequence < end ? ring[slot(sequence)] : null;
        }

        /** Whether all commands before that one are remembered or settled. */
        boolean isNext(long sequence) {
            return sequence == end;
        }

        /** Remembers the outcome of the next command. */
        void remember(long sequence, Outcome outcome) {
            if (sequence - settledBelow >= ring.length) {
                grow(sequence - settledBelow + 1);
            }
            ring[slot(sequence)] = outcome;
            end = sequence + 1;
        }

        /** Forgets what was decided below that number. */
        void settle(long below) {
            long last = Math.min(below, end);
            for (; settledBelow < last; settledBelow++) {
                ring[slot(settledBelow)] = null;
            }
            if (below > settledBelow) {
                settledBelow = below;
                end = Math.max(end, below);
            }
        }

        private int slot(long sequence) {
            return (int) (sequence & (ring.length - 1));
        }

        private void grow(long needed) {
            if (needed > WINDOW_MAX) {
                throw new IllegalStateException("an origin has " + needed + " commands that are not settled");
            }
            @Nullable Outcome[] larger = new Outcome[Integer.highestOneBit((int) needed - 1) << 1];
            for (long sequence = settledBelow; sequence < end; sequence++) {
                larger[(int) (sequence & (larger.length - 1))] = ring[slot(sequence)];
            }
            ring = larger;
        }

        private SnapshotOrigin toWire(long id) {
            SnapshotOrigin.Builder origin =
                    SnapshotOrigin.newBuilder().setOrigin(id).setSettledBelow(settledBelow);
            for (long sequence = settledBelow; sequence < end; sequence++) {
                Outcome outcome = ring[slot(sequence)];
                if (outcome != null) {
                    origin.addResults(outcome.toWire(sequence));
                }
            }
            return origin.build();
        }

        private static Origin fromWire(SnapshotOrigin wire) {
            Origin origin = new Origin();
            origin.settle(wire.getSettledBelow());
            wire.getResultsList().forEach(r -> origin.remember(r.getSequence(), Outcome.fromWire(r)));
            return origin;
        }
    }
}
