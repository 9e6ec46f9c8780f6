package io.dshm.server.statemachine;

import io.dshm.proto.Formats;
import io.dshm.proto.Limits;
import io.dshm.proto.wire.RegisterNode;
import io.dshm.proto.wire.SnapshotNode;
import io.dshm.proto.wire.SnapshotOrigin;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Exactly once: the outcomes that may still be asked for again, by the identity of their commands (Raft thesis, 6.3).
 *
 * <p>In order: a command is applied only after those before it, see {@code CommandRecord} in log.proto.
 *
 * <p>A node registers its origins when it starts, which ends those of its earlier start. An origin counts its commands
 * 1, 2, 3 ... and lets the log know below which number it has got all its outcomes; from there on they are forgotten,
 * and a late copy is recognised by its number alone. So the table holds what is in flight, and no more.
 *
 * <p>A node that is no member any more keeps its folder and its start, and has no origins: its commands on their way
 * are not applied, and neither is a late copy of its registration, which would make them new. It may register after a
 * further start, or with a new folder, once it is a member again. Of such nodes the {@link Limits#REMOVED_NODES_MAX}
 * removed last are remembered. One that is forgotten is still refused while it is no member, see {@link StateMachine};
 * and if it is added again, the leader proposes only a registration which the process at its address calls its own. To
 * apply a command twice, that process would have had to run all the time, and its very first command would have had to
 * wait for its answer while that many others were added and removed, for which each of them needs several entries of
 * the log.
 *
 * <p>Confined to the thread that applies.
 */
final class Origins {

    private static final class Registration {
        final long folder;
        final long start;
        final List<Long> origins;

        /** The newest format that the node reads. Not in a snapshot: {@link Formats#FIRST} after one was loaded. */
        final int format;

        /** The index of the entry that removed the node from the members; 0 if none has. */
        final long removedAt;

        Registration(long folder, long start, List<Long> origins, int format, long removedAt) {
            this.folder = folder;
            this.start = start;
            this.origins = List.copyOf(origins);
            this.format = format;
            this.removedAt = removedAt;
        }

        Registration removed(long index) {
            return new Registration(folder, start, List.of(), format, index);
        }
    }

    /** What a registration takes, with a name of usual length. */
    private static final int NODE_BYTES = 256;

    /** Sorted, so that a snapshot's bytes do not depend on the order of registrations. */
    private final TreeMap<String, Registration> nodes = new TreeMap<>();

    private final Map<Long, Outcomes> origins = new HashMap<>();

    /** The origin's table, or null if it is not registered (any more). */
    @Nullable
    Outcomes get(long origin) {
        return origins.get(origin);
    }

    /**
     * Whether that is the registration of a new start, or again that of the present one. False if one of its origins
     * belongs to another node. Asked since format {@link Formats#BOUNDS}.
     */
    boolean isAdmissible(RegisterNode command) {
        List<Long> ids = command.getOriginsList();
        Registration current = nodes.get(command.getNode());
        if (current != null && current.folder == command.getFolder() && current.start >= command.getStart()) {
            return current.removedAt == 0 && current.start == command.getStart() && current.origins.equals(ids);
        }
        return !ids.isEmpty()
                && ids.stream().distinct().count() == ids.size()
                && ids.stream().noneMatch(id -> id == 0 || origins.containsKey(id));
    }

    /** What all outcomes and removed nodes take that are remembered, in bytes. It looks at every origin. */
    long bytes() {
        return origins.values().stream().mapToLong(Outcomes::bytes).sum()
                + removedNodes().count() * NODE_BYTES;
    }

    /** A node has started; its earlier origins end. A registration that was overtaken by a later one is ignored. */
    List<Long> register(RegisterNode command) {
        Registration current = nodes.get(command.getNode());
        int format = Math.max(Formats.FIRST, command.getFormat());
        if (current != null) {
            if (current.folder == command.getFolder() && current.start > command.getStart()) {
                return List.of();
            }
            if (current.origins.equals(command.getOriginsList())) {
                nodes.put(
                        command.getNode(), new Registration(current.folder, current.start, current.origins, format, 0));
                return List.of();
            }
            current.origins.forEach(origins::remove);
        }
        nodes.put(
                command.getNode(),
                new Registration(command.getFolder(), command.getStart(), command.getOriginsList(), format, 0));
        command.getOriginsList().forEach(origin -> origins.put(origin, new Outcomes()));
        return current == null ? List.of() : current.origins;
    }

    /**
     * A node is no member any more: its origins end.
     *
     * @return these origins
     */
    List<Long> remove(String node, long index) {
        Registration current = nodes.get(node);
        if (current == null || current.removedAt != 0) {
            return List.of();
        }
        current.origins.forEach(origins::remove);
        nodes.put(node, current.removed(index));
        if (removedNodes().count() > Limits.REMOVED_NODES_MAX) {
            removedNodes()
                    .min(Comparator.comparingLong(removed -> removed.getValue().removedAt))
                    .ifPresent(oldest -> nodes.remove(oldest.getKey()));
        }
        return current.origins;
    }

    private Stream<Map.Entry<String, Registration>> removedNodes() {
        return nodes.entrySet().stream().filter(node -> node.getValue().removedAt != 0);
    }

    /**
     * The newest format that each registered node reads, as far as this node knows. Nothing that is applied depends on
     * it: nodes of format 1 leave it out of their snapshots, so two nodes may know different things here. What is
     * unknown counts as {@link Formats#FIRST}, and nodes register again with each new leader, which therefore gets to
     * know all of them.
     */
    Map<String, Integer> formats() {
        Map<String, Integer> formats = new HashMap<>();
        nodes.forEach((name, registration) -> {
            if (registration.removedAt == 0) {
                formats.put(name, registration.format);
            }
        });
        return Map.copyOf(formats);
    }

    /**
     * The starts with which the nodes are registered.
     *
     * @param folder the number of a data folder
     * @param number how often the node had started with it
     */
    record Start(long folder, long number) {}

    /** The start of each node that is registered, and of those that were removed. */
    Map<String, Start> starts() {
        Map<String, Start> starts = new HashMap<>();
        nodes.forEach((name, registration) -> starts.put(name, new Start(registration.folder, registration.start)));
        return Map.copyOf(starts);
    }

    /** A copy of the present table, for any thread. Copies one reference for each outcome. */
    List<FrozenNode> freeze() {
        List<FrozenNode> result = new ArrayList<>();
        nodes.forEach((name, registration) -> {
            List<Outcomes.Frozen> outcomes = new ArrayList<>();
            for (long id : registration.origins) {
                Outcomes table = origins.get(id);
                if (table == null) {
                    throw new IllegalStateException("origin " + id + " of node " + name + " has no table");
                }
                outcomes.add(table.freeze());
            }
            result.add(new FrozenNode(name, registration, outcomes));
        });
        return result;
    }

    /** A node's registration and outcomes as they were at one moment. Immutable. */
    static final class FrozenNode {

        private final String name;
        private final Registration registration;

        /** Of the registration's origins, in their order. */
        private final List<Outcomes.Frozen> outcomes;

        private FrozenNode(String name, Registration registration, List<Outcomes.Frozen> outcomes) {
            this.name = name;
            this.registration = registration;
            this.outcomes = outcomes;
        }

        /** All of it, for a snapshot, in pieces that are not too large for a frame; at least one. */
        List<SnapshotNode> toWire() {
            List<SnapshotNode> result = new ArrayList<>();
            SnapshotNode.Builder node = newFrame();
            int bytes = 0;
            for (int i = 0; i < outcomes.size(); i++) {
                for (SnapshotOrigin piece : outcomes.get(i).toWire(registration.origins.get(i))) {
                    if (bytes >= Limits.SNAPSHOT_OUTCOMES_BYTES_MAX) {
                        result.add(node.build());
                        node = newFrame();
                        bytes = 0;
                    }
                    node.addOrigins(piece);
                    bytes += piece.getSerializedSize();
                }
            }
            result.add(node.build());
            return result;
        }

        private SnapshotNode.Builder newFrame() {
            return SnapshotNode.newBuilder()
                    .setNode(name)
                    .setFolder(registration.folder)
                    .setStart(registration.start)
                    .setRemovedAt(registration.removedAt);
        }
    }

    /** Takes one node out of a snapshot, or a part of one: frames of one node follow each other. */
    void load(SnapshotNode node) {
        Registration begun = nodes.get(node.getNode());
        Set<Long> ids = new LinkedHashSet<>(begun == null ? List.of() : begun.origins);
        for (SnapshotOrigin piece : node.getOriginsList()) {
            ids.add(piece.getOrigin());
            origins.computeIfAbsent(piece.getOrigin(), any -> new Outcomes()).load(piece);
        }
        nodes.put(
                node.getNode(),
                new Registration(
                        node.getFolder(), node.getStart(), List.copyOf(ids), Formats.FIRST, node.getRemovedAt()));
    }
}
