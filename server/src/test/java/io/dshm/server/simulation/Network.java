package io.dshm.server.simulation;

import io.dshm.proto.Formats;
import io.dshm.proto.wire.Forward;
import io.dshm.proto.wire.ForwardReply;
import io.dshm.proto.wire.StatusReply;
import io.dshm.server.replication.contracts.PeerLinks;
import io.dshm.server.replication.contracts.PeerStatuses;
import io.dshm.server.replication.writes.ForwardSession;
import io.dshm.server.replication.writes.RegistrationCheck;
import java.io.IOException;
import java.net.ConnectException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** What is between the nodes: directions that may be blocked, delays, and connections that carry bytes in order. */
final class Network {

    /** A direction that stays blocked ends a connection after that time, as TCP does with what nobody acknowledges. */
    private static final long STALL_NANOS = TimeUnit.SECONDS.toNanos(3);

    private static final int CONNECT_MILLIS = 1_000;
    private static final int RETRANSMIT_MILLIS = 200;

    private final Events events;
    private final Trace trace;
    private final boolean[][] blocked;
    private final List<Connection> connections = new ArrayList<>();
    private List<SimulatedNode> nodes = List.of();

    /** One in so many messages takes long. */
    private final int slowOneIn;

    Network(Events events, Trace trace, int nodeCount) {
        this.events = events;
        this.trace = trace;
        this.blocked = new boolean[nodeCount][nodeCount];
        this.slowOneIn = 20 + events.random.nextInt(200);
    }

    void connect(List<SimulatedNode> members) {
        this.nodes = members;
    }

    void block(int from, int to, boolean whether) {
        blocked[from][to] = whether;
    }

    boolean isBlocked(int from, int to) {
        return blocked[from][to];
    }

    /** Breaks one connection, with what is on its way. */
    void breakAny() {
        if (!connections.isEmpty()) {
            connections.get(events.random.nextInt(connections.size())).fail("reset");
        }
    }

    /** The other ends hear of it that this process is gone. */
    void onKilled(Lifetime process) {
        for (Connection connection : List.copyOf(connections)) {
            if (connection.server == process) {
                connection.fail("the other end died");
            } else if (connection.client == process) {
                connections.remove(connection);
            }
        }
    }

    long delay() {
        return events.oneIn(slowOneIn) ? events.millis(1, 40) : events.micros(800);
    }

    private SimulatedNode node(String name) {
        return nodes.stream().filter(n -> n.name().equals(name)).findFirst().orElseThrow();
    }

    /** The links of one process. */
    PeerLinks linksOf(SimulatedNode node, Lifetime process) {
        return (target, lane, listener) -> {
            Connection connection =
                    new Connection(node.number(), process, node(target).number(), lane, listener);
            if (events.oneIn(200)) {
                listener.onClosed();
                connection.ended = true;
            } else {
                connections.add(connection);
                events.after(delay(), connection::connect);
            }
            return connection;
        };
    }

    /** Questions of one process. */
    PeerStatuses statusesOf(SimulatedNode asking, Lifetime process) {
        return (target, timeoutMillis) -> {
            CompletableFuture<StatusReply> answer = new CompletableFuture<>();
            ask(asking, process, node(target), timeoutMillis, answer, SimulatedNode.Running::status);
            return answer;
        };
    }

    private <T> void ask(
            SimulatedNode asking,
            Lifetime process,
            SimulatedNode asked,
            long timeoutMillis,
            CompletableFuture<T> answer,
            Function<SimulatedNode.Running, T> question) {
        long askedNanos = events.nowNanos();
        events.after(delay(), () -> {
            SimulatedNode.Running running = asked.running();
            if (running == null
                    && !blocked[asking.number()][asked.number()]
                    && !blocked[asked.number()][asking.number()]) {
                process.after(delay(), () -> answer.completeExceptionally(new ConnectException("Connection refused")));
            }
            if (running == null || !running.process.isRunning() || blocked[asking.number()][asked.number()]) {
                return;
            }
            T reply = question.apply(running);
            if (!blocked[asked.number()][asking.number()]) {
                process.after(delay(), () -> {
                    // Also if the process was held with the answer in its socket.
                    if (events.nowNanos() - askedNanos <= TimeUnit.MILLISECONDS.toNanos(timeoutMillis)) {
                        answer.complete(reply);
                    }
                });
            }
        });
        process.after(
                TimeUnit.MILLISECONDS.toNanos(timeoutMillis),
                () -> answer.completeExceptionally(new IOException("no answer in time")));
    }

    /** The question of one process, whether a registration is that of the member that it names. */
    RegistrationCheck.Members registrationsOf(SimulatedNode asking, Lifetime process) {
        return (registration, timeoutMillis) -> {
            CompletableFuture<Boolean> answer = new CompletableFuture<>();
            ask(
                    asking,
                    process,
                    node(registration.getNode()),
                    timeoutMillis,
                    answer,
                    running -> running.format > Formats.FIRST && running.replicator.isOwn(registration));
            return answer;
        };
    }

    /** One connection. */
    private final class Connection implements PeerLinks.Link {

        private final int from;
        private final Lifetime client;
        private final int to;
        private final ScheduledExecutorService lane;
        private final PeerLinks.Listener listener;
        private final Direction forth = new Direction();
        private final Direction back = new Direction();

        private @Nullable Lifetime server;
        private @Nullable ScheduledExecutorService serverLane;
        private @Nullable ForwardSession session;
        private boolean ended;
        private boolean failed;

        Connection(int from, Lifetime client, int to, ScheduledExecutorService lane, PeerLinks.Listener listener) {
            this.from = from;
            this.client = client;
            this.to = to;
            this.lane = lane;
            this.listener = listener;
        }

        void connect() {
            SimulatedNode.Running target = nodes.get(to).running();
            if (blocked[from][to] || blocked[to][from]) {
                events.after(TimeUnit.MILLISECONDS.toNanos(CONNECT_MILLIS), () -> fail("no way to connect"));
            } else if (target == null) {
                fail("connection refused");
            } else {
                server = target.process;
                serverLane = target.anyLane();
                client.after(
                        delay(),
                        () -> lane.execute(() -> {
                            if (!ended) {
                                listener.onOpen();
                            }
                        }));
            }
        }

        @Override
        public void send(Forward forward) {
            trace.note(
                    "n%d -> n%d: %d commands for term %d",
                    from + 1, to + 1, forward.getRecordsCount(), forward.getTerm());
            forth.send(from, to, () -> deliver(forward));
        }

        private void deliver(Forward forward) {
            Lifetime target = server;
            ScheduledExecutorService targetLane = serverLane;
            if (target != null && targetLane != null) {
                target.after(0, () -> targetLane.execute(() -> onForward(forward)));
            }
        }

        private void onForward(Forward forward) {
            SimulatedNode.Running target = nodes.get(to).running();
            ScheduledExecutorService targetLane = serverLane;
            if (target == null || targetLane == null) {
                throw new IllegalStateException("a task of a process that is gone");
            }
            ForwardSession open = session;
            if (open == null) {
                open = target.replicator.lane(targetLane).openSession(target.registrations, this::reply);
                session = open;
            }
            open.onForward(forward);
        }

        private void reply(ForwardReply reply) {
            back.send(
                    to,
                    from,
                    () -> client.after(
                            0,
                            () -> lane.execute(() -> {
                                if (!ended) {
                                    listener.onReply(reply);
                                }
                            })));
        }

        @Override
        public void close() {
            ended = true;
            connections.remove(this);
        }

        void fail(String why) {
            if (failed) {
                return;
            }
            failed = true;
            connections.remove(this);
            if (server != null) {
                trace.note("link n%d -> n%d: %s", from + 1, to + 1, why);
            }
            client.after(
                    delay(),
                    () -> lane.execute(() -> {
                        if (!ended) {
                            ended = true;
                            listener.onClosed();
                        }
                    }));
        }

        /** What goes one way arrives in order. */
        private final class Direction {

            private final ArrayDeque<Runnable> onItsWay = new ArrayDeque<>();
            private boolean moving;
            private long stalledSinceNanos = -1;

            void send(int source, int target, Runnable arrival) {
                if (!failed) {
                    onItsWay.add(arrival);
                    move(source, target, delay());
                }
            }

            private void move(int source, int target, long afterNanos) {
                if (!moving && !onItsWay.isEmpty()) {
                    moving = true;
                    events.after(afterNanos, () -> {
                        moving = false;
                        arrive(source, target);
                    });
                }
            }

            private void arrive(int source, int target) {
                if (failed) {
                    return;
                }
                if (!blocked[source][target]) {
                    stalledSinceNanos = -1;
                    onItsWay.remove().run();
                    move(source, target, events.micros(50));
                } else {
                    if (stalledSinceNanos < 0) {
                        stalledSinceNanos = events.nowNanos();
                    }
                    if (events.nowNanos() - stalledSinceNanos > STALL_NANOS) {
                        fail("nothing arrives");
                    } else {
                        move(source, target, TimeUnit.MILLISECONDS.toNanos(RETRANSMIT_MILLIS));
                    }
                }
            }
        }
    }
}
