package io.dshm.server.simulation;

import io.dshm.proto.Algorithm;
import io.dshm.proto.Command;
import io.dshm.proto.Formats;
import io.dshm.proto.Key;
import io.dshm.proto.Policy;
import io.dshm.server.replication.contracts.ReplyListener;
import io.dshm.server.shares.BootTime;
import io.dshm.server.shares.Share;
import io.dshm.server.shares.Shares;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Takes of limits, from shares where there are any: a lane of a node, which dies and stands still with its node, or an nginx beside
 * the nodes, which asks any of them, dies by itself, stands still, and whose machine sleeps.
 */
final class Taker {

    private static final int COST_MAX = 3;
    private static final int BURST_MAX = 14;

    private final World world;
    private final Random random;

    /** Where a taker of a node lives; null for an nginx. */
    private final @Nullable SimulatedNode home;

    private int left;
    private long next;
    private @Nullable Life life;

    Taker(World world, @Nullable SimulatedNode home) {
        this.world = world;
        this.random = world.events.random;
        this.home = home;
        this.left = 10 + random.nextInt(150);
    }

    boolean isDone() {
        return left == 0;
    }

    /** Goes on for as long as there is something to do; called once. */
    void think() {
        world.events.after(world.events.millis(0, 60), () -> {
            Life living = life;
            SimulatedNode.Running running = home == null ? null : home.running();
            if (living != null) {
                living.loseConnections();
            }
            if (living == null || living.process.isDead() || living.running != running) {
                if (living != null) {
                    living.end();
                }
                life = home != null && running == null ? null : new Life(running);
            } else if (home == null && !world.isOver() && world.events.oneIn(100)) {
                living.process.kill();
            } else if (home == null && !world.isOver() && world.events.oneIn(15)) {
                living.standStill();
            } else {
                living.process.after(0, living::burst);
            }
            think();
        });
    }

    /** One start of it. */
    private final class Life implements Shares.Cluster {

        /** The node's, for one that lives in a node. */
        final SimulatedNode.@Nullable Running running;

        final Lifetime process;
        private final Shares shares;
        private final long startNanos = world.events.nowNanos();
        private final Map<Operation, Lifetime> outstanding = new LinkedHashMap<>();
        private Operation.@Nullable Connection connection;
        private SimulatedNode.@Nullable Running connectedTo;
        private long sleptNanos;
        private long wallStepMillis;
        private boolean ended;

        Life(SimulatedNode.@Nullable Running running) {
            this.running = running;
            this.process = running == null ? new Lifetime(world.events) : running.process;
            double speed =
                    running == null ? world.speedOfClock() : running.node().speed();
            BootTime boot = new BootTime(
                    () -> (long) ((world.events.nowNanos() - sleptNanos) * speed),
                    () -> (long) (world.events.nowMillis() * speed) + wallStepMillis,
                    () -> OptionalLong.of((long) (world.events.nowMillis() * speed) / 10 * 10));
            this.shares = new Shares(this, () -> world.bug.shareNanos(startNanos, boot.getAsLong()), random.nextLong());
        }

        /** For a while nothing happens in it; its machine may sleep meanwhile, and its wall clock be set. */
        void standStill() {
            long nanos = world.events.millis(1, 1_500);
            process.holdFor(nanos);
            if (world.events.oneIn(2)) {
                sleptNanos += nanos;
            }
            if (world.events.oneIn(3)) {
                wallStepMillis += random.nextInt(20_000) - 10_000;
            }
        }

        void end() {
            ended = true;
            outstanding.forEach((lost, node) -> world.checks.onConnectionLost());
            outstanding.clear();
        }

        /** What nodes had that are dead by now is not answered. */
        void loseConnections() {
            outstanding.values().removeIf(node -> {
                if (node.isDead()) {
                    world.checks.onConnectionLost();
                }
                return node.isDead();
            });
        }

        void burst() {
            // Now many, so that shares are asked for, now few, so that they last until their ends.
            for (int i = random.nextInt(world.events.oneIn(4) ? BURST_MAX : 2); i >= 0 && left > 0; i--) {
                SimulatedNode.Running node = node();
                if (node == null || node.stateMachine.format() < Formats.BOUNDS) {
                    left = world.isOver() ? 0 : left; // A node of an old version may stay.
                    return;
                }
                left--;
                Key key = Client.SHARED.get(random.nextInt(Client.SHARED.size()));
                Command.Take take =
                        new Command.Take(key, limitOf(key), null, 1 + random.nextInt(COST_MAX), false, true);
                long credential = Logins.credential(node.stateMachine.users(), random);
                Share share = shares.take(take, credential);
                if (share == null) {
                    submit(take, credential, reply -> {});
                } else {
                    world.checks.onSpent(key, share, take.cost());
                }
            }
        }

        private SimulatedNode.@Nullable Running node() {
            return running != null ? running : world.anyNode().running();
        }

        @Override
        public void submit(Command.Write write, long credential, ReplyListener listener) {
            SimulatedNode.Running node = node();
            if (node == null || node.stateMachine.format() < Formats.BOUNDS) {
                return; // The answer never comes.
            }
            Command.Write sent = world.bug.onShareWrite(write);
            long delay = running != null ? 0 : world.events.millis(0, 4);
            world.events.after(delay, () -> {
                if (!node.process.isDead()) {
                    node.lanes.get(0).execute(() -> submit(node, write, sent, credential, listener));
                }
            });
        }

        private void submit(
                SimulatedNode.Running node,
                Command.Write write,
                Command.Write sent,
                long credential,
                ReplyListener listener) {
            if (ended) {
                return; // Nobody is there any more for whom it would be taken.
            }
            if (node.drains()) {
                return; // It would be refused without a number; the answer never comes.
            }
            if (connectedTo != node || connection == null) {
                connection = new Operation.Connection();
                connectedTo = node;
            }
            Operation operation =
                    new Operation(next++, connection, node.node(), sent, world.checks.acknowledgedIndex());
            world.checks.onSubmit(operation, node.origins.get(0));
            if (process.isDead()) {
                world.checks.onConnectionLost(); // It was on its way when its sender died.
            } else {
                outstanding.put(operation, node.process);
            }
            node.lane(0).submit(sent, credential, reply -> {
                if (outstanding.remove(operation) != null) {
                    world.checks.onReply(operation, reply);
                }
                long delay = running != null ? 0 : world.events.millis(0, 4);
                process.after(delay, () -> listener.onReply(world.bug.onShareReply(write, reply)));
            });
        }

        @Override
        public void after(long nanos, Runnable task) {
            process.after(Math.max(0, nanos), task); // what is overdue comes next, as in a lane
        }

        @Override
        public @Nullable Policy policy(Key key) {
            return null;
        }
    }

    /** Large enough for shares, and soon used up. */
    private static Policy limitOf(Key key) {
        return key.toString().contains("f")
                ? new Policy(Algorithm.FIXED, 80, TimeUnit.SECONDS.toMillis(2))
                : new Policy(Algorithm.LOG, 80, TimeUnit.SECONDS.toMillis(5));
    }
}
