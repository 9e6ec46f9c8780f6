package io.dshm.server.statemachine;

import io.dshm.proto.wire.ChangeMember;
import io.dshm.proto.wire.FoundCluster;
import io.dshm.proto.wire.Member;
import io.dshm.proto.wire.SnapshotHeader;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Which cluster this is, and the addresses of its members. Which of them vote is not known here: that is Raft's
 * configuration. Immutable.
 *
 * @param id random; 0 before the cluster has one
 * @param since the index of the entry that gave it
 * @param members their addresses, {@code host:raft-port:forwarding-port}, by their names
 */
public record ClusterState(long id, long since, SortedMap<String, String> members) {

    /** Of a cluster that has no id yet. */
    static final ClusterState NONE = new ClusterState(0, 0, Collections.emptySortedMap());

    /** The same with an id and members, unless it has an id. */
    ClusterState founded(long index, FoundCluster command) {
        return id == 0 ? new ClusterState(command.getId(), index, mapOf(command.getMembersList())) : this;
    }

    /** The same with one member more, less, or elsewhere. */
    ClusterState changed(ChangeMember command) {
        SortedMap<String, String> changed = new TreeMap<>(members);
        Member member = command.getMember();
        if (command.getRemoved()) {
            changed.remove(member.getName());
        } else {
            changed.put(member.getName(), member.getAddress());
        }
        return new ClusterState(id, since, Collections.unmodifiableSortedMap(changed));
    }

    /** Whether a node of that name may register: only members may, once it is known who they are. */
    public boolean mayRegister(String node) {
        return id == 0 || members.containsKey(node);
    }

    private static SortedMap<String, String> mapOf(List<Member> list) {
        SortedMap<String, String> map = new TreeMap<>();
        list.forEach(member -> map.put(member.getName(), member.getAddress()));
        return Collections.unmodifiableSortedMap(map);
    }

    /** What that snapshot says. */
    static ClusterState of(SnapshotHeader header) {
        return new ClusterState(header.getClusterId(), header.getClusterSince(), mapOf(header.getMembersList()));
    }

    /** The header, with what is to be said of the cluster. */
    SnapshotHeader.Builder in(SnapshotHeader.Builder header) {
        members.forEach((name, address) ->
                header.addMembers(Member.newBuilder().setName(name).setAddress(address)));
        return header.setClusterId(id).setClusterSince(since);
    }

    /** The members as messages, by their names. */
    public List<Member> list() {
        return members.entrySet().stream()
                .map(member -> Member.newBuilder()
                        .setName(member.getKey())
                        .setAddress(member.getValue())
                        .build())
                .toList();
    }

    /** A new cluster's header: its first leader gives it an id, and the list of its members. */
    static SnapshotHeader without(SnapshotHeader header) {
        return header.toBuilder()
                .clearClusterId()
                .clearClusterSince()
                .clearMembers()
                .build();
    }

    /**
     * A number that differs, practically, from that of any other cluster and any other members; 0 without id and
     * members.
     */
    long digest() {
        return this.equals(NONE)
                ? 0
                : 31 * (id + 31 * since) + members.toString().hashCode();
    }
}
