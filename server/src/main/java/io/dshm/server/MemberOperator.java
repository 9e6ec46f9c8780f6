package io.dshm.server;

import io.dshm.proto.Limits;
import io.dshm.proto.wire.ChangeMember;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.StatusReply;
import io.dshm.server.admin.RefusedException;
import io.dshm.server.config.ConfigException;
import io.dshm.server.config.Member;
import io.dshm.server.network.ClusterMembers;
import io.dshm.server.replication.contracts.Leadership;
import io.dshm.server.replication.contracts.PeerStatuses;
import io.dshm.server.replication.jraft.MemberChanges;
import io.dshm.server.statemachine.StateMachine;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Adds, promotes and removes members for operators. Only the leader does this, one change at a time.
 *
 * <p>A member is added in three steps, each of which may be repeated: it comes on the list, so that all nodes let it
 * in; it becomes a learner; when it has the data, it is promoted. It is removed the other way round. A change that
 * broke off is completed by the same command, or undone by the opposite one. Thread-safe; all methods may block.
 */
final class MemberOperator {

    private static final Logger LOG = LoggerFactory.getLogger(MemberOperator.class);

    private static final long STEP_MILLIS = 10_000;
    private static final long ASK_MILLIS = 1_000;

    /** A learner may be promoted when it lacks at most so many log entries; the library waits for these. */
    private static final long BEHIND_MAX = 1_000;

    /**
     * The parts of the node that are needed.
     *
     * @param self its name
     * @param listens whether other nodes can reach it
     * @param propose proposes a record, see {@code Replicator.propose}
     * @param applied the index of the last entry that it has applied
     */
    record Node(
            String self,
            boolean listens,
            Supplier<Leadership> leadership,
            Consumer<CommandRecord> propose,
            LongSupplier applied,
            StateMachine stateMachine,
            ClusterMembers members,
            MemberChanges raft,
            PeerStatuses peers) {}

    private final Node node;
    private final ReentrantLock oneChange = new ReentrantLock();
    private final Object listChanged = new Object();

    MemberOperator(Node node) {
        this.node = node;
        node.members().onChange(() -> {
            synchronized (listChanged) {
                listChanged.notifyAll();
            }
        });
    }

    /** The members and their roles, as this node knows them. */
    Map<String, Object> list() {
        MemberChanges.Roles roles = node.raft().roles();
        Leadership leadership = node.leadership().get();
        List<Map<String, Object>> members = new ArrayList<>();
        node.members().all().forEach((name, address) -> {
            Map<String, Object> member = new LinkedHashMap<>();
            member.put("node", name);
            member.put("address", address.text());
            member.put("role", role(roles, leadership, name, address.raft()));
            members.add(member);
        });
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put(
                "clusterId",
                String.format("%016x", node.stateMachine().cluster().id()));
        fields.put("leader", Objects.requireNonNullElse(leadership.leader(), ""));
        fields.put("term", leadership.term());
        fields.put("members", members);
        return fields;
    }

    private static String role(MemberChanges.Roles roles, Leadership leadership, String name, String address) {
        if (roles.voters().contains(address)) {
            return name.equals(leadership.leader()) ? "leader" : "voter";
        }
        return roles.learners().contains(address) ? "learner" : "none";
    }

    /**
     * Makes a change; returns a sentence that says what was done.
     *
     * @param action {@code add}, {@code promote}, {@code remove} or {@code transfer-leader}
     * @param subject a member's name; with its address, {@code name=host:raft-port}, for {@code add}
     */
    String act(String action, String subject) throws RefusedException, InterruptedException {
        if (!oneChange.tryLock()) {
            throw new RefusedException(RefusedException.BUSY, "another change of members is under way");
        }
        try {
            requireLeading();
            LOG.debug("an operator asks: {} {}", action, subject);
            String done = switch (action) {
                case "add" -> add(subject);
                case "promote" -> promote(subject);
                case "remove" -> remove(subject);
                case "transfer-leader" -> transfer(subject);
                default -> throw refused("there is no " + action);
            };
            LOG.info("members: {}", done);
            return done;
        } catch (IllegalStateException e) {
            throw new RefusedException(RefusedException.NOT_LEADER, "this node does not lead any more");
        } finally {
            oneChange.unlock();
        }
    }

    private void requireLeading() throws RefusedException {
        Leadership leadership = node.leadership().get();
        if (!leadership.self()) {
            throw new RefusedException(
                    RefusedException.NOT_LEADER,
                    leadership.leader() == null ? "no leader is known" : leadership.leader() + " leads: ask it");
        }
        if (node.stateMachine().cluster().id() == 0) {
            throw refused(
                    "the cluster has no list of members yet: it makes one when all of them have started with this release");
        }
    }

    private static RefusedException refused(String why) {
        return new RefusedException(RefusedException.REFUSED, why);
    }

    private String add(String text) throws RefusedException, InterruptedException {
        Member member = parse(text);
        if (!node.listens()) {
            throw refused(
                    "this node runs alone, and no other one can reach it: dshm recover gives it an address, see members");
        }
        Map<String, ClusterMembers.Address> all = node.members().all();
        ClusterMembers.Address known = all.get(member.name());
        if (known != null && !known.text().equals(member.address())) {
            throw refused(member.name() + " is a member already, at " + known.text() + ": remove it first");
        }
        requireFree(member, all);
        MemberChanges.Roles roles = node.raft().roles();
        for (Map.Entry<String, ClusterMembers.Address> other : all.entrySet()) {
            if (!other.getKey().equals(member.name())
                    && !roles.voters().contains(other.getValue().raft())) {
                throw refused(other.getKey() + " was added, and does not vote yet: promote it or remove it first");
            }
        }
        if (roles.voters().contains(member.raftAddress())) {
            return member.name() + " is a member already, and votes";
        }
        if (known == null) {
            if (all.size() >= Limits.MEMBERS_MAX) {
                throw refused("there are " + all.size() + " members, and there may be no more");
            }
            setList(member.name(), member.address());
        }
        if (!roles.learners().contains(member.raftAddress())) {
            await(node.raft().addLearner(member.raftAddress()), "adding " + member.name());
        }
        return member.name() + " is a learner at " + member.address()
                + ". Start it with these members, then promote it: "
                + String.join(",", node.members().texts());
    }

    private static Member parse(String text) throws RefusedException {
        try {
            return Member.parse(text);
        } catch (ConfigException e) {
            throw refused(String.valueOf(e.getMessage()));
        }
    }

    private static void requireFree(Member member, Map<String, ClusterMembers.Address> all) throws RefusedException {
        Set<String> wanted = Set.of(member.raftAddress(), member.host() + ":" + member.forwardingPort());
        for (Map.Entry<String, ClusterMembers.Address> other : all.entrySet()) {
            ClusterMembers.Address address = other.getValue();
            if (!other.getKey().equals(member.name())
                    && (wanted.contains(address.raft())
                            || wanted.contains(address.host() + ":" + address.forwardingPort()))) {
                throw refused(other.getKey() + " has the address " + address.text());
            }
        }
    }

    private ClusterMembers.Address addressOf(String name) throws RefusedException {
        ClusterMembers.Address address = node.members().all().get(name);
        if (address == null) {
            throw refused("no member has the name " + name + "; the members are "
                    + new TreeSet<>(node.members().all().keySet()));
        }
        return address;
    }

    private String promote(String name) throws RefusedException, InterruptedException {
        String address = addressOf(name).raft();
        MemberChanges.Roles roles = node.raft().roles();
        if (roles.voters().contains(address)) {
            return name + " votes already";
        }
        if (!roles.learners().contains(address)) {
            // A promotion takes two changes, and one before may have broken off in between: without this, nobody would
            // send that node anything.
            await(node.raft().addLearner(address), "adding " + name);
        }
        requireCaughtUp(name);
        int voters = roles.voters().size() + 1;
        int answer = node.raft().alive().size() + 1;
        if (answer < MemberChanges.Roles.majorityOf(voters)) {
            throw refused("of the " + voters + " nodes that would vote only " + answer + " answer");
        }
        await(node.raft().promote(address), "promoting " + name);
        return name + " votes";
    }

    private void requireCaughtUp(String name) throws RefusedException, InterruptedException {
        long needed = node.applied().getAsLong();
        try {
            StatusReply status = node.peers().ask(name, ASK_MILLIS).get();
            if (status.getVotes() && needed - status.getAppliedIndex() <= BEHIND_MAX) {
                return;
            }
            throw new RefusedException(
                    RefusedException.NOT_CAUGHT_UP,
                    name + " has not caught up: it has applied " + status.getAppliedIndex() + " of " + needed
                            + " log entries" + (status.getVotes() ? "" : ", and gets its data"));
        } catch (ExecutionException e) {
            throw new RefusedException(
                    RefusedException.NOT_CAUGHT_UP,
                    name + " does not answer at its forwarding address: is it running?");
        }
    }

    private String remove(String name) throws RefusedException, InterruptedException {
        String address = addressOf(name).raft();
        MemberChanges.Roles roles = node.raft().roles();
        if (roles.voters().contains(address)) {
            int left = roles.voters().size() - 1;
            if (left == 0) {
                throw refused(name + " is the only node that votes");
            }
            Set<String> answer = new TreeSet<>(node.raft().alive());
            answer.remove(address);
            if (answer.size() < MemberChanges.Roles.majorityOf(left)) {
                throw refused("of the " + left + " nodes that would be left to vote only " + answer.size()
                        + " answer: the cluster would stand still");
            }
            if (name.equals(node.self())) {
                transfer("");
                throw new RefusedException(
                        RefusedException.NOT_LEADER, name + " leads, and hands over first: ask the new leader");
            }
            await(node.raft().removeVoter(address), "removing " + name);
        } else if (roles.learners().contains(address)) {
            await(node.raft().removeLearner(address), "removing " + name);
        }
        setList(name, "");
        return name + " is no member any more: stop it, and do not start it again with its data";
    }

    private String transfer(String name) throws RefusedException {
        try {
            if (name.equals(node.self())) {
                return name + " leads already";
            }
            node.raft().transferLeadership(name.isEmpty() ? "" : addressOf(name).raft());
            return "leadership goes to " + (name.isEmpty() ? "the node that is furthest along" : name);
        } catch (IOException e) {
            throw refused("leadership cannot go " + (name.isEmpty() ? "to another node" : "to " + name) + ": "
                    + e.getMessage());
        }
    }

    /** Puts a member on the list, or removes it if the address is empty; returns when that is applied here. */
    private void setList(String name, String address) throws RefusedException, InterruptedException {
        io.dshm.proto.wire.Member member = io.dshm.proto.wire.Member.newBuilder()
                .setName(name)
                .setAddress(address)
                .build();
        node.propose()
                .accept(CommandRecord.newBuilder()
                        .setChangeMember(
                                ChangeMember.newBuilder().setMember(member).setRemoved(address.isEmpty()))
                        .build());
        awaitList(() -> node.members().all().containsKey(name) != address.isEmpty(), "changing the list of members");
    }

    private void awaitList(BooleanSupplier isThere, String what) throws RefusedException, InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(STEP_MILLIS);
        synchronized (listChanged) {
            while (!isThere.getAsBoolean()) {
                long millis = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
                if (millis <= 0) {
                    throw unknown(what, "no majority has confirmed it in time");
                }
                listChanged.wait(millis);
            }
        }
    }

    private static void await(CompletableFuture<Void> change, String what)
            throws RefusedException, InterruptedException {
        try {
            change.get(STEP_MILLIS, TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            throw unknown(what, reason(e));
        } catch (TimeoutException e) {
            throw unknown(what, "no majority has confirmed it in time");
        }
    }

    private static String reason(ExecutionException failure) {
        Throwable cause = failure.getCause();
        return String.valueOf(cause == null ? failure.getMessage() : cause.getMessage());
    }

    private static RefusedException unknown(String what, String why) {
        return new RefusedException(
                RefusedException.UNKNOWN,
                what + " was not completed: " + why
                        + ". dshm cluster status shows what has become of it; then try again");
    }
}
