package io.dshm.server.replication;

import io.dshm.proto.Command;
import io.dshm.proto.ErrorCode;
import io.dshm.proto.Formats;
import io.dshm.proto.Limits;
import io.dshm.proto.Reply;
import io.dshm.proto.wire.CommandRecord;
import io.dshm.server.guard.Guard;
import io.dshm.server.replication.contracts.ClockAndRandom;
import io.dshm.server.replication.contracts.Leadership;
import io.dshm.server.replication.contracts.PeerLinks;
import io.dshm.server.replication.contracts.RaftLog;
import io.dshm.server.replication.contracts.ReplyListener;
import io.dshm.server.replication.reads.AppliedWaits;
import io.dshm.server.replication.reads.LocalReads;
import io.dshm.server.replication.reads.ReadRounds;
import io.dshm.server.replication.reads.RegionScans;
import io.dshm.server.replication.writes.ForwardSession;
import io.dshm.server.replication.writes.Outbox;
import io.dshm.server.replication.writes.Pending;
import io.dshm.server.replication.writes.Proposer;
import io.dshm.server.replication.writes.Records;
import io.dshm.server.replication.writes.RegistrationCheck;
import io.dshm.server.replication.writes.Replies;
import io.dshm.server.replication.writes.Sender;
import io.dshm.server.statemachine.ClusterClock;
import io.dshm.server.statemachine.Outcome;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * The part of replication that runs on one event loop: see the package's description. All methods run on that thread.
 * No listener is called from within the call that took it. An exception of one listener does not affect the others.
 */
public final class Lane {

    private static final long TIMER_MILLIS = 50;

    /** Index 0: wait only until the node has caught up and knows the time. See {@link LocalReads#isApplied}. */
    private static final long NOTHING = 0;

    private static final Reply.Failure TOO_MANY_COMMANDS =
            new Reply.Failure(ErrorCode.BUSY, "too many commands are outstanding");
    private static final Reply.Failure STOPPING = new Reply.Failure(ErrorCode.SHUTTING_DOWN, null);
    private static final Reply.Failure DISK_FULL =
            new Reply.Failure(ErrorCode.DISK_FULL, "no room for the log; /status of each node says which disk is full");
    private static final Reply.Failure TOO_NEW = new Reply.Failure(
            ErrorCode.BUSY, "this verb works once all nodes of the cluster run a version that knows it");
    private static final Reply.Failure STALE = new Reply.Failure(
            ErrorCode.NO_LEADER, "no leader is known, and this node's data is older than max-staleness-millis allows");

    private static final Reply.Failure OLD_NODES =
            new Reply.Failure(ErrorCode.BAD_REQUEST, "this works once all nodes run this version");

    /** Version of the clients' protocol; see {@code proto/README.md}. */
    private static final int PROTOCOL_VERSION = 2;

    /**
     * What all lanes of a node share.
     *
     * @param name the node's
     * @param requestTimeoutMillis after which a command's sender is told that its outcome is not known
     */
    record Shared(
            String name,
            long requestTimeoutMillis,
            PeerLinks links,
            RaftLog log,
            LocalReads reads,
            RegionScans scans,
            ClusterClock clock,
            ClockAndRandom machine) {}

    /** What a lane needs from its node. Any thread. */
    interface Node {

        boolean isStopping();

        /** Whether the log knows this node's origins. */
        boolean isRegistered();

        /** The log no longer knows an origin of this node. */
        void onUnknownOrigin();

        /** Takes a write with a {@linkplain Records#largeValue large value}; listener called in lane {@code from}. */
        void submitLarge(Lane from, Command.Write write, long credential, long deadlineNanos, ReplyListener listener);
    }

    private final Shared shared;
    private final Node node;
    private final LocalReads reads;
    private final ScheduledExecutorService executor;

    /** The executor, guarded: an exception in a task does not end the event loop's periodic work. */
    private final Executor tasks;

    private final LongSupplier nanoTime;
    private final Proposer proposer;
    private final Sender sender;
    private final Outbox commands;
    private final ReadRounds rounds;
    private final AppliedWaits waits;
    private final RegionRequests regions;

    private final LaneCounts counts;

    /** Writes with large values that are not answered yet. */
    private int largeWrites;

    /** Linearizable reads that are not answered yet. */
    private int linearizableReads;

    Lane(Shared shared, Node node, ScheduledExecutorService executor, long origin) {
        this.shared = shared;
        this.node = node;
        this.reads = shared.reads;
        this.executor = executor;
        this.tasks = Guard.executor("a task of a lane", executor);
        this.nanoTime = shared.machine.nanoTime();
        this.proposer = new Proposer(shared.log, shared.clock, shared.machine, tasks, this::after, reads.memory());
        this.sender = new Sender(proposer, shared.links, executor, nanoTime, node::isRegistered, node::onUnknownOrigin);
        this.commands = sender.addOutbox(origin);
        this.counts = new LaneCounts(proposer.entryCommands(), proposer.entryTimes(), new LaneCounts.Waiting());
        this.regions = new RegionRequests(new RegionSteps(), reads, shared.scans, tasks);
        this.rounds = new ReadRounds(shared.log, tasks, nanoTime, reads::onConfirmed);
        this.waits = new AppliedWaits(reads, tasks, rounds::request);
    }

    /** Starts the lane's timer. */
    void start() {
        executor.scheduleWithFixedDelay(
                Guard.of("the timer of a lane", this::onTimer), TIMER_MILLIS, TIMER_MILLIS, TimeUnit.MILLISECONDS);
    }

    Outbox addOutbox(long origin) {
        return sender.addOutbox(origin);
    }

    /**
     * Takes a write; the listener gets its reply, at the latest when the request timeout is over.
     *
     * @param credential who asks, see {@link io.dshm.server.statemachine.StateMachine#users}; 0 is nobody
     */
    public void submit(Command.Write write, long credential, ReplyListener listener) {
        if (node.isStopping()) {
            tellSoon(listener, STOPPING);
        } else if (reads.format() < Records.formatOf(write)) {
            tellSoon(listener, TOO_NEW);
        } else if (shared.log.isDiskFull()) {
            tellSoon(listener, DISK_FULL);
        } else if (write.dataBytes() > Limits.INLINE_VALUE_BYTES_MAX) {
            submitLarge(write, credential, listener);
        } else if (!submit(
                commands,
                Records.of(write).setCredential(credential),
                new ClientWrite(write, listener),
                requestDeadline())) {
            tellSoon(listener, TOO_MANY_COMMANDS);
        }
    }

    private void submitLarge(Command.Write write, long credential, ReplyListener listener) {
        largeWrites++;
        node.submitLarge(this, write, credential, requestDeadline(), new ReplyListener() {
            @Override
            public void onReply(Reply reply) {
                largeWrites--;
                listener.tell(reply);
            }

            @Override
            public void onBroken(RuntimeException thrown) {
                largeWrites--;
                listener.onBroken(thrown);
            }
        });
    }

    /** Replies later, not within the call that took the command: the listener may send the next command at once. */
    private void tellSoon(ReplyListener listener, Reply reply) {
        tasks.execute(() -> listener.tell(reply));
    }

    /** Submits a record that may be sent before this node is registered, and may be applied more than once. */
    boolean submitAnonymous(CommandRecord.Builder record, Pending pending) {
        return submit(sender.anonymous(), record, pending, requestDeadline());
    }

    boolean submit(Outbox outbox, CommandRecord.Builder record, Pending pending, long deadlineNanos) {
        if (reads.format() < Formats.BOUNDS) {
            Records.forFirstFormat(record);
        }
        boolean taken = outbox.submit(record, pending, deadlineNanos);
        if (taken) {
            sender.requestFlush();
        }
        return taken;
    }

    /**
     * Answers a local read as soon as this node's store is recent enough for it; see {@link LocalReads#isCurrent}.
     * If this node's data is too old, the read becomes a linearizable one, or is refused if no leader is known.
     */
    public void awaitRead(Command.Read read, ReplyListener listener) {
        if (!reads.isStale()) {
            Runnable answer = () -> listener.tell(reads.read(read));
            waits.add(reads.indexFor(read), requestDeadline(), answer, listener);
        } else if (sender.leadership().leader() == null) {
            tellSoon(listener, STALE);
        } else {
            readLinearizable(read, listener);
        }
    }

    /** Runs {@code ready} once this node has caught up since its start: before that, it does not know the users. */
    public void whenCaughtUp(Runnable ready, ReplyListener listener) {
        waits.add(NOTHING, requestDeadline(), ready, listener);
    }

    /** Answers a read once this node has applied every write that any node had acknowledged when it was called. */
    public void readLinearizable(Command.Read read, ReplyListener listener) {
        if (linearizableReads < Limits.COMMANDS_OUTSTANDING_MAX) {
            linearizableReads++;
            rounds.add(new LinearizableRead(read, requestDeadline(), listener));
        } else {
            tellSoon(listener, TOO_MANY_COMMANDS);
        }
    }

    /** Goes on, soon, when this node has applied all that is in the log now; the listener hears if that cannot be. */
    void whenAllIsApplied(Runnable ready, ReplyListener listener) {
        logTime(requestDeadline(), ready, listener);
    }

    /** Sends its commands under that origin from now on; what it had sent is answered, and not sent again. */
    void renew(long origin) {
        commands.renew(origin);
    }

    /** Has the leader log the time, and runs {@code ready} once that entry is applied here. */
    private void logTime(long deadlineNanos, Runnable ready, ReplyListener listener) {
        submit(
                sender.anonymous(),
                Records.logTime(),
                listener,
                (outcome, index) -> waits.add(index, deadlineNanos, ready, listener));
    }

    /** Submits a command of the lane itself; the listener is told only if it fails. */
    private void submit(
            Outbox outbox, CommandRecord.Builder record, ReplyListener listener, RegionRequests.Continuation then) {
        Pending pending = new Pending() {
            @Override
            public void onOutcome(Outcome outcome, long index) {
                then.onOutcome(outcome, index);
            }

            @Override
            public void onFailure(ErrorCode code) {
                listener.tell(new Reply.Failure(code, null));
            }

            @Override
            public void onBroken(RuntimeException thrown) {
                listener.onBroken(thrown);
            }
        };
        if (!submit(outbox, record, pending, requestDeadline())) {
            tellSoon(listener, TOO_MANY_COMMANDS);
        }
    }

    /** Counts of what the lane has done, and of what waits. Any thread. */
    LaneCounts counts() {
        return counts;
    }

    /** Takes requests for a whole region. */
    public RegionRequests regions() {
        return regions;
    }

    /** Runs a command that only operators may give. The listener gets {@code DONE}, or the reason why not. */
    void submitForOperator(CommandRecord.Builder record, ReplyListener listener) {
        if (reads.format() < Formats.BOUNDS) {
            tellSoon(listener, OLD_NODES);
            return;
        }
        submit(
                commands,
                record,
                listener,
                (outcome, index) ->
                        // Later reads on this node must see it.
                        waits.add(
                                index,
                                requestDeadline(),
                                () -> listener.tell(Replies.toOperator(record, outcome)),
                                listener));
    }

    /** Who answers, and who leads as far as this node knows. */
    public Reply info() {
        String leader = sender.leadership().leader();
        return new Reply.Detailed(
                null,
                "protocol=" + PROTOCOL_VERSION + " node=" + shared.name + (leader == null ? "" : " leader=" + leader));
    }

    /** Makes this node ask the leader soon what is committed. */
    void confirm() {
        rounds.request();
    }

    private long requestDeadline() {
        return nanoTime.getAsLong() + TimeUnit.MILLISECONDS.toNanos(shared.requestTimeoutMillis);
    }

    /** The store as this node shows it. */
    public LocalReads reads() {
        return reads;
    }

    /** Opens the leader's end of a connection from another node; it runs on this lane. */
    public ForwardSession openSession(RegistrationCheck registrations, ForwardSession.Peer peer) {
        return new ForwardSession(proposer, sender::requestFlush, peer, tasks, registrations);
    }

    ScheduledExecutorService executor() {
        return executor;
    }

    /** Runs a task on the lane's thread. Any thread. */
    public void execute(Runnable task) {
        tasks.execute(task);
    }

    /** Runs a task on the lane's thread after that time; {@link Guard} handles its exceptions. */
    public void after(long nanos, Runnable task) {
        executor.schedule(Guard.of("a task of a lane", task), nanos, TimeUnit.NANOSECONDS);
    }

    boolean isIdle() {
        return sender.isEmpty() && waits.isEmpty() && rounds.isEmpty() && regions.isEmpty() && largeWrites == 0;
    }

    void tick() {
        proposer.tick();
    }

    void switchFormat(int format) {
        proposer.switchFormat(format);
    }

    void propose(CommandRecord record) {
        proposer.propose(record);
    }

    void onLeadership(Leadership news) {
        sender.onLeadership(news);
        rounds.onLeadership();
    }

    void requestFlush() {
        sender.requestFlush();
    }

    private void onTimer() {
        long now = nanoTime.getAsLong();
        sender.expire(now);
        proposer.expire(now, TimeUnit.MILLISECONDS.toNanos(shared.requestTimeoutMillis));
        waits.onTimer(now);
        rounds.onTimer(now);
        counts.waiting()
                .set(sender.forwarded(), sender.outstanding(), sender.outstandingBytes(), proposer.outstanding());
    }

    /** Called after entries were applied: answers the reads that waited for them. */
    void answerReads() {
        waits.onApplied();
    }

    private final class RegionSteps implements RegionRequests.Steps {

        @Override
        public void awaitAcknowledged(Runnable ready, ReplyListener listener) {
            waits.add(reads.indexForAll(), requestDeadline(), ready, listener);
        }

        @Override
        public void logTime(Runnable ready, ReplyListener listener) {
            Lane.this.logTime(requestDeadline(), ready, listener);
        }

        @Override
        public void submit(CommandRecord.Builder record, ReplyListener listener, RegionRequests.Continuation then) {
            Lane.this.submit(commands, record, listener, then);
        }
    }

    /** A linearizable read that waits. */
    private final class LinearizableRead implements ReadRounds.Waiting, ReplyListener {

        private final Command.Read read;
        private final long deadlineNanos;
        private final ReplyListener client;
        private boolean over;

        LinearizableRead(Command.Read read, long deadlineNanos, ReplyListener client) {
            this.read = read;
            this.deadlineNanos = deadlineNanos;
            this.client = client;
        }

        @Override
        public long deadlineNanos() {
            return deadlineNanos;
        }

        @Override
        public void onConfirmed() {
            // Wait until this node knows the time: a deadline may have passed while nothing was logged.
            waits.add(NOTHING, deadlineNanos, this::look, this);
        }

        private void look() {
            if (reads.isDueUnlogged(read)) {
                // Once this client sees an entry expired, no other may see it alive: so the time is logged first.
                logTime(deadlineNanos, this::answer, this);
            } else {
                answer();
            }
        }

        private void answer() {
            tell(reads.readLogged(read));
        }

        @Override
        public ReplyListener listener() {
            return this;
        }

        @Override
        public void onReply(Reply reply) {
            end();
            client.onReply(reply);
        }

        @Override
        public void onBroken(RuntimeException thrown) {
            end();
            client.onBroken(thrown);
        }

        private void end() {
            if (!over) {
                over = true;
                linearizableReads--;
            }
        }
    }

    /** A client's write that waits for its outcome. */
    private final class ClientWrite extends Pending {

        private final Command.Write write;
        private final ReplyListener listener;

        ClientWrite(Command.Write write, ReplyListener listener) {
            this.write = write;
            this.listener = listener;
        }

        @Override
        public void onOutcome(Outcome outcome, long index) {
            reads.acknowledge(write, index);
            Command.Write own = write instanceof Command.Identified identified ? identified.write() : write;
            if (outcome.kind() == Outcome.Kind.NO_INTEGER && own instanceof Command.Incr incr) {
                awaitRead(new Command.Get(incr.key()), listener);
            } else {
                listener.tell(Replies.of(own, outcome));
            }
        }

        @Override
        public void onFailure(ErrorCode code) {
            listener.tell(new Reply.Failure(code, null));
        }

        @Override
        public void onBroken(RuntimeException thrown) {
            listener.onBroken(thrown);
        }
    }
}
