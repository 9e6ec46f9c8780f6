package io.dshm.server.simulation;

import io.dshm.proto.Formats;
import io.dshm.proto.wire.ChangeMember;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.proto.wire.FoundCluster;
import io.dshm.proto.wire.Member;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Replaces members, one at a time, in the steps in which the product does it: a node loses its vote and comes off the list of members; without its
 * data, it comes on the list again, learns, and votes when it has caught up. Each step goes on until it is done, whoever leads.
 */
final class Operator {

    private static final int STEP_MILLIS = 200;

    private enum Step {
        FOUND,
        END_VOTE,
        TAKE_OFF_LIST,
        WIPE,
        PUT_ON_LIST,
        ADD_LEARNER,
        PROMOTE
    }

    private final World world;
    private @Nullable SimulatedNode subject;
    private Step step = Step.FOUND;
    private int replaced;

    Operator(World world) {
        this.world = world;
    }

    /** Whether there are fewer voters than usual. */
    boolean isBusy() {
        return subject != null;
    }

    /** Whether that node may be no member. */
    boolean isReplacing(SimulatedNode node) {
        return subject == node;
    }

    /** How many members were replaced. */
    int replaced() {
        return replaced;
    }

    /** Begins to replace that node. */
    void replace(SimulatedNode node) {
        subject = node;
        step = Step.FOUND;
        world.trace.note("an operator replaces %s", node.name());
        again();
    }

    private void again() {
        world.events.after(world.events.millis(10, STEP_MILLIS), () -> {
            SimulatedNode node = subject;
            if (node != null) {
                proceed(node);
                again();
            }
        });
    }

    private void proceed(SimulatedNode node) {
        SimulatedNode.Running leader = world.nodes.stream()
                .map(SimulatedNode::running)
                .filter(Objects::nonNull)
                .filter(running -> running.raft.leads() && running.process.isRunning())
                .findFirst()
                .orElse(null);
        if (leader == null || !leader.raft.isSettled()) {
            return;
        }
        RaftConfig config = leader.raft.config();
        int number = node.number();
        boolean isListed = leader.stateMachine.cluster().members().containsKey(node.name());
        switch (step) {
            case FOUND -> found(leader);
            case END_VOTE -> {
                if (!config.receives(number)) {
                    step = Step.TAKE_OFF_LIST;
                } else if (leader.node() == node) {
                    world.cluster.elect((number + 1) % world.size);
                } else {
                    leader.raft.change(config.without(number));
                }
            }
            case TAKE_OFF_LIST -> {
                if (isListed) {
                    changeList(leader, node, true);
                } else {
                    step = Step.WIPE;
                }
            }
            case WIPE -> {
                // Until then it may run on as it was.
                if (world.isOver() || world.events.oneIn(4)) {
                    node.kill();
                    node.loseData();
                    step = Step.PUT_ON_LIST;
                }
            }
            case PUT_ON_LIST -> {
                if (isListed) {
                    step = Step.ADD_LEARNER;
                } else {
                    changeList(leader, node, false);
                }
            }
            case ADD_LEARNER -> {
                if (config.receives(number)) {
                    step = Step.PROMOTE;
                } else {
                    leader.raft.change(config.withLearner(number));
                }
            }
            default -> promote(leader, node, config);
        }
    }

    /** The cluster gets its list of members, once all nodes read the format that has one. */
    private void found(SimulatedNode.Running leader) {
        if (leader.stateMachine.format() < Formats.NEWEST) {
            subject = null;
        } else if (leader.stateMachine.cluster().id() != 0) {
            step = Step.END_VOTE;
        } else {
            FoundCluster.Builder found = FoundCluster.newBuilder().setId(1 + world.events.random.nextInt(1_000));
            world.nodes.forEach(node -> found.addMembers(member(node)));
            leader.replicator.propose(
                    CommandRecord.newBuilder().setFoundCluster(found).build());
        }
    }

    private void promote(SimulatedNode.Running leader, SimulatedNode node, RaftConfig config) {
        if (config.voters().contains(node.number())) {
            world.trace.note("%s is replaced", node.name());
            replaced++;
            subject = null;
            if (node.running() == null) {
                node.start();
            }
        } else if (node.running() == null) {
            node.start();
        } else if (!node.lacksData() && leader.raft.isClose(node.number())) {
            leader.raft.change(config.withVoter(node.number()));
        }
    }

    private static Member member(SimulatedNode node) {
        return Member.newBuilder()
                .setName(node.name())
                .setAddress(node.name() + ":1:2")
                .build();
    }

    private static void changeList(SimulatedNode.Running leader, SimulatedNode node, boolean removed) {
        leader.replicator.propose(CommandRecord.newBuilder()
                .setChangeMember(
                        ChangeMember.newBuilder().setMember(member(node)).setRemoved(removed))
                .build());
    }
}
